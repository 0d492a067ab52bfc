/**
 * `npm run bench:machine`: guest MIPS, what accesses and interrupts cost as a guest sees them, and Debian: its boot, jobs in it, and how
 * the boot grows. Ours against QEMU's where it is installed. Medians of interleaved rounds; a table, or with `--json` one array of rows.
 */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cachedDebian, type DebianGuest } from '../../src/cli/debian.ts'
import { median } from '../measure.ts'
import { append, BOOT_CPUS, BOOT_MEMORY, type BootResult, prompt } from './boot-plan.ts'
import { type JobName, jobs, lessBoot, summary, type Times, timesOf } from './jobs.ts'
import { type Gic, type ProgramName, Running } from './program.ts'
import { qemuBoot, qemuPass, qemuVersion } from './qemu.ts'

interface MachineRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** QEMU's, or null. */
  readonly baseline: number | null
  readonly ratio: number | null
  /** In the row's unit: the least for MIPS, the most for everything else; null where nothing is promised. */
  readonly limit: number | null
  readonly over: boolean
  /** The least and the greatest ratio of a round, where a round has one. */
  readonly spread: readonly [number, number] | null
}

interface Plan {
  readonly name: string
  readonly program: ProgramName
  readonly gic: Gic
  /** Instructions of a pass for a row of MIPS; operations of a pass for one of nanoseconds. */
  readonly instructions?: number
  readonly operations?: number
  readonly limit: number | null
  /** Passes for QEMU. */
  readonly passes: number
}

const MIPS = 'MIPS'
const ACCESS_LIMIT = 60

const plans: readonly Plan[] = [
  { name: 'ALU loop', program: 'alu', gic: 2, instructions: 10, limit: null, passes: 100e6 },
  { name: 'memory loop', program: 'memory', gic: 2, instructions: 11, limit: null, passes: 50e6 },
  { name: 'call/return loop', program: 'call', gic: 2, instructions: 10, limit: null, passes: 50e6 },
  { name: 'MMIO read, PL011 UARTFR', program: 'uartRead', gic: 2, operations: 8, limit: ACCESS_LIMIT, passes: 250e3 },
  { name: 'MMIO read, GICD_CTLR', program: 'gicRead', gic: 2, operations: 8, limit: ACCESS_LIMIT, passes: 250e3 },
  { name: 'EOI write, GICC_EOIR, nothing active', program: 'eoi', gic: 2, operations: 8, limit: null, passes: 250e3 },
  { name: 'SGI to itself, acknowledge and EOI', program: 'self', gic: 2, operations: 8, limit: null, passes: 50e3 },
  { name: 'IPI round trip, two CPUs, WFI', program: 'ipi', gic: 2, operations: 1, limit: null, passes: 30e3 },
  { name: 'timer interrupt, expiry to ERET', program: 'timer', gic: 2, operations: 1, limit: null, passes: 100e3 },
  { name: 'system register read, ICC_PMR_EL1', program: 'gicRead', gic: 3, operations: 8, limit: null, passes: 250e3 },
  {
    name: 'EOI write, ICC_EOIR1_EL1, nothing active',
    program: 'eoi',
    gic: 3,
    operations: 8,
    limit: null,
    passes: 250e3,
  },
  { name: 'SGI to itself, acknowledge and EOI', program: 'self', gic: 3, operations: 8, limit: null, passes: 50e3 },
  { name: 'IPI round trip, two CPUs, WFI', program: 'ipi', gic: 3, operations: 1, limit: null, passes: 30e3 },
  { name: 'timer interrupt, expiry to ERET', program: 'timer', gic: 3, operations: 1, limit: null, passes: 100e3 },
]

const ROUNDS = 31
const BOOTS = 3

function row(
  name: string,
  value: number,
  unit: string,
  baseline: number,
  limit: number | null,
  spread: MachineRow['spread'] = null,
): MachineRow {
  const known = Number.isFinite(baseline) && baseline > 0
  const over = limit !== null && (unit === MIPS ? value < limit : value > limit)
  const ratio = known ? value / baseline : null
  return { name, value, unit, baseline: known ? baseline : null, ratio, limit, over, spread }
}

