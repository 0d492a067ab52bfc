/**
 * `vgic start`, which `npm start` runs: the recorded interrupts of real Linux boots through our GICs, what came of it, and then
 * the bundled guest on a machine of our own.
 */

import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReplayResult } from '../trace/index.ts'
import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError } from './command.ts'
import { bootDemo } from './demo.ts'
import { FileError } from './file-error.ts'
import { kindOf, nameOf } from './interrupt-names.ts'
import { Progress } from './progress.ts'
import { divergenceLines } from './replay-report.ts'
import type { Style } from './style.ts'
import { bar, counted, duration, grouped, printable, styleFor } from './style.ts'
import { type FileReplay, replayFile } from './trace-file.ts'
import { version } from './version.ts'

const names = ['linux-gicv2-smp4', 'linux-gicv3-smp4', 'linux-gicv3-its-smp4'].map((name) => `traces/${name}.trace.gz`)

const help = `Usage: vgic start

Replays the bundled traces (everything that went in and out of the interrupt controller while a real Linux booted, worked
and powered off: on a GICv2, on a GICv3, and on a GICv3 with an ITS) through this package's GICs, compares every read and
every output line, and tells what it saw. Then boots a small guest of this package on its own machine (vgic demo).

Example:
  vgic start
`

/** Rows of the table of interrupts, and columns of its parts. */
const mostRows = 18
const labelWidth = 34
const numberWidth = 7
const widestBar = 8
/** Columns of a boot in the first table. */
const bootWidth = 15

interface Boot {
  readonly name: string
  /** What it ran on: GICv3 with ITS. */
  readonly controller: string
  readonly replay: FileReplay
}

function bootTable(boots: readonly Boot[], style: Style): string[] {
  const row = (label: string, of: (boot: Boot) => string, mark = ' ') =>
    `  ${mark} ${label.padEnd(labelWidth - 4)}${boots.map((boot) => of(boot).padStart(bootWidth)).join('')}`
  const count = (label: string, of: (result: ReplayResult) => number, mark = ' ') =>
    row(label, ({ replay }) => grouped(of(replay.result)), mark)
  const good = style.good('✔')
  const different = new Set(boots.flatMap(({ replay }) => replay.result.identity.map(({ name }) => name)))
  return [
    style.bold(row('', ({ controller }) => controller)),
    count('events, reset to power-off', ({ events }) => events),
    row('replayed in', ({ replay }) => duration(replay.seconds)),
    row('events a second', ({ replay }) => grouped(replay.result.events / Math.max(replay.seconds, 1e-6))),
    count('writes of registers', ({ counts }) => counts.writes + counts.systemRegisterWrites),
    count('changes of input wires', ({ counts }) => counts.inputs),
    count('messages of devices', ({ counts }) => counts.messages),
    count('interrupts taken', ({ counts }) => counts.acknowledged),
    count('reads', ({ reads }) => reads.compared, good),
    count('changes of IRQ and FIQ', ({ outputs }) => outputs.compared, good),
    '',
    '  Each read returned what the recorded machine returned; each IRQ changed after the very',
    '  event that caused it, and no other did.',
    style.dim(`  Not judged: who made it and how large it is; different are ${[...different].join(', ') || 'none'}.`),
  ]
}

/** What was taken, on which machine and how often. Each row's bars have the row's own scale, or the rare ones would have none. */
function interruptTable(boots: readonly Boot[], linux: boolean, columns: number, style: Style): string[] {
  const totals = new Map<number, number[]>()
  for (const [i, { replay }] of boots.entries())
    for (const { intid, total } of replay.result.interrupts) {
      const of = totals.get(intid) ?? boots.map(() => 0)
      of[i] = total
      totals.set(intid, of)
    }
  const sum = (of: readonly number[]) => of.reduce((all, n) => all + n, 0)
  const rows = [...totals].sort(([, a], [, b]) => sum(b) - sum(a))
  const shown = rows.slice(0, mostRows).sort(([a], [b]) => a - b)
  const room = Math.floor((columns - labelWidth - 2) / boots.length) - numberWidth - 1
  const barWidth = Math.max(0, Math.min(widestBar, room))
  const cell = (text: string, drawn: string) => `${text.padStart(numberWidth)} ${drawn}`
  // A heading may take the room of its bar.
  const heads = boots.map(({ controller }) =>
    controller
      .replace(' with ', '+')
      .padStart(numberWidth)
      .padEnd(numberWidth + 1 + barWidth),
  )
  const lines = [style.dim(`  ${'Interrupts taken'.padEnd(labelWidth)}${heads.join('')}`.trimEnd())]
  for (const [intid, of] of shown) {
    const most = Math.max(...of)
    const cells = of.map((n) => cell(n === 0 ? '·' : grouped(n), style.accent(bar(n, most, barWidth))))
    const label = `${kindOf(intid)} ${String(intid).padStart(4)}  ${nameOf(intid, linux)}`
    lines.push(`  ${label.padEnd(labelWidth)}${cells.join('')}`.trimEnd())
  }
  if (rows.length > shown.length)
    lines.push(style.dim(`  and ${counted(rows.length - shown.length, 'interrupt')} more`))
  return lines
}

