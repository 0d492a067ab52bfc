/**
 * The header of a trace: the machine that it was recorded on, as options of the QEMU command line.
 * Reads and writes what an interrupt controller needs to know; every other option is let pass.
 */

import { quote, TraceError } from './event.ts'

/** The machine that a trace belongs to: QEMU's `virt` board with these options. */
export interface MachineDescription {
  /** The architecture of its interrupt controller. */
  version: 2 | 3
  /** PEs. */
  cpus: number
  /** INTIDs of SGIs, PPIs and SPIs together. */
  intids: number
  /** Implemented bits of a priority in the CPU interface. */
  priorityBits: number
  /** An ITS, and with it LPIs. */
  its: boolean
  /** Two Security states. */
  secure: boolean
  /** EL2, and with it the virtual CPU interface. */
  virtualization: boolean
  /**
   * A Redistributor whose PE sleeps (GICR_WAKER) forwards nothing: so on this package's machine, and not on QEMU's, whose header
   * says nothing of it.
   */
  sleep: boolean
  /** As QEMU calls it. */
  cpuModel: string
  /** RAM, in MiB. */
  memoryMiB: number
}

/** What a trace says of itself before its events. */
export interface TraceHeader {
  /** The first line, without its mark: what was recorded. */
  title: string
  /** The machine that was recorded; undefined where the trace does not say. */
  machine: MachineDescription | undefined
  /** How many lines of events the file says it has. */
  events: number | undefined
}

const spiCount = 256

type Options = Map<string, string>

/** Splits `virt,gic-version=2` into its first word and its properties. A property named twice keeps both only if they agree. */
function properties(text: string, key: string, line: number): Options {
  const found: Options = new Map()
  for (const part of text.split(',')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const name = at < 0 ? (found.has(key) ? part : key) : part.slice(0, at)
    const value = at < 0 ? (name === key ? part : 'on') : part.slice(at + 1)
    const before = found.get(name)
    if (before !== undefined && before !== value) {
      throw new TraceError(
        line,
        `the machine contradicts itself: ${quote(`${name}=${before}`)} and ${quote(`${name}=${value}`)}`,
      )
    }
    found.set(name, value)
  }
  return found
}

function flag(options: Options, name: string, fallback: boolean, line: number): boolean {
  const value = options.get(name)
  if (value === undefined) return fallback
  if (value === 'on' || value === 'true' || value === 'yes') return true
  if (value === 'off' || value === 'false' || value === 'no') return false
  throw new TraceError(line, `the machine's ${name} is ${quote(value)}, not on or off`)
}

function gicVersion(options: Options, virtualization: boolean, line: number): 2 | 3 {
  // What QEMU's virt board takes when it is not told, and what 'max' stands for without hardware assistance.
  const value = options.get('gic-version') ?? '2'
  if (value === '2') return 2
  if (value === '3' || (value === 'max' && !virtualization)) return 3
  if (value === '4' || value === 'max')
    throw new TraceError(
      line,
      `the machine has gic-version ${quote(value)}, ${value === 'max' ? 'with EL2 ' : ''}a GICv4, whose virtual LPIs are not modelled; 2 and 3 are modelled`,
    )
  throw new TraceError(line, `the machine has gic-version ${quote(value)}; 2 and 3 are modelled`)
}

function count(text: string, what: string, line: number, limit: number): number {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > limit)
    throw new TraceError(line, `the machine has ${quote(text)} ${what}; 1 to ${limit} are possible`)
  return value
}

function memory(text: string, line: number): number {
  const match = /^([0-9]{1,12})([KMGTkmgt]?)i?[Bb]?$/.exec(text)
  const unit: Readonly<Record<string, number>> = { '': 1, K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 }
  const scale = unit[(match?.[2] ?? '').toUpperCase()]
  if (match?.[1] === undefined || scale === undefined)
    throw new TraceError(line, `${quote(text)} is not an amount of memory`)
  return Number(match[1]) * scale
}

const meanings: Readonly<Record<string, string>> = {
  '-machine': 'machine',
  '-M': 'machine',
  '--machine': 'machine',
  '-cpu': 'cpu',
  '--cpu': 'cpu',
  '-smp': 'smp',
  '--smp': 'smp',
  '-m': 'memory',
  '--memory': 'memory',
}

