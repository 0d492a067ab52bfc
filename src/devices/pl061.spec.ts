/** The PL061 against its manual (DDI 0190), and as the board's power button. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentPolicy } from '../mmio/index.ts'
import { Pl061, type Pl061State } from './pl061.ts'
import { cpu0, onBus } from './testing/on-bus.ts'

const [DIR, IS, IBE, IEV, IE, RIS, MIS, IC, AFSEL] = [
  0x400, 0x404, 0x408, 0x40c, 0x410, 0x414, 0x418, 0x41c, 0x420,
] as const
const ALL = 0x3fc

function setUp() {
  const levels: boolean[] = []
  const outputs: string[] = []
  const gpio = new Pl061({
    interrupt: (level) => levels.push(level),
    output: (value, driven) => outputs.push(`${value.toString(2)} of ${driven.toString(2)}`),
  })
  return { gpio, levels, outputs, ...onBus(gpio.frame) }
}

describe('PL061', () => {
  it('identifies itself as PL061 of Arm', () => {
    const { read } = setUp()
    expect(Array.from({ length: 8 }, (_, i) => read(0xfe0 + i * 4))).toEqual([
      0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1,
    ])
  })

  it('is all inputs after reset, and its registers hold 8 bits', () => {
    const { read, write } = setUp()
    for (const offset of [DIR, IS, IBE, IEV, IE, AFSEL]) {
      expect(read(offset)).toBe(0)
      write(offset, 0xfff)
      expect(read(offset), `offset ${offset}`).toBe(0xff)
    }
    expect(() => write(RIS, 1)).toThrow(/mode/)
    expect(() => read(IC)).toThrow(/mode/)
  })

  it('masks GPIODATA by the address bits [9:2], for reads and for writes (DDI 0190 3.3.1)', () => {
    const { gpio, read, write } = setUp()
    write(DIR, 0x0f)
    write(ALL, 0xff)
    gpio.setInput(7, true)
    expect([read(ALL), read(0x81 << 2), read(0)]).toEqual([0x8f, 0x81, 0])
    write(0x0c << 2, 0x05)
    expect(read(ALL)).toBe(0x87)
    write(0, 0xff)
    expect(read(ALL)).toBe(0x87)
  })

  it('drives outputs only, and tells of changes only', () => {
    const { gpio, write, outputs } = setUp()
    write(ALL, 0xff)
    expect(outputs).toEqual([])
    write(DIR, 3)
    write(ALL, 2)
    write(ALL, 2)
    gpio.setInput(0, true)
    expect(outputs).toEqual(['0 of 11', '10 of 11'])
  })

  it.each([
    ['a rising edge', 1, 0, [0, 1, 1, 1, 0, 0, 1]],
    ['a falling edge', 0, 0, [0, 0, 1, 1, 0, 0, 0]],
    ['both edges', 0, 1, [0, 1, 1, 1, 0, 0, 1]],
  ])('latches %s until GPIOIC', (_, rising, both, expected) => {
    const { gpio, read, write } = setUp()
    write(IEV, rising << 4)
    write(IBE, both << 4)
    const seen = [read(RIS) >>> 4]
    const look = () => seen.push(read(RIS) >>> 4)
    gpio.setInput(4, true)
    look()
    gpio.setInput(4, false)
    look()
    gpio.setInput(4, false)
    look()
    write(IC, 0x10)
    look()
    gpio.setInput(3, false)
    look()
    gpio.setInput(4, true)
    look()
    expect(seen).toEqual(expected)
  })

  it('follows a level, high or low, which GPIOIC does not clear', () => {
    const { gpio, read, write, levels } = setUp()
    write(IEV, 0x01)
    write(IS, 0x03)
    write(IE, 0x03)
    expect([read(RIS), levels]).toEqual([0x02, [true]])
    write(IC, 0xff)
    gpio.setInput(1, true)
    expect([read(RIS), levels]).toEqual([0, [true, false]])
    gpio.setInput(0, true)
    write(IC, 0xff)
    expect([read(RIS), read(MIS), levels]).toEqual([1, 1, [true, false, true]])
  })

  it('has one interrupt for the pins that GPIOIE lets through', () => {
    const { gpio, read, write, levels } = setUp()
    write(IEV, 0xff)
    write(IE, 0x08)
    gpio.setInput(2, true)
    expect([read(RIS), read(MIS), levels]).toEqual([4, 0, []])
    gpio.setInput(3, true)
    expect([read(RIS), read(MIS), levels]).toEqual([12, 8, [true]])
    write(IC, 8, 1)
    expect(levels).toEqual([true, false])
  })

  it('is a power button at pin 3: Linux sets both edges and gets one for each', () => {
    const { gpio, write, levels } = setUp()
    write(IBE, 8)
    write(IE, 8)
    for (const level of [true, false]) {
      gpio.setInput(3, level)
      write(IC, 8)
    }
    expect(levels).toEqual([true, false, true, false])
  })

  it.each([-1, 8, 0.5, Number.NaN])('has no pin %d', (pin) => {
    expect(() => setUp().gpio.setInput(pin, true)).toThrow(/no pin/)
  })

  it('peeks without an effect and restores to the same, under any use', () => {
    const step = fc.oneof(
      fc.record({
        offset: fc.nat({ max: 0x107 }).map((n) => (n > 0xff ? 0x400 + (n & 7) * 4 : n * 4)),
        value: fc.nat({ max: 255 }),
      }),
      fc.record({ pin: fc.nat({ max: 7 }), level: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const gpio = new Pl061()
        const { read, write } = onBus(gpio.frame, 0x1000, silentPolicy)
        for (const step of steps) {
          if ('pin' in step) gpio.setInput(step.pin, step.level)
          else write(step.offset, step.value)
        }
        const saved = gpio.snapshot()
        for (let offset = 0; offset < 0x1000; offset += 4) gpio.frame.peek(offset, 4, cpu0)
        expect(gpio.snapshot()).toEqual(saved)
        expect(gpio.interrupt.level).toBe(read(MIS) !== 0)
        const other = new Pl061()
        other.restore(JSON.parse(JSON.stringify(saved)))
        expect([other.snapshot(), other.interrupt.level, other.levels]).toEqual([
          saved,
          gpio.interrupt.level,
          gpio.levels,
        ])
      }),
    )
  })

  it('refuses to restore what is no state of it', () => {
    const good: Pl061State = setUp().gpio.snapshot()
    expect(() => setUp().gpio.restore({ ...good, data: 256 })).toThrow(/data must be a whole number from 0 to 255/)
    expect(() => setUp().gpio.restore({ ...good, pins: 8 })).toThrow(/unknown key "pins"/)
  })

  it('is as new after a reset, but for the levels that the board puts on it', () => {
    const { gpio, write, levels } = setUp()
    gpio.setInput(1, true)
    write(DIR, 4)
    write(ALL, 4)
    write(IS, 0xff)
    write(IE, 0xff)
    gpio.reset()
    expect(gpio.snapshot()).toEqual({ ...setUp().gpio.snapshot(), inputs: 2 })
    expect(levels).toEqual([true, false])
  })
})
