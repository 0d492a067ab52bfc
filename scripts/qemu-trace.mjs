// Makes a trace (traces/README.md) of the log that QEMU 7.2 wrote of its GICv3's trace events, with one CPU: its events do not say
// which CPU accesses a frame. `node scripts/qemu-trace.mjs LOG OPTIONS > TRACE`, OPTIONS being QEMU's own, as one argument.

import { readFileSync } from 'node:fs'

const access = (region) => (m) => `0 ${m[1] === 'read' ? 'R' : 'W'} ${region} ${m[2]} ${m[4]} ${m[3]}`
const system = (kind) => (m) => `0 ${kind} ICC_${m[1]}_EL1 ${m[2]}`
const wire = (cpu) => (m) => `irq ${m[1]} ${cpu} ${m[2]}`

/** What a line of the log says, and whether QEMU writes it when the event has had its effect, or before. */
const kinds = [
  [/^gicv3_dist_(read|write) .* offset (0x[0-9a-f]+) data (0x[0-9a-f]+) size (\d)/, 'after', access('gicd')],
  [/^gicv3_redist_(read|write) .* offset (0x[0-9a-f]+) data (0x[0-9a-f]+) size (\d)/, 'after', access('gicr')],
  [/^gicv3_icc_iar[01]_read .* ICC_(\w+) read .* value (0x[0-9a-f]+)/, 'after', system('MRS')],
  [/^gicv3_icc_\w+_read .* ICC_(\w+) read .* value (0x[0-9a-f]+)/, 'before', system('MRS')],
  [/^gicv3_icc_\w+_write .* ICC_(\w+) write .* value (0x[0-9a-f]+)/, 'before', system('MSR')],
  [/^gicv3_dist_set_irq .* interrupt (\d+) level changed to ([01])/, 'before', wire('-')],
  [/^gicv3_redist_set_irq .* interrupt (\d+) level changed to ([01])/, 'before', wire('0')],
]

const [log, options] = process.argv.slice(2)
if (log === undefined || options === undefined) {
  process.stderr.write(
    "usage: node scripts/qemu-trace.mjs LOG '-machine virt,gic-version=3,its=off -cpu cortex-a57 -smp 1 -m 256'\n",
  )
  process.exit(2)
}

const events = []
const levels = { fiq: '0', irq: '0' }
/** Changes of outputs since the last event, not yet known to be its own or the next one's. */
let changes = []
let previous = 'after'

function outputs(line) {
  const [, fiq, irq] = /setting FIQ ([01]) IRQ ([01])/.exec(line)
  for (const [signal, level] of Object.entries({ fiq, irq })) {
    if (levels[signal] !== level) changes.push(`out 0 ${signal} ${level}`)
    levels[signal] = level
  }
}

for (const [index, line] of readFileSync(log, 'utf8').trimEnd().split('\n').entries()) {
  if (line.startsWith('gicv3_cpuif_set_irqs')) {
    outputs(line)
    continue
  }
  const kind = kinds.find(([pattern]) => pattern.test(line))
  if (kind === undefined) {
    process.stderr.write(`qemu-trace: ${log}:${index + 1}: an event that has no form here: ${line}\n`)
    process.exit(1)
  }
  const [pattern, when, text] = kind
  // Between an event that is written before its effect and one that is written after, the first change is the former's.
  const own = when === 'before' ? changes.length : previous === 'after' ? 0 : Math.min(changes.length, 1)
  events.push(...changes.slice(0, own), text(pattern.exec(line)), ...changes.slice(own))
  changes = []
  previous = when
}
events.push(...changes)
process.stdout.write(
  `# GIC access trace of QEMU 7.2\n# machine: ${options}\n# events: ${events.length}\n${events.join('\n')}\n`,
)
