/** `vgic replay`: recorded traffic through our GIC, with every read and every output compared. */

import type { MachineDescription } from '../trace/index.ts'
import { parseMachine, TraceError } from '../trace/index.ts'
import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError, wholeNumber } from './command.ts'
import { FileError } from './file-error.ts'
import { Progress } from './progress.ts'
import { divergenceLines, explanationLines, messageLines, stateLines, summaryLines } from './replay-report.ts'
import { counted, printable, styleFor } from './style.ts'
import type { FileReplay, FileReplayOptions, Wanted } from './trace-file.ts'
import { replayFile } from './trace-file.ts'

const help = `Usage: vgic replay [options] FILE...

Applies recorded interrupt-controller traffic (plain or gzip; '-' is standard input) to this package's GIC and compares
every read and every change of an output line. Exit status: 0 no divergence, 1 divergences, 2 a file or an option that
cannot be used.

  --limit N              show the first N divergences of a file in full (10)
  --context N            show N events before each (8)
  --stop-at N            stop after event N (from 1, 'out' lines count) and print the state there
  --explain INTID@CPU    say why that interrupt is or is not signalled, at the end or where --stop-at stops; repeatable
  --explain DEVICE:EVENT say where that message of a device goes through the ITS, and why not; decimal or 0x
  --misuse               list what the traffic does wrong: misuse, failed commands of an ITS, interrupts that storm
  --machine OPTIONS      the machine, instead of what the header says: 'virt,gic-version=2 -smp 4'
  --json                 print one JSON object

Examples:
  vgic replay traces/linux-gicv2-smp4.trace.gz
  vgic replay --stop-at 198 --explain 27@0 traces/linux-gicv2-smp4.trace.gz
  vgic replay --explain 0x10:1 traces/linux-gicv3-its-smp4.trace.gz
`

const optionSpecs = {
  json: { type: 'boolean' },
  limit: { type: 'string' },
  context: { type: 'string' },
  'stop-at': { type: 'string' },
  explain: { type: 'string', multiple: true },
  machine: { type: 'string' },
  misuse: { type: 'boolean' },
} as const

/** A number of 32 bits, decimal or hexadecimal; undefined for anything else. */
function word(text: string | undefined): number | undefined {
  const value = text === undefined || !/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number.NaN : Number(text)
  return value <= 0xffff_ffff ? value : undefined
}

function wanted(text: string): Wanted {
  const match = /^([0-9]{1,8})@([0-9]{1,4})$/.exec(text)
  if (match !== null) return { text, intid: Number(match[1]), cpu: Number(match[2]) }
  const [device, event, more] = text.split(':')
  const [deviceId, eventId] = [word(device), word(event)]
  if (deviceId !== undefined && eventId !== undefined && more === undefined) return { text, deviceId, eventId }
  throw new UsageError(
    `--explain wants INTID@CPU, as in 27@0, or DEVICEID:EVENTID, as in 0x10:1, not '${printable(text).slice(0, 60)}'`,
  )
}

function givenMachine(text: string | undefined): MachineDescription | undefined {
  if (text === undefined) return undefined
  try {
    return parseMachine(text)
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(`--machine: ${error.message}`)
    throw error
  }
}

/** A file that was replayed, or why it was not. */
interface Entry {
  file: string
  replay: FileReplay | undefined
  error: string | undefined
}