/**
 * The machine that options describe, as in `-machine virt,gic-version=2 -cpu cortex-a57 -smp 4 -m 512`.
 * @param line the line of the file it came from, for the error; 0 when it came from elsewhere
 * @throws TraceError when no such machine is possible, or none that is modelled
 */
export function parseMachine(text: string, line = 0): MachineDescription {
  const words = text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const given: Options = new Map()
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const meaning = Object.hasOwn(meanings, word) ? meanings[word] : undefined
    if (meaning === undefined) continue
    const value = words[i + 1]
    if (value === undefined || value.startsWith('-')) throw new TraceError(line, `${quote(word)} needs a value`)
    const before = given.get(meaning)
    if (before !== undefined && before !== value) {
      throw new TraceError(
        line,
        `the machine contradicts itself: ${quote(`${word} ${before}`)} and ${quote(`${word} ${value}`)}`,
      )
    }
    given.set(meaning, value)
    i++
  }
  // 'virt,gic-version=2 -smp 4' names it as well, without the option's own name.
  const bare = words[0]?.startsWith('-') === false ? words[0] : ''
  const board = properties(given.get('machine') ?? bare, 'type', line)
  const type = board.get('type')
  if (type === undefined)
    throw new TraceError(line, "the machine is not named; '-machine virt,gic-version=2 -smp 4' would")
  if (!/^virt(-[0-9.]+)?$/.test(type)) throw new TraceError(line, `the machine is ${quote(type)}; only 'virt' is known`)
  const virtualization = flag(board, 'virtualization', false, line)
  const version = gicVersion(board, virtualization, line)
  // Boards up to virt-7.0 have all 8 priority bits in the CPU interface of any PE, as QEMU had them once.
  const old = /^virt-([0-6]\.[0-9]+|7\.0)$/.test(type)
  const cpus = count(
    properties(given.get('smp') ?? '1', 'cpus', line).get('cpus') ?? '1',
    'CPUs',
    line,
    version === 2 ? 8 : 512,
  )
  return {
    version,
    cpus,
    intids: 32 + spiCount,
    priorityBits: version === 2 || old ? 8 : 5,
    its: flag(board, 'its', true, line) && version === 3,
    secure: flag(board, 'secure', false, line),
    virtualization,
    sleep: version === 3 && flag(board, 'gicr-sleep', false, line),
    cpuModel: (given.get('cpu') ?? 'cortex-a15').split(',')[0] ?? '',
    memoryMiB: memory(properties(given.get('memory') ?? '128', 'size', line).get('size') ?? '128', line),
  }
}

/** The options that {@link parseMachine} reads back to the same description. */
export function formatMachine(machine: MachineDescription): string {
  const old = machine.version === 3 && machine.priorityBits === 8
  let board = `${old ? 'virt-7.0' : 'virt'},gic-version=${machine.version}`
  if (machine.version === 3) board += machine.its ? ',its=on' : ',its=off'
  if (machine.secure) board += ',secure=on'
  if (machine.virtualization) board += ',virtualization=on'
  if (machine.sleep) board += ',gicr-sleep=on'
  return `-machine ${board} -cpu ${machine.cpuModel} -smp ${machine.cpus} -m ${machine.memoryMiB}`
}

/** A header while its lines come in. */
export function emptyHeader(): TraceHeader {
  return { title: '', machine: undefined, events: undefined }
}

/**
 * Takes a line that starts with `#`.
 * @throws TraceError when it names a machine that is impossible, not modelled, or another than before
 */
export function takeHeaderLine(header: TraceHeader, text: string, line: number): void {
  const body = text.replace(/^#+\s*/, '').trimEnd()
  const machine = /^machine:\s*(.*)$/.exec(body)?.[1]
  if (machine !== undefined) {
    const description = parseMachine(machine, line)
    if (header.machine !== undefined && formatMachine(header.machine) !== formatMachine(description)) {
      throw new TraceError(line, 'the header names two different machines')
    }
    header.machine = description
    return
  }
  const events = /^events:\s*([0-9]{1,15})$/.exec(body)?.[1]
  if (events !== undefined) header.events = Number(events)
  else if (header.title === '') header.title = body.slice(0, 200).replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
}
