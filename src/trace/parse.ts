/**
 * One line of a trace to one event. Checks the form and what holds on every machine (sizes, widths, kinds of INTID);
 * what depends on the machine (how many CPUs, how many INTIDs) is checked where the event meets it.
 */

import type { AccessSize, Region, SecurityState, TraceEvent } from './event.ts'
import { noCpu, quote, TraceError } from './event.ts'

/** No interrupt controller here has more PEs. */
const maxCpus = 512
/** INTIDs are 24 bits wide at most (IHI 0069, 2.2). */
const maxIntid = 0xff_ffff

/** How many bytes each region covers; a redistributor region is as long as the machine has PEs, two frames of 128 KiB each at most. */
const regionBytes: Readonly<Record<Region, number>> = {
  gicd: 0x1_0000,
  gicc: 0x1_0000,
  v2m: 0x1_0000,
  gich: 0x1_0000,
  gicv: 0x1_0000,
  its: 0x1_0000,
  itst: 0x1_0000,
  gicr: maxCpus * 0x4_0000,
}

/** Where {@link parse64} leaves its result, so that a number costs no object. */
const number64 = { low: 0, high: 0 }

/** Reads `0x` hexadecimal or decimal digits of at most 64 bits into {@link number64}. */
function parse64(token: string): boolean {
  if (token.startsWith('0x') || token.startsWith('0X')) {
    const digits = token.length - 2
    if (digits < 1 || digits > 16 || !isHex(token, 2)) return false
    const split = Math.max(2, token.length - 8)
    number64.low = Number.parseInt(token.slice(split), 16)
    number64.high = split > 2 ? Number.parseInt(token.slice(2, split), 16) : 0
    return true
  }
  if (token.length < 1 || token.length > 20 || !isDecimal(token)) return false
  if (token.length < 16) {
    const value = Number(token)
    number64.low = value % 0x1_0000_0000
    number64.high = Math.floor(value / 0x1_0000_0000)
    return true
  }
  const value = BigInt(token)
  if (value >> 64n !== 0n) return false
  number64.low = Number(value & 0xffff_ffffn)
  number64.high = Number(value >> 32n)
  return true
}

function isHex(token: string, from: number): boolean {
  for (let i = from; i < token.length; i++) {
    const c = token.charCodeAt(i)
    if (!((c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46))) return false
  }
  return true
}

function isDecimal(token: string): boolean {
  for (let i = 0; i < token.length; i++) {
    const c = token.charCodeAt(i)
    if (c < 0x30 || c > 0x39) return false
  }
  return true
}

function value(token: string | undefined, what: string, line: number, bytes = 8): void {
  if (token === undefined) throw new TraceError(line, `the ${what} is missing`)
  if (!parse64(token)) throw new TraceError(line, `the ${what} ${quote(token)} is not a number of 64 bits or fewer`)
  const fits = bytes === 8 || (number64.high === 0 && number64.low < 2 ** (8 * bytes))
  if (!fits)
    throw new TraceError(line, `the ${what} ${quote(token)} does not fit in ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`)
}

function small(token: string | undefined, what: string, line: number, limit: number): number {
  value(token, what, line)
  if (number64.high !== 0 || number64.low >= limit) {
    throw new TraceError(line, `the ${what} ${quote(token ?? '')} is not below ${limit}`)
  }
  return number64.low
}

function cpuNumber(token: string | undefined, line: number): number {
  return small(token, 'CPU number', line, maxCpus)
}

function level(token: string | undefined, line: number): 0 | 1 {
  if (token === '0') return 0
  if (token === '1') return 1
  throw new TraceError(line, token === undefined ? 'the level is missing' : `the level is ${quote(token)}, not 0 or 1`)
}

function end(tokens: readonly string[], count: number, line: number): void {
  const extra = tokens[count]
  if (extra !== undefined) throw new TraceError(line, `${quote(extra)} is one field too many`)
}

function isRegion(name: string): name is Region {
  return Object.hasOwn(regionBytes, name)
}

const sizes: Readonly<Record<string, AccessSize>> = { '1': 1, '2': 2, '4': 4, '8': 8 }

function access(
  kind: 'read' | 'write',
  cpu: number,
  security: SecurityState,
  t: readonly string[],
  line: number,
): TraceEvent {
  const region = t[2] ?? ''
  if (!isRegion(region)) {
    throw new TraceError(line, `unknown region ${quote(region)}; known are ${Object.keys(regionBytes).join(', ')}`)
  }
  const sizeToken = t[4] ?? ''
  const offset = small(t[3], 'offset', line, 2 ** 32)
  const size = Object.hasOwn(sizes, sizeToken) ? sizes[sizeToken] : undefined
  if (size === undefined) throw new TraceError(line, `an access of ${quote(sizeToken)} bytes; 1, 2, 4 and 8 exist`)
  if (offset + size > regionBytes[region]) {
    throw new TraceError(
      line,
      `offset ${quote(t[3] ?? '')} is outside the region ${region} of 0x${regionBytes[region].toString(16)} bytes`,
    )
  }
  if (cpu === noCpu && kind === 'read') throw new TraceError(line, "a read needs a CPU; only writes have '-'")
  let device = 0
  const withDevice = kind === 'write' && region === 'itst' && t.length > 6
  if (withDevice) device = small(t[6], 'DeviceID', line, 2 ** 32)
  value(t[5], 'value', line, size)
  end(t, withDevice ? 7 : 6, line)
  return { kind, line, cpu, security, region, offset, size, low: number64.low, high: number64.high, device }
}