/** What to run next: from a checkout the project's jobs, too; from an installed package what it has. */
function nextLines(style: Style): string[] {
  const checkout = existsSync(here('src'))
  const trace = (n: number) => relative(process.cwd(), here(names[n]!))
  const linux = checkout ? 'npm run linux' : 'npx vgic linux'
  const steps: [command: string, why: string][] = [
    [linux, "Debian's own kernel at a shell, on this machine and GIC"],
    [`npx vgic replay --stop-at 198 --explain 27@0 ${trace(0)}`, 'stop in the middle: why is the timer not signalled?'],
    [`npx vgic replay --explain 0x10:1 ${trace(2)}`, "where does this device's message go?"],
    ['npx vgic conform', 'put the conformance vectors to this model'],
  ]
  if (checkout) steps.push(['npm test', 'everything that holds it together'])
  steps.push(['npx vgic --help', 'the rest'])
  const lines = ['Next:']
  for (const [command, why] of steps) lines.push(`  ${style.bold(command)}`, style.dim(`      ${why}`))
  return lines
}

/** A file of the package by its path from the package's root. */
function here(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

async function replayBoot(name: string, io: Io): Promise<Boot> {
  const progress = new Progress(io.err, `replaying ${name}`, 0)
  const options = { limit: 3, context: 8, stopAt: undefined, machine: undefined, explain: [] }
  const path = here(name)
  const replay = await replayFile(path, options, io, progress).finally(() => progress.end())
  if (replay.error !== undefined) throw new FileError(replay.error)
  const { machine } = replay.result
  return { name, controller: `GICv${machine.version}${machine.its ? ' with ITS' : ''}`, replay }
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { positionals } = parseOptions(args, {}, 'start')
  if (positionals[0] !== undefined)
    throw new UsageError(`start takes no '${printable(positionals[0])}'; 'vgic replay FILE' replays a file`)
  const style = styleFor(io.out, io.env)
  io.out.write(`${style.bold(`vgic ${version}`)}: the interrupts of real Linux boots, through this GIC\n\n`)
  const boots: Boot[] = []
  for (const name of names) boots.push(await replayBoot(name, io))
  const titles = new Set(boots.map(({ replay }) => replay.header.title.replace(/^GIC access trace:\s*/, '')))
  const lines = [...titles].map((title) => `  ${style.bold(printable(title))}`)
  lines.push('')
  let divergences = 0
  for (const { name, replay } of boots) {
    divergences += replay.result.divergenceCount
    for (const [i, divergence] of replay.result.divergences.entries())
      lines.push(...divergenceLines(name, i + 1, divergence, style), '')
  }
  if (divergences === 0) lines.push(...bootTable(boots, style))
  else
    lines.push(
      `  ${style.bad(counted(divergences, 'divergence'))}: this build does not behave as the recorded machines`,
    )
  const linux = [...titles].every((title) => /\bLinux\b/.test(title))
  lines.push('', ...interruptTable(boots, linux, io.out.columns, style), '')
  io.out.write(lines.join('\n'))
  if (divergences > 0) {
    io.out.write(`\n${nextLines(style).join('\n')}\n`)
    return ExitStatus.found
  }
  io.out.write(`\n${style.bold('A guest of our own')}, on 4 CPUs and the same GIC ${style.dim('(vgic demo)')}\n`)
  const status = await bootDemo([], io)
  io.out.write(`\n${nextLines(style).join('\n')}\n`)
  return status
}

export const start: Command = {
  name: 'start',
  help,
  run,
}
