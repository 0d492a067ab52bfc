/** The command line of `vgic run`: QEMU's names, checked and turned into numbers. It opens no file. */

import { MOST_MEMORY } from '../machine/board/virt-map.ts'
import type { VirtioSlots } from '../machine/board/virt-options.ts'
import { type LogItem, logItems } from '../machine/guest-errors.ts'
import { parseOptions, UsageError, wholeNumber } from './command.ts'
import { devicesOf, type LoaderOption, legacyOf } from './device-options.ts'
import { checkQemuOptions, cpuCount, qemuSpecs } from './qemu-options.ts'
import { printable } from './style.ts'

export interface DriveOption {
  /** What a --device calls it. */
  readonly id: string | undefined
  readonly file: string
  /** What the guest writes goes into the file; else it is kept in memory and lost, or refused. */
  readonly mode: 'readonly' | 'snapshot' | 'write'
}

export interface RunLimit {
  /** Guest time in seconds, or instructions of all CPUs together. */
  readonly unit: 'seconds' | 'instructions'
  readonly count: number
}

export interface RunOptions {
  readonly kernel: string | undefined
  readonly initrd: string | undefined
  readonly append: string | undefined
  readonly dtb: string | undefined
  readonly bios: string | undefined
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  readonly gic: 2 | 3
  readonly its: boolean
  readonly drives: readonly DriveOption[]
  readonly loaders: readonly LoaderOption[]
  readonly virtioConsole: boolean
  readonly slots: VirtioSlots
  /** Of each drive's disk. */
  readonly serials: readonly (string | undefined)[]
  readonly legacyVirtio: boolean
  readonly trace: string | undefined
  readonly stats: boolean
  /** The line of stats is for a program. */
  readonly json: boolean
  /** What is said of what the guest does wrong, and what the machine has not. */
  readonly log: readonly LogItem[]
  /** Who writes what in the GIC is kept. */
  readonly track: boolean
  /** An ELF file with the names of the guest's code, where the kernel has none. */
  readonly symbols: string | undefined
  /** Where it is said; undefined is standard error. */
  readonly logFile: string | undefined
  readonly limit: RunLimit | undefined
  /** Seconds of the host that the run may take. */
  readonly hostLimit: number | undefined
  /** Seconds since 1970 when the machine starts; undefined is now. */
  readonly epoch: number | undefined
  readonly allowReset: boolean
  readonly clock: 'host' | 'guest' | undefined
  readonly seed: number | undefined
  /** Lines for the monitor when the run is over. */
  readonly ask: readonly string[]
}

/** When a run that is to be the same each time starts, unless --rtc says: 2026-01-01T00:00:00Z. */
export const FIXED_EPOCH = 1_767_225_600

