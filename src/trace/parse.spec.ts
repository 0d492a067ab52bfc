/** One line to one event and back: every kind of line in the trace format, and every way to get one wrong. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Region, SecurityState, TraceEvent } from './event.ts'
import { noCpu, TraceError } from './event.ts'
import { formatEvent } from './format.ts'
import { isPpi, parseEvent } from './parse.ts'

/** `npm run test:long` makes it longer. */
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const cpu = fc.integer({ min: 0, max: 511 })
const security = fc.constantFrom<SecurityState>('', 's', 'n')
const level = fc.constantFrom<0 | 1>(0, 1)
const line = fc.integer({ min: 1, max: 1e9 })

const access: fc.Arbitrary<TraceEvent> = fc
  .record({
    kind: fc.constantFrom<'read' | 'write'>('read', 'write'),
    device: fc.boolean(),
    line,
    cpu,
    security,
    region: fc.constantFrom<Region>('gicd', 'gicc', 'v2m', 'gich', 'gicv', 'its', 'itst', 'gicr'),
    offset: fc.integer({ min: 0, max: 0xffff - 8 }),
    size: fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8),
    low: u32,
    high: u32,
    deviceId: u32,
  })
  .map((r) => ({
    kind: r.kind,
    line: r.line,
    cpu: r.kind === 'write' && r.device ? noCpu : r.cpu,
    security: r.kind === 'write' && r.device ? '' : r.security,
    region: r.region,
    offset: r.offset,
    size: r.size,
    low: r.size < 4 ? r.low % 2 ** (8 * r.size) : r.low,
    high: r.size === 8 ? r.high : 0,
    device: r.kind === 'write' && r.region === 'itst' ? r.deviceId : 0,
  }))

