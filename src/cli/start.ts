/** `vgic start`, which `npm start` runs: the recorded interrupts of a real Linux boot through our GIC, and what came of it. */

import { fileURLToPath } from 'node:url'
import type { ReplayResult } from '../trace/index.ts'
import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError } from './command.ts'
import { kindOf, nameOf } from './interrupt-names.ts'
import { Progress } from './progress.ts'
import { divergenceLines } from './replay-report.ts'
import type { Style } from './style.ts'
import { bar, counted, duration, grouped, printable, styleFor } from './style.ts'
import { FileError, replayFile } from './trace-file.ts'
import { version } from './version.ts'

const traceName = 'traces/linux-gicv2-smp4.trace.gz'
const tracePath = fileURLToPath(new URL(`../../${traceName}`, import.meta.url))

const help = `Usage: vgic start

Replays the bundled trace (everything that went in and out of the interrupt controller while a real Linux booted, worked
and powered off) through this package's GIC, compares every read and every output line, and tells what it saw.

Example:
  vgic start
`

/** Rows of the table of interrupts, and columns of its parts. */
const mostRows = 16
const labelWidth = 32
const numberWidth = 6
const widestBar = 8

/** What was taken, by whom and how often. Each row's bars have the row's own scale, or the rare ones would have none. */
function interruptTable(result: ReplayResult, linux: boolean, columns: number, style: Style): string[] {
  const { cpus } = result.machine
  const rows = [...result.interrupts].sort((a, b) => b.total - a.total)
  const shown = rows.slice(0, mostRows).sort((a, b) => a.intid - b.intid)
  const room = Math.floor((columns - labelWidth - numberWidth - 5) / cpus) - numberWidth - 1
  const barWidth = Math.max(0, Math.min(widestBar, room))
  const cell = (text: string, drawn: string) => `${text.padStart(numberWidth)} ${drawn}`
  const head = Array.from({ length: cpus }, (_, cpu) => cell(`CPU ${cpu}`, ' '.repeat(barWidth))).join('')
  const lines = [style.dim(`  ${'Interrupt'.padEnd(labelWidth)}${'taken'.padStart(numberWidth)}  ${head}`.trimEnd())]
  for (const row of shown) {
    const most = Math.max(...row.perCpu)
    const cells = row.perCpu.map((n) => cell(n === 0 ? '·' : grouped(n), style.accent(bar(n, most, barWidth))))
    const label = `${kindOf(row.intid)} ${String(row.intid).padStart(3)}  ${nameOf(row.intid, linux)}`
    lines.push(`  ${label.padEnd(labelWidth)}${grouped(row.total).padStart(numberWidth)}  ${cells.join('')}`.trimEnd())
  }
  if (rows.length > shown.length)
    lines.push(style.dim(`  and ${counted(rows.length - shown.length, 'interrupt')} more`))
  return lines
}

function verdictLines(result: ReplayResult, style: Style): string[] {
  const { counts, reads, outputs } = result
  const same = `${style.good('✔')} `
  const other = reads.identity - result.identity.reduce((sum, d) => sum + d.count, 0)
  return [
    `  ${same}${counted(reads.compared, 'read').padEnd(24)} each returned what the recorded machine returned`,
    `  ${same}${counted(outputs.compared, 'IRQ line change').padEnd(24)} each after the very event that caused it, and no other`,
    style.dim(
      `    in between: ${counted(counts.writes, 'register write')}, ${counted(counts.inputs, 'wire change')}, ` +
        `${counted(counts.acknowledged, 'interrupt')} taken`,
    ),
    style.dim(`    identification registers (not judged): ${other} of ${reads.identity} reads the same`),
  ]
}

function nextLines(names: readonly string[], style: Style): string[] {
  const steps: readonly [command: string, why: string, needs: string][] = [
    [
      `npx vgic replay --stop-at 198 --explain 27@0 ${traceName}`,
      'stop in the middle: why is the timer not signalled?',
      'replay',
    ],
    ['npx vgic conform', 'put the conformance vectors to this model', 'conform'],
    ['npm test', 'everything that holds it together', ''],
    ['npx vgic --help', 'the rest', ''],
  ]
  const lines = ['Next:']
  for (const [command, why, needs] of steps) {
    if (needs === '' || names.includes(needs)) lines.push(`  ${style.bold(command)}`, style.dim(`      ${why}`))
  }
  return lines
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { positionals } = parseOptions(args, {}, 'start')
  if (positionals[0] !== undefined)
    throw new UsageError(`start takes no '${printable(positionals[0])}'; 'vgic replay FILE' replays a file`)
  const style = styleFor(io.out, io.env)
  io.out.write(`${style.bold(`vgic ${version}`)}: the interrupts of a real Linux boot, through this GIC\n\n`)
  const progress = new Progress(io.err, 'replaying', 0)
  const options = { limit: 3, context: 8, stopAt: undefined, machine: undefined, explain: [] }
  const replay = await replayFile(tracePath, options, io, progress).finally(() => progress.end())
  if (replay.error !== undefined) throw new FileError(replay.error)
  const { header, result, seconds } = replay
  const linux = /\bLinux\b/.test(header.title)
  const what = header.title.replace(/^GIC access trace:\s*/, '')
  const lines = [
    `  ${style.bold(printable(what))}`,
    `  a GICv${result.machine.version} with ${result.machine.intids} INTIDs, from reset to power-off: ` +
      `${grouped(result.events)} events replayed in ${duration(seconds)}, ${grouped(result.events / Math.max(seconds, 1e-6))} a second`,
    '',
  ]
  if (result.divergenceCount === 0) lines.push(...verdictLines(result, style))
  else {
    for (const [i, divergence] of result.divergences.entries())
      lines.push(...divergenceLines(traceName, i + 1, divergence, style), '')
    lines.push(
      `  ${style.bad(counted(result.divergenceCount, 'divergence'))}: this build does not behave as the recorded machine`,
    )
  }
  const { commandNames } = await import('./commands.ts')
  lines.push('', ...interruptTable(result, linux, io.out.columns, style), '', ...nextLines(commandNames, style), '')
  io.out.write(lines.join('\n'))
  return result.divergenceCount === 0 ? ExitStatus.ok : ExitStatus.found
}

export const start: Command = {
  name: 'start',
  help,
  run,
}