async function loops(qemu: boolean, say: (row: MachineRow) => void): Promise<void> {
  // The loop itself, with as many NOPs, is taken off what an operation costs.
  const idle = await Running.start('idle', 2)
  const running: Running[] = []
  for (const { program, gic } of plans) running.push(await Running.start(program, gic))
  const ours = plans.map(() => new Float64Array(ROUNDS))
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < plans.length; turn++) {
      const i = (turn + round) % plans.length
      const plan = plans[i]!
      const { pass, mips } = running[i]!.slice()
      ours[i]![round] =
        plan.instructions !== undefined
          ? mips
          : (pass - (plan.operations === 8 ? idle.slice().pass : 0)) / (plan.operations ?? 1)
    }
  }
  for (const [i, { name, program, gic, instructions, operations, limit, passes }] of plans.entries()) {
    const pass = qemu ? qemuPass(program, gic, passes) : Number.NaN
    const theirs = instructions === undefined ? pass / (operations ?? 1) : (instructions * 1e3) / pass
    const unit = instructions === undefined ? 'ns' : MIPS
    say(row(unit === MIPS ? name : `GICv${gic}: ${name}`, median(ours[i]!), unit, theirs, limit))
  }
}

async function boots(guest: DebianGuest, qemu: boolean, say: (row: MachineRow) => void): Promise<void> {
  const { kernel, initrd } = guest
  const child = fileURLToPath(new URL('./boot.js', import.meta.url))
  const ours: BootResult[] = []
  const theirs: number[] = []
  for (let i = 0; i < BOOTS; i++) {
    const { stdout, status } = spawnSync(process.execPath, [child, kernel, initrd], { encoding: 'utf8' })
    if (status !== 0) throw new Error('the boot of Debian failed')
    const result = JSON.parse(stdout) as BootResult
    if (!result.there) throw new Error('the boot of Debian did not come to its prompt')
    ours.push(result)
    if (qemu) theirs.push(await qemuBoot({ kernel, initrd, append, cpus: BOOT_CPUS }, prompt))
  }
  const of = (value: (result: BootResult) => number) => median(ours.map(value))
  const seconds = theirs.length > 0 ? median(theirs) : Number.NaN
  const millions = ours[0]!.instructions / 1e6
  say(
    row(
      'Debian boot (QEMU: our instructions in its time)',
      of((r) => r.instructions / 1e6 / r.running),
      MIPS,
      millions / seconds,
      80,
    ),
  )
  say(
    row(
      'default guest, start to prompt',
      of((r) => r.seconds),
      's',
      seconds,
      4,
    ),
  )
  const ram = BOOT_MEMORY / 2 ** 20
  say(
    row(
      `process memory, ${ram} MiB of guest RAM`,
      of((r) => r.resident),
      'MiB',
      Number.NaN,
      ram + 150,
    ),
  )
}

/** A row of CPU seconds, which are to be no more than QEMU's. */
function secondsRow(name: string, times: Times): MachineRow {
  const { ours, theirs, spread } = summary(times)
  return row(name, ours, 's', theirs, Number.isFinite(theirs) ? theirs : null, spread)
}

/** Debian with one CPU, and the jobs in it: each as a whole process, and less the boot under it. */
async function jobRows(files: DebianGuest, qemu: boolean, say: (row: MachineRow) => void): Promise<void> {
  const guest = { ...files, cpus: 1, memory: 256 }
  const names = Object.keys(jobs) as JobName[]
  const times = await timesOf(
    names.map((job) => ({ guest, job })),
    BOOTS,
    qemu,
  )
  const [boot, ...rest] = times
  say(secondsRow('Debian to its shell and off, CPU time', boot!))
  for (const [i, job] of rest.entries()) {
    say(secondsRow(`  and ${names[i + 1]!}`, job))
    say(secondsRow(`  ${names[i + 1]!} alone`, lessBoot(job, boot!)))
  }
}