/** Names of system registers are the architecture's: capitals, digits and underscores. */
const registerName = /^[A-Z][A-Z0-9_]{0,31}$/

function systemRegister(
  kind: 'mrs' | 'msr',
  cpu: number,
  security: SecurityState,
  t: readonly string[],
  line: number,
): TraceEvent {
  if (cpu === noCpu) throw new TraceError(line, 'a system register access needs a CPU')
  const register = t[2] ?? ''
  if (!registerName.test(register)) throw new TraceError(line, `${quote(register)} is not a system register's name`)
  value(t[3], 'value', line)
  end(t, 4, line)
  return { kind, line, cpu, security, register, low: number64.low, high: number64.high }
}

/** Whether each PE has an INTID of this number to itself, with a wire of its own (IHI 0069, table 2-1). */
export function isPpi(intid: number): boolean {
  return (intid >= 16 && intid < 32) || (intid >= 1056 && intid < 1120)
}

/** Whether this is the number of a shared peripheral interrupt (IHI 0069, table 2-1). */
export function isSpi(intid: number): boolean {
  return (intid >= 32 && intid < 1020) || (intid >= 4096 && intid < 5120)
}

function input(t: readonly string[], line: number): TraceEvent {
  const intid = small(t[1], 'INTID', line, maxIntid + 1)
  const cpu = t[2] === '-' ? noCpu : cpuNumber(t[2], line)
  if (isPpi(intid)) {
    if (cpu === noCpu) throw new TraceError(line, `INTID ${intid} is a PPI: it needs the CPU that owns the wire`)
  } else if (isSpi(intid)) {
    if (cpu !== noCpu) throw new TraceError(line, `INTID ${intid} is an SPI: its CPU field is '-'`)
  } else {
    throw new TraceError(line, `INTID ${intid} has no input wire: it is neither a PPI nor an SPI`)
  }
  const event: TraceEvent = { kind: 'irq', line, intid, cpu, level: level(t[3], line) }
  end(t, 4, line)
  return event
}

function output(t: readonly string[], line: number): TraceEvent {
  const cpu = cpuNumber(t[1], line)
  const signal = t[2]
  if (signal !== 'irq' && signal !== 'fiq') {
    throw new TraceError(line, `${quote(signal ?? '')} is not an output; 'irq' and 'fiq' are`)
  }
  const event: TraceEvent = { kind: 'out', line, cpu, signal, level: level(t[3], line) }
  end(t, 4, line)
  return event
}

function memory(t: readonly string[], line: number): TraceEvent {
  value(t[1], 'address', line)
  const { low, high } = number64
  const hex = t[2] ?? ''
  if (hex.length === 0 || hex.length % 2 !== 0 || !isHex(hex, 0)) {
    throw new TraceError(line, `${quote(hex)} is not a string of bytes in hexadecimal`)
  }
  end(t, 3, line)
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return { kind: 'mem', line, low, high, bytes }
}

function reset(t: readonly string[], line: number): TraceEvent {
  const cpu = cpuNumber(t[1], line)
  end(t, 2, line)
  return { kind: 'reset', line, cpu }
}

const verbs: Readonly<Record<string, 'read' | 'write' | 'mrs' | 'msr'>> = {
  R: 'read',
  W: 'write',
  MRS: 'mrs',
  MSR: 'msr',
}

/**
 * The event that a line describes.
 * @param text the line without its end
 * @param line its number in the file, which the event and any error carry
 * @throws TraceError when it describes none
 */
export function parseEvent(text: string, line: number): TraceEvent {
  const tokens = text.split(' ')
  const first = tokens[0] ?? ''
  switch (first) {
    case 'irq':
      return input(tokens, line)
    case 'out':
      return output(tokens, line)
    case 'mem':
      return memory(tokens, line)
    case 'reset':
      return reset(tokens, line)
  }
  const verb = tokens[1]
  const kind = verb !== undefined && Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (kind === undefined) throw new TraceError(line, `${quote(text)} is not an event`)
  const last = first.charAt(first.length - 1)
  const security = last === 's' || last === 'n' ? last : ''
  const cpu = first === '-' ? noCpu : cpuNumber(security === '' ? first : first.slice(0, -1), line)
  return kind === 'read' || kind === 'write'
    ? access(kind, cpu, security, tokens, line)
    : systemRegister(kind, cpu, security, tokens, line)
}