const specs = {
  kernel: { type: 'string' },
  initrd: { type: 'string' },
  append: { type: 'string' },
  dtb: { type: 'string' },
  bios: { type: 'string' },
  smp: { type: 'string' },
  memory: { type: 'string', short: 'm' },
  gic: { type: 'string' },
  its: { type: 'boolean' },
  drive: { type: 'string', multiple: true },
  device: { type: 'string', multiple: true },
  global: { type: 'string', multiple: true },
  trace: { type: 'string' },
  stats: { type: 'boolean' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  track: { type: 'boolean' },
  symbols: { type: 'string' },
  debug: { type: 'string', short: 'd', multiple: true },
  'debug-file': { type: 'string', short: 'D' },
  timeout: { type: 'string' },
  'host-timeout': { type: 'string' },
  rtc: { type: 'string' },
  clock: { type: 'string' },
  seed: { type: 'string' },
  ask: { type: 'string', multiple: true },
  'allow-reset': { type: 'boolean' },
  'no-reboot': { type: 'boolean' },
  ...qemuSpecs,
} as const

/** Options whose value may begin with a dash, as a command line of `-- single` does. */
const anyValue: readonly string[] = ['--append', '--ask']

/** QEMU writes its long options with one dash; both are taken. */
function normalised(args: readonly string[]): string[] {
  const result: string[] = []
  for (const [i, argument] of args.entries()) {
    const before = result[result.length - 1]
    if (i > 0 && before !== undefined && anyValue.includes(before)) result[result.length - 1] = `${before}=${argument}`
    else result.push(/^-[a-z][a-z-]+(=.*)?$/s.test(argument) ? `-${argument}` : argument)
  }
  return result
}

/** @throws UsageError that names the option at fault */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values, positionals } = parseOptions(normalised(args), specs, 'run')
  if (positionals[0] !== undefined)
    throw new UsageError(`run takes no '${printable(positionals[0]).slice(0, 60)}'; --kernel names what is to run`)
  const drives = (values.drive ?? []).map(driveOf)
  const { loaders, virtioConsole, slots, serials } = devicesOf(
    values.device ?? [],
    drives.map(({ id }) => id),
  )
  if (values.kernel === undefined && values.bios === undefined && !loaders.some(({ start }) => start))
    throw new UsageError("run needs --kernel FILE or --bios FILE; 'vgic run --help' has an example")
  if (values['allow-reset'] && values['no-reboot'])
    throw new UsageError('--allow-reset and --no-reboot contradict each other')
  for (const name of ['kernel', 'initrd', 'dtb', 'bios', 'trace', 'debug-file'] as const)
    if (values[name] === '') throw new UsageError(`--${name} wants a FILE`)
  const machine = checkQemuOptions(values)
  const its = values.its ?? machine.its ?? false
  const gic = gicOf(values.gic) ?? machine.gic ?? (its ? 3 : 2)
  if (values.trace !== undefined && values['allow-reset'])
    throw new UsageError('--trace and --allow-reset: a trace is of one life of a machine')
  if (its && gic === 2) throw new UsageError('--its needs --gic 3')
  return {
    kernel: values.kernel,
    initrd: values.initrd,
    append: values.append,
    dtb: values.dtb,
    bios: values.bios,
    cpus: cpusOf(values.smp, gic),
    memory: memoryOf(values.memory),
    gic,
    its,
    drives,
    loaders,
    virtioConsole,
    slots,
    serials,
    legacyVirtio: legacyOf(values.global ?? []),
    trace: values.trace,
    stats: values.stats ?? values.json ?? false,
    json: values.json ?? false,
    log: values.verbose ? logItems : logOf(values.debug ?? []),
    logFile: values['debug-file'],
    track: values.track ?? false,
    symbols: values.symbols,
    limit: limitOf(values.timeout),
    hostLimit: hostLimitOf(values['host-timeout']),
    epoch: epochOf(values.rtc),
    allowReset: values['allow-reset'] ?? false,
    clock: clockOf(values.clock),
    seed: wholeNumber(values.seed, 'seed', 0),
    ask: values.ask ?? [],
  }
}

/** QEMU's `-d guest_errors,unimp`; its other items are of its own inside. */
function logOf(texts: readonly string[]): LogItem[] {
  return texts.flatMap((text) =>
    text.split(',').map((name) => {
      const item = logItems.find((known) => known === name)
      if (item === undefined)
        throw new UsageError(`-d is of ${logItems.join(', ')}, not '${printable(name).slice(0, 60)}'`)
      return item
    }),
  )
}

function gicOf(text: string | undefined): 2 | 3 | undefined {
  if (text === undefined) return undefined
  if (text === '2' || text === '3') return text === '2' ? 2 : 3
  throw new UsageError(`--gic is 2 or 3, not '${printable(text).slice(0, 60)}'`)
}

function cpusOf(text = '1', gic: 2 | 3): number {
  const count = cpuCount(text)
  const most = gic === 2 ? 8 : 64
  const help = count > 8 && count <= 64 ? '; --gic 3 has more' : ''
  if (count < 1 || count > most)
    throw new UsageError(
      `--smp wants 1 to ${most} CPUs with a GICv${gic}, not '${printable(text).slice(0, 60)}'${help}`,
    )
  return count
}

