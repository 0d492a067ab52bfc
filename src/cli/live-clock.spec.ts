/** Idle time at the host's pace, with a host's clock that the test turns. */

import { describe, expect, it } from 'vitest'
import { a64, booted, words } from '../machine/testing/guest.ts'
import { LiveClock } from './live-clock.ts'

describe('a machine with a live clock', () => {
  it('waits while its CPU is in WFI, and its time is as much later as the host said when a character comes', async () => {
    let host = 1000
    const clock = new LiveClock(() => host)
    const { machine } = await booted(words(a64.wfi, 0x17ff_ffff), { clock })
    clock.setTo(machine.scheduler.time)
    expect(machine.run(1e6)).toBe('waiting')
    const before = machine.seconds
    host += 250
    machine.type([65])
    expect(machine.seconds - before).toBeCloseTo(0.25, 6)
  })

  it('does not make up for time in which the machine was slower than its own clock', () => {
    let host = 0
    const clock = new LiveClock(() => host)
    host = 5000
    clock.setTo(1e6)
    expect(clock.now()).toBe(1e6)
    expect(clock.until(3e6)).toBe(2)
    host += 3
    expect(clock.until(3e6)).toBe(0)
  })

  it('says whole instructions, and never a time before the one that it was set to', () => {
    let host = 0.3
    const clock = new LiveClock(() => host)
    clock.setTo(1000)
    host += 0.000_001_7
    expect(clock.now()).toBe(1001)
    host -= 1
    expect(clock.now()).toBe(1000)
  })
})