/** How that boot grows with CPUs and with memory. */
async function growthRows(files: DebianGuest, qemu: boolean, say: (row: MachineRow) => void): Promise<void> {
  const shapes = [
    ...[1, 2, 4, 8].map((cpus) => ({ cpus, memory: 256 })),
    ...[512, 1024, 2048].map((memory) => ({ cpus: 1, memory })),
  ]
  const plans = shapes.map((shape) => ({ guest: { ...files, ...shape }, job: 'boot' as const }))
  for (const [i, times] of (await timesOf(plans, BOOTS, qemu)).entries()) {
    const { cpus, memory } = shapes[i]!
    say(secondsRow(`Debian to its shell and off: ${cpus} CPUs, ${memory} MiB`, times))
  }
}

function line({ name, value, unit, baseline, ratio, limit, over, spread }: MachineRow): string {
  const places = unit === 's' ? 2 : 1
  const digits = { minimumFractionDigits: places, maximumFractionDigits: places }
  const figure = (of: number | null) => (of === null ? '' : `${of.toLocaleString('en', digits)} ${unit}`)
  const most = limit === baseline ? "QEMU's" : limit
  const bound = limit === null ? '' : over ? `OVER ${most}` : `${unit === MIPS ? '>=' : '<='} ${most}`
  const rounds = spread === null ? '' : ` (${spread.map((ratio) => ratio.toFixed(2)).join(' to ')})`
  const cells = [figure(value), figure(baseline), ratio === null ? '' : ratio.toFixed(3)]
  return `  ${name.padEnd(50)}${cells.map((cell) => cell.padStart(14)).join('')}   ${bound}${rounds}`.trimEnd()
}

/** What there is to measure; `--only` picks one. */
const parts = ['loops', 'boot', 'jobs', 'growth'] as const

const { json, only } = (() => {
  const [...rest] = process.argv.slice(2)
  const json = rest.includes('--json')
  const [flag, part, ...more] = rest.filter((arg) => arg !== '--json')
  if (flag === undefined) return { json, only: undefined }
  const known = parts.find((name) => name === part)
  if (flag === '--only' && known !== undefined && more.length === 0) return { json, only: known }
  const refused = flag === '--only' ? (more[0] ?? part ?? flag) : flag
  process.stderr.write(`bench:machine: '${refused}' is no option; there are --json and --only ${parts.join('|')}\n`)
  process.exit(2)
})()
const wanted = (part: (typeof parts)[number]) => only === undefined || only === part
const version = qemuVersion()
const rows: MachineRow[] = []
const note = (text: string) => (json ? process.stderr : process.stdout).write(`${text}\n`)
const say = (row: MachineRow) => {
  rows.push(row)
  if (!json) process.stdout.write(`${line(row)}\n`)
}
if (!json) {
  note(
    `vgic machine benchmark: medians of ${ROUNDS} interleaved rounds (whole guests: ${BOOTS}); columns: ours, QEMU's, ours/QEMU's and that of single rounds`,
  )
  note(version === undefined ? '  qemu-system-aarch64 is not there: nothing is held against it' : `  ${version}, TCG`)
}
if (wanted('loops')) await loops(version !== undefined, say)
const guest = await cachedDebian(process.env)
if (guest === undefined) note("  The Debian boot is left out: 'npx vgic fetch debian' gets its kernel.")
else {
  const qemu = version !== undefined
  if (wanted('boot')) await boots(guest, qemu, say)
  if (wanted('jobs')) await jobRows(guest, qemu, say)
  if (wanted('growth')) await growthRows(guest, qemu, say)
}
const over = rows.filter((row) => row.over)
if (json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
else note(`\n${over.length === 0 ? 'No row is' : `${over.length} of the rows are`} over the limit.`)
