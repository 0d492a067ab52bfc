/** The PL031 against its manual (DDI 0224), with a clock in the hand of the test. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentPolicy } from '../mmio/index.ts'
import { Pl031, type Pl031State } from './pl031.ts'
import { SavedStateError } from './saved-state.ts'
import { cpu0, onBus } from './testing/on-bus.ts'

const [DR, MR, LR, CR, IMSC, RIS, MIS, ICR] = [0x00, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x1c] as const

function setUp(start = 1_800_000_000) {
  const clock = { now: start }
  const levels: boolean[] = []
  const rtc = new Pl031({ now: () => clock.now, interrupt: (level) => levels.push(level) })
  return { clock, levels, rtc, ...onBus(rtc.frame) }
}

describe('PL031', () => {
  it('identifies itself as PL031 of Arm, in the revision on the board of QEMU (DDI 0224 3.3.9 and 3.3.10)', () => {
    const { read } = setUp()
    for (const size of [1, 2, 4] as const)
      expect(Array.from({ length: 8 }, (_, i) => read(0xfe0 + i * 4, size))).toEqual([
        0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1,
      ])
  })

  it("shows the machine's whole seconds, and all 32 bits of them", () => {
    const { clock, read } = setUp()
    expect(read(DR)).toBe(1_800_000_000)
    clock.now += 0.999
    expect(read(DR)).toBe(1_800_000_000)
    clock.now += 0.001
    expect(read(DR)).toBe(1_800_000_001)
    clock.now = 2 ** 32 - 1
    expect(read(DR)).toBe(0xffff_ffff)
    clock.now++
    expect(read(DR)).toBe(0)
  })

  it('counts on from a loaded value, and RTCLR reads back as loaded', () => {
    const { clock, read, write } = setUp()
    for (const value of [100, 0xffff_fff0, 0]) {
      write(LR, value)
      clock.now += 7
      expect([read(DR), read(LR)]).toEqual([(value + 7) % 2 ** 32, value])
    }
  })

  it('runs from reset on, and cannot be stopped', () => {
    const { clock, read, write } = setUp()
    expect(read(CR)).toBe(1)
    write(CR, 0)
    clock.now++
    expect([read(CR), read(DR)]).toEqual([1, 1_800_000_001])
  })

  it('raises its interrupt in the second of the match, not before, and tells the machine when that is', () => {
    const { clock, rtc, levels, read, write } = setUp()
    write(MR, 1_800_000_010)
    expect(rtc.nextAlarm).toBeUndefined()
    write(IMSC, 1)
    expect(rtc.nextAlarm).toBe(1_800_000_010)
    clock.now = 1_800_000_009.9
    rtc.update()
    expect([read(RIS), levels]).toEqual([0, []])
    clock.now = rtc.nextAlarm!
    rtc.update()
    expect([read(RIS), read(MIS), levels, rtc.nextAlarm]).toEqual([1, 1, [true], undefined])
    write(ICR, 1)
    expect([read(RIS), read(MIS), levels]).toEqual([0, 0, [true, false]])
    expect(rtc.nextAlarm).toBe(1_800_000_010 + 2 ** 32)
  })

  it('does not miss a match that the machine comes late for', () => {
    const { clock, rtc, read, write, levels } = setUp()
    write(MR, 1_800_000_010)
    write(IMSC, 1)
    clock.now += 1000
    expect(read(MIS)).toBe(1)
    expect(levels).toEqual([true])
    clock.now += 3 * 2 ** 32
    write(ICR, 1)
    expect(levels).toEqual([true, false])
    expect(rtc.nextAlarm! - clock.now).toBe(2 ** 32 - 990)
  })

  it('matches at once when the present second is written, and in 2^32 seconds less one when the last one is', () => {
    const { clock, rtc, read, write } = setUp()
    write(IMSC, 1)
    write(MR, clock.now - 1)
    expect([read(RIS), rtc.nextAlarm]).toEqual([0, clock.now - 1 + 2 ** 32])
    write(MR, clock.now)
    expect(read(RIS)).toBe(1)
  })

  it('takes a load into account for the alarm that is set', () => {
    const { clock, rtc, read, write } = setUp()
    write(IMSC, 1)
    write(MR, 50)
    write(LR, 40)
    expect(rtc.nextAlarm).toBe(clock.now + 10)
    clock.now += 10
    expect(read(RIS)).toBe(1)
  })

  it('has a raw interrupt behind the mask', () => {
    const { clock, levels, read, write } = setUp()
    write(MR, clock.now)
    expect([read(RIS), read(MIS), levels]).toEqual([1, 0, []])
    write(IMSC, 1)
    expect([read(MIS), levels]).toEqual([1, [true]])
    write(IMSC, 0xfffffffe)
    expect([read(IMSC), levels]).toEqual([0, [true, false]])
  })

  it('raises no alarm that nobody set, with a clock that starts at 0', () => {
    const { read } = setUp(0)
    expect([read(DR), read(RIS)]).toEqual([0, 0])
  })

  it('peeks without an effect, and goes on from a snapshot as if never stopped, under any use', () => {
    const step = fc.oneof(
      fc.record({
        write: fc.boolean(),
        offset: fc.nat({ max: 0x1f }),
        value: fc.constantFrom(0, 1, 3, 0xffff_ffff, 1_800_000_003),
      }),
      fc.record({ pass: fc.constantFrom(0.5, 1, 3, 2 ** 32) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat({ max: 40 }), (steps, stop) => {
        const clock = { now: 1_800_000_000 }
        let rtc = new Pl031({ now: () => clock.now })
        let bus = onBus(rtc.frame, 0x1000, silentPolicy)
        const other = new Pl031({ now: () => clock.now })
        const otherBus = onBus(other.frame, 0x1000, silentPolicy)
        for (const [i, step] of steps.entries()) {
          if (i === stop) {
            const saved = JSON.parse(JSON.stringify(rtc.snapshot()))
            rtc = new Pl031({ now: () => clock.now })
            rtc.restore(saved)
            bus = onBus(rtc.frame, 0x1000, silentPolicy)
          }
          if ('pass' in step) clock.now += step.pass
          else if (step.write) for (const { write } of [bus, otherBus]) write(step.offset & ~3, step.value)
          else expect(bus.read(step.offset & ~3)).toBe(otherBus.read(step.offset & ~3))
          const before = rtc.snapshot()
          const level = rtc.interrupt.level
          for (let offset = 0; offset < 0x1000; offset += 4) rtc.frame.peek(offset, 4, cpu0)
          expect([rtc.snapshot(), rtc.interrupt.level]).toEqual([before, level])
          for (const device of [rtc, other]) device.update()
          expect(rtc.interrupt.level).toBe(other.interrupt.level)
          expect(rtc.nextAlarm).toBe(other.nextAlarm)
        }
        expect(rtc.snapshot()).toEqual(other.snapshot())
      }),
      { numRuns: 100 },
    )
  })

  const good: Pl031State = setUp().rtc.snapshot()
  it.each<[string, unknown, RegExp]>([
    ['another device', { ...good, kind: 'PL011' }, /kind "PL011"/],
    ['another version', { ...good, version: 0 }, /version 0, and 1 is supported/],
    ['an unknown key', { ...good, cr: 1 }, /unknown key "cr"/],
    ['a bad value', { ...good, ris: 1 }, /ris must be true or false/],
    ['a time beyond all times', { ...good, due: 2 ** 60 }, /due must be/],
  ])('refuses to restore %s, by name, and stays as it is', (_, state, message) => {
    const { rtc } = setUp()
    expect(() => rtc.restore(state)).toThrow(SavedStateError)
    expect(() => rtc.restore(state)).toThrow(message)
    expect(rtc.snapshot()).toEqual(good)
  })

  it('is as new after a reset', () => {
    const { rtc, write, levels } = setUp()
    write(IMSC, 1)
    write(LR, 5)
    write(MR, 5)
    rtc.reset()
    expect(rtc.snapshot()).toEqual(good)
    expect(levels).toEqual([true, false])
  })
})