const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** As QEMU has it, a number without a unit is MiB. */
function memoryOf(text = '256M'): number {
  const match = /^(?:size=)?([0-9]{1,10}(?:\.[0-9]{1,6})?)([kKmMgG])?[bB]?$/.exec(text)
  const bytes = Number(match?.[1] ?? 0) * (units[(match?.[2] ?? 'M').toUpperCase()] ?? 0)
  if (bytes < 2 ** 20 || bytes > MOST_MEMORY || bytes % 2 ** 20 !== 0)
    throw new UsageError(
      `--memory wants a whole number of MiB from 1M to 3G, as in 512M, not '${printable(text).slice(0, 60)}'`,
    )
  return bytes
}

/** `FILE`, or QEMU's `file=FILE,readonly=on,snapshot=off,format=raw,if=virtio`. A file is left as it is unless snapshot=off. */
function driveOf(text: string): DriveOption {
  let file: string | undefined
  let id: string | undefined
  let mode: DriveOption['mode'] = 'snapshot'
  for (const [i, part] of text.split(/(?<!,),(?!,)/).entries()) {
    const plain = part.replaceAll(',,', ',')
    const [key, value] = /^([a-z]+)=(.*)$/s.exec(plain)?.slice(1) ?? [plain, '']
    if (key === 'file') file = value
    else if (plain === 'readonly' || (key === 'readonly' && value === 'on')) mode = 'readonly'
    else if (key === 'readonly' && value === 'off') mode = 'snapshot'
    else if (plain === 'snapshot' || (key === 'snapshot' && value === 'on')) mode = 'snapshot'
    else if (plain === 'write' || (key === 'snapshot' && value === 'off')) mode = 'write'
    else if (key === 'id') id = value
    else if ((key === 'format' && value === 'raw') || (key === 'if' && (value === 'virtio' || value === 'none')))
      continue
    else if (i === 0) file = plain
    else
      throw new UsageError(`--drive: '${printable(plain).slice(0, 60)}' is not known; readonly, snapshot and write are`)
  }
  if (file === undefined || file === '') throw new UsageError('--drive wants a FILE')
  return { id, file, mode }
}

const scales: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 }

function limitOf(text: string | undefined): RunLimit | undefined {
  if (text === undefined) return undefined
  const instructions = /^([0-9]{1,15})([kKMG]?)instr$/.exec(text)
  const seconds = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)s?$/.exec(text)
  const count = instructions
    ? Number(instructions[1]) * (scales[instructions[2] ?? ''] ?? 1)
    : Number(seconds?.[1] ?? 0)
  if (!(count > 0) || count > Number.MAX_SAFE_INTEGER)
    throw new UsageError(
      `--timeout wants guest seconds or instructions, as in 10 or 500Minstr, not '${printable(text).slice(0, 60)}'`,
    )
  return { unit: instructions ? 'instructions' : 'seconds', count }
}

function hostLimitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  // More than 11 days do not fit into a timer of the host.
  const seconds = Number(/^([0-9]{1,6}(?:\.[0-9]{1,9})?)s?$/.exec(text)?.[1] ?? 0)
  if (!(seconds > 0))
    throw new UsageError(`--host-timeout wants seconds of the host, as in 60, not '${printable(text).slice(0, 60)}'`)
  return seconds
}

/** QEMU's `base=utc|DATE`, a date, or seconds since 1970. Undefined: not said; 'utc' is the host's time now. */
function epochOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const base = text.replace(/^base=/, '')
  if (base === 'utc') return Math.floor(Date.now() / 1000)
  const date = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2})?$/.test(base)
  const seconds = /^[0-9]{1,10}$/.test(base)
    ? Number(base)
    : date
      ? Date.parse(base.includes('T') ? `${base}Z` : base) / 1000
      : Number.NaN
  if (!(seconds >= 0 && seconds < 2 ** 32))
    throw new UsageError(
      `--rtc wants base=utc or base=2026-01-31T12:00:00, of 1970 to 2106, not '${printable(text).slice(0, 60)}'`,
    )
  return seconds
}

function clockOf(text: string | undefined): 'host' | 'guest' | undefined {
  if (text === undefined || text === 'host' || text === 'guest') return text
  throw new UsageError(`--clock is host or guest, not '${printable(text).slice(0, 60)}'`)
}