const events: fc.Arbitrary<TraceEvent> = fc.oneof(
  access,
  fc.record({
    kind: fc.constantFrom<'mrs' | 'msr'>('mrs', 'msr'),
    line,
    cpu,
    security,
    register: fc.constantFrom('ICC_IAR1_EL1', 'ICC_SGI1R_EL1', 'ICH_LR0_EL2'),
    low: u32,
    high: u32,
  }),
  fc
    .record({
      line,
      intid: fc.oneof(fc.integer({ min: 16, max: 1019 }), fc.integer({ min: 1056, max: 1119 })),
      cpu,
      level,
    })
    .map((r): TraceEvent => ({ kind: 'irq', ...r, cpu: isPpi(r.intid) ? r.cpu : noCpu })),
  fc.record({
    kind: fc.constant<'out'>('out'),
    line,
    cpu,
    signal: fc.constantFrom<'irq' | 'fiq'>('irq', 'fiq'),
    level,
  }),
  fc.record({
    kind: fc.constant<'mem'>('mem'),
    line,
    low: u32,
    high: u32,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  fc.record({ kind: fc.constant<'reset'>('reset'), line, cpu }),
)

describe('a line of a trace', () => {
  it('is read back to the event that it was written from, whatever the event', () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(parseEvent(formatEvent(event), event.line)).toEqual(event)
      }),
      { numRuns: 600 * times },
    )
  })

  it.each([
    ['0 R gicd 0x4 4 0x68', { kind: 'read', cpu: 0, region: 'gicd', offset: 4, size: 4, low: 0x68, high: 0 }],
    ['3 W gicc 0x10 4 0x1b', { kind: 'write', cpu: 3, region: 'gicc', offset: 0x10, low: 0x1b }],
    ['1 R gicr 0x20008 8 0x101000101', { low: 0x0100_0101, high: 1, size: 8 }],
    ['0 W gicr 0x70 8 0xffffffffffffffff', { low: 0xffff_ffff, high: 0xffff_ffff }],
    ['- W v2m 0x40 4 0x51', { kind: 'write', cpu: noCpu, region: 'v2m', low: 0x51 }],
    ['- W itst 0x40 4 0x1 0x8', { kind: 'write', cpu: noCpu, region: 'itst', low: 1, device: 8 }],
    ['0s R gicc 0xc 4 0x3ff', { cpu: 0, security: 's' }],
    ['12n W gicd 0x0 4 0x1', { cpu: 12, security: 'n' }],
    ['0 MRS ICC_IAR1_EL1 0x1b', { kind: 'mrs', cpu: 0, register: 'ICC_IAR1_EL1', low: 0x1b }],
    ['2 MSR ICC_SGI1R_EL1 0x1000001', { kind: 'msr', cpu: 2, register: 'ICC_SGI1R_EL1', low: 0x0100_0001 }],
    ['irq 33 - 1', { kind: 'irq', intid: 33, cpu: noCpu, level: 1 }],
    ['irq 27 3 0', { kind: 'irq', intid: 27, cpu: 3, level: 0 }],
    ['out 1 fiq 1', { kind: 'out', cpu: 1, signal: 'fiq', level: 1 }],
    ['mem 0x42590000 09ff', { kind: 'mem', low: 0x4259_0000, bytes: new Uint8Array([9, 0xff]) }],
    ['reset 2', { kind: 'reset', cpu: 2 }],
    ['0 W gicd 4 4 104', { offset: 4, low: 104 }],
    ['0 R its 0x8 8 18446744073709551615', { low: 0xffff_ffff, high: 0xffff_ffff }],
  ])('%s', (text, expected) => {
    expect(parseEvent(text, 7)).toMatchObject({ line: 7, ...expected })
  })

  it.each([
    ['', 'not an event'],
    ['0', 'not an event'],
    ['hello world', 'not an event'],
    ['0 constructor gicd 0x0 4 0x0', 'not an event'],
    ['\u0000\u0000\u0001', "'\\x00\\x00\\x01' is not an event"],
    ['-1 R gicd 0x0 4 0x0', 'CPU number'],
    ['512 R gicd 0x0 4 0x0', 'not below 512'],
    ['99999999999999999999999 R gicd 0x0 4 0x0', 'is not a number'],
    ['s R gicd 0x0 4 0x0', 'CPU number'],
    ['0x R gicd 0x0 4 0x0', 'CPU number'],
    ['1.5 R gicd 0x0 4 0x0', 'CPU number'],
    ['- R gicd 0x0 4 0x0', 'a read needs a CPU'],
    ['- MRS ICC_IAR1_EL1 0x0', 'needs a CPU'],
    ['0 R gicx 0x0 4 0x0', 'unknown region'],
    ['0 R __proto__ 0x0 4 0x0', 'unknown region'],
    ['0 R gicd 0x0 3 0x0', '1, 2, 4 and 8'],
    ['0 R gicd 0x0 16 0x0', '1, 2, 4 and 8'],
    ['0 R gicd 0x0', '1, 2, 4 and 8'],
    ['0 R gicd 0x10000 4 0x0', 'outside the region gicd'],
    ['0 R gicd 0xfffe 4 0x0', 'outside the region gicd'],
    ['0 R gicd -4 4 0x0', "offset '-4' is not a number"],
    ['0 R gicd 0xffffffffffffffff 4 0x0', 'not below'],
    ['0 R gicd 0x0 4', 'the value is missing'],
    ['0 R gicd 0x0 4 0x100000000', 'does not fit in 4 bytes'],
    ['0 R gicd 0x0 1 256', 'does not fit in 1 byte'],
    ['0 R gicd 0x0 8 0x10000000000000000', 'is not a number'],
    ['0 R its 0x0 8 18446744073709551616', 'is not a number'],
    ['0 R gicd 0x0 4 0x', 'is not a number'],
    ['0 R gicd 0x0 4 0xzz', 'is not a number'],
    ['0 R gicd 0x0 4 1e3', 'is not a number'],
    ['0 R gicd 0x0 4 0x0 0x0', 'one field too many'],
    ['0 W gicd 0x0 4 0x0 0x0', 'one field too many'],
    ['0 W itst 0x40 4 0x0 0x0 0x0', 'one field too many'],
    ['0 MRS icc_iar1 0x0', 'system register'],
    ['0 MRS ICC_IAR1_EL1', 'the value is missing'],
    ['irq 27 - 1', 'is a PPI'],
    ['irq 33 0 1', 'is an SPI'],
    ['irq 3 0 1', 'no input wire'],
    ['irq 1020 - 1', 'no input wire'],
    ['irq 33 - 2', 'not 0 or 1'],
    ['irq 33 -', 'the level is missing'],
    ['irq 33 - 1 1', 'one field too many'],
    ['out 0 nmi 1', 'not an output'],
    ['out - irq 1', 'CPU number'],
    ['mem 0x0 123', 'bytes in hexadecimal'],
    ['mem 0x0', 'bytes in hexadecimal'],
    ['mem 0x0 xx', 'bytes in hexadecimal'],
    ['reset', 'the CPU number is missing'],
    ['reset 1 1', 'one field too many'],
  ])('%j is refused: %s', (text, reason) => {
    let caught: unknown
    try {
      parseEvent(text, 1234)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(TraceError)
    expect((caught as TraceError).line).toBe(1234)
    expect((caught as TraceError).message).toContain(reason)
  })

  it('is refused in one short printable line, whatever it holds', () => {
    // Any UTF-16 code units, halves of surrogate pairs among them.
    const anything = fc.array(fc.nat(0xffff), { maxLength: 300 }).map((units) => String.fromCharCode(...units))
    const refuse = (text: string) => {
      try {
        parseEvent(text, 1)
      } catch (error) {
        expect(error).toBeInstanceOf(TraceError)
        expect((error as TraceError).message).toMatch(/^[\x20-\x7e…]{1,300}$/)
      }
    }
    fc.assert(fc.property(anything, refuse), { numRuns: 250 * times })
    for (const long of ['0 R ', 'irq ', '0 R gicd 0x0 4 ', 'mem 0x0 ', '\u0000', 'é']) refuse(long.repeat(10_000))
  })
})
