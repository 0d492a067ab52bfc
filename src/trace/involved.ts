/**
 * Which interrupts an event is about, from its register and value alone: what to explain when the outputs after it are
 * not as recorded. A guess for a reader's benefit; nothing is decided by it.
 */

import type { AccessEvent, SystemRegisterEvent, TraceEvent } from './event.ts'

const most = 3

/** INTIDs named by the bits of a write to a bank of `bits` bits an interrupt, the lowest first. */
function fromBank(event: AccessEvent, start: number, bits: number): number[] {
  const first = Math.floor(((event.offset - start) * 8) / bits)
  const found: number[] = []
  for (let bit = 0; bit < event.size * 8 && found.length < most; bit += bits) {
    const word = bit < 32 ? event.low : event.high
    // One bit names an interrupt by being set; a byte is written for each of them whatever its value.
    if (bits > 1 || ((word >>> (bit % 32)) & 1) === 1) found.push(first + bit / bits)
  }
  return found
}

/** First offset, first offset behind, bits an interrupt: the per-interrupt banks, alike in GICD and in SGI_base. */
const banks: readonly (readonly [number, number, number])[] = [
  [0x080, 0x400, 1],
  [0x400, 0xc00, 8],
  [0xc00, 0xd00, 2],
]

function fromAccess(event: AccessEvent): number[] {
  const inDistributor = event.region === 'gicd'
  const inSgiFrame = event.region === 'gicr' && (event.offset & 0x1_0000) !== 0
  if (event.region === 'gicc') return event.offset === 0x10 || event.offset === 0x1000 ? [event.low & 0x3ff] : []
  if (event.region === 'v2m') return event.offset === 0x40 ? [event.low & 0x3ff] : []
  if (!inDistributor && !inSgiFrame) return []
  if (inDistributor && event.offset === 0xf00) return [event.low & 0xf]
  const offset = inDistributor ? event.offset : event.offset & 0xffff
  for (const [start, end, bits] of banks) {
    if (offset < start || offset >= end) continue
    // Each of ISENABLER, ICENABLER, ... covers 0x80 bytes, each of IPRIORITYR, ITARGETSR 0x400.
    const span = bits === 1 ? 0x80 : 0x400
    return fromBank({ ...event, offset }, start + Math.floor((offset - start) / span) * span, bits)
  }
  return []
}

function fromRegister(event: SystemRegisterEvent): number[] {
  if (/^ICC_A?SGI[01]R_EL1$/.test(event.register)) return [(event.low >>> 24) & 0xf]
  if (/^ICC_(EOIR|DIR|IAR|NMIAR)[01]?_EL1$/.test(event.register)) return [event.low & 0xff_ffff]
  return []
}

/** At most a few INTIDs, special ones (1020 to 1023) among them. */
export function involvedInterrupts(event: TraceEvent, cpu: number, version: 2 | 3): number[] {
  switch (event.kind) {
    case 'irq':
      return event.cpu < 0 || event.cpu === cpu ? [event.intid] : []
    case 'read':
      return event.region === 'gicc' ? [event.low & (version === 2 ? 0x3ff : 0xff_ffff)] : []
    case 'write':
      return fromAccess(event)
    case 'mrs':
    case 'msr':
      return fromRegister(event)
    default:
      return []
  }
}