function printFile(file: string, replay: FileReplay, io: Io): void {
  const style = styleFor(io.out, io.env)
  const { header, result } = replay
  const lines = [`${style.bold(file)}${header.title === '' ? '' : `: ${printable(header.title)}`}`]
  for (const [i, divergence] of result.divergences.entries())
    lines.push('', ...divergenceLines(file, i + 1, divergence, style))
  if (result.divergences.length > 0) lines.push('')
  lines.push(...summaryLines(result, replay.seconds))
  if (replay.state !== undefined) {
    const where =
      result.stoppedAt === undefined
        ? `the trace ended before that, after event ${result.events}`
        : `stopped after event ${result.events}`
    lines.push(`  ${where}:`, ...stateLines(replay.state, style))
  }
  for (const { message, count, event } of replay.misuse)
    lines.push(`  event ${event}: ${printable(message)}${count === 1 ? '' : ` (${counted(count, 'time')})`}`)
  for (const message of replay.messages) lines.push(...messageLines(message, style))
  for (const explanation of replay.explanations) lines.push(...explanationLines(explanation, style))
  const { divergenceCount } = result
  const shown = result.divergences.length
  if (divergenceCount === 0)
    lines.push(replay.error === undefined ? `  ${style.good('no divergence')}` : '  no divergence up to there')
  else {
    const rest = divergenceCount > shown ? `, the first ${shown} above (--limit shows more)` : ''
    lines.push(`  ${style.bad(counted(divergenceCount, 'divergence'))}${rest}`)
  }
  io.out.write(`${lines.join('\n')}\n`)
}

function jsonOf(entry: Entry): unknown {
  const { file, replay, error } = entry
  if (replay === undefined) return { file, error }
  const { header, result, messages, explanations, state, seconds } = replay
  const { divergences, seconds: applying, ...rest } = result
  return {
    file,
    title: header.title,
    ...rest,
    seconds: { total: seconds, applying },
    eventsPerSecond: Math.round(result.events / Math.max(seconds, 1e-6)),
    divergences,
    ...(state === undefined ? {} : { state }),
    ...(entry.replay?.misuse.length ? { misuse: entry.replay.misuse } : {}),
    ...(messages.length === 0 ? {} : { messages }),
    ...(explanations.length === 0 ? {} : { explanations }),
    ...(error === undefined ? {} : { error }),
  }
}

/** A file that is not as long as it says is unusable as evidence of agreement, but a divergence in it stands. */
function statusOf(entry: Entry): ExitStatus {
  const { replay, error } = entry
  if (replay === undefined) return ExitStatus.unusable
  if (error !== undefined && !replay.countDiffers) return ExitStatus.unusable
  if (replay.result.divergenceCount > 0) return ExitStatus.found
  return error === undefined ? ExitStatus.ok : ExitStatus.unusable
}

async function replayOne(file: string, options: FileReplayOptions, io: Io): Promise<Entry> {
  const progress = new Progress(io.err, `replaying ${printable(file)}`)
  try {
    const replay = await replayFile(file, options, io, progress)
    return { file, replay, error: replay.error }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { file, replay: undefined, error: error.message }
  } finally {
    progress.end()
  }
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { values, positionals: files } = parseOptions(args, optionSpecs, 'replay')
  if (files.length === 0) throw new UsageError("replay needs a FILE; 'vgic replay --help' has an example")
  const options: FileReplayOptions = {
    limit: wholeNumber(values.limit, 'limit', 0) ?? 10,
    context: Math.min(wholeNumber(values.context, 'context', 0) ?? 8, 10_000),
    stopAt: wholeNumber(values['stop-at'], 'stop-at', 1),
    explain: (values.explain ?? []).map(wanted),
    machine: givenMachine(values.machine),
    misuse: values.misuse ?? false,
  }
  const entries: Entry[] = []
  let status: ExitStatus = ExitStatus.ok
  for (const file of files) {
    const entry = await replayOne(file, options, io)
    status = Math.max(status, statusOf(entry)) as ExitStatus
    if (values.json === true) entries.push(entry)
    else if (entry.replay !== undefined) printFile(printable(file), entry.replay, io)
    if (entry.error !== undefined) io.err.write(`vgic: ${entry.error}\n`)
  }
  if (values.json === true) {
    const divergences = entries.reduce((sum, entry) => sum + (entry.replay?.result.divergenceCount ?? 0), 0)
    const object = { ok: status === ExitStatus.ok, status, divergences, files: entries.map(jsonOf) }
    io.out.write(`${JSON.stringify(object, null, 2)}\n`)
  }
  return status
}

export const replay: Command = {
  name: 'replay',
  help,
  run,
}
