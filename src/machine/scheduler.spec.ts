/** Turns of CPUs that wait for each other, on a bare cluster: what ends a WFE, and what keeps it. */

import { describe, expect, it } from 'vitest'
import { CODE, DATA, TestMachine } from '../aarch64/testing/machine.ts'
import { Scheduler } from './scheduler.ts'

const NOP = 0xd503201f
const WFE = 0xd503205f
const WFI = 0xd503207f
const SEV = 0xd503209f
const LDXR = 0xc85f7c01 // ldxr x1, [x0]
const STR = 0xf9000003 // str x3, [x0]
const MOV_X5 = 0xd2800025 // mov x5, #1
const CBNZ_3 = 0xb5000061 // cbnz x1, three on
const BACK_3 = 0x17fffffd // b three back

/** Takes a reservation, and waits for the word to become something else than zero. */
const waiter = [LDXR, CBNZ_3, WFE, BACK_3, MOV_X5, WFI]

function setUp(programs: readonly (readonly number[])[]) {
  const m = new TestMachine({ cpus: programs.length })
  for (const [cpu, words] of programs.entries()) {
    m.program(words, CODE + 0x200 * cpu, cpu)
    m.setX(0, DATA, cpu)
    m.setX(3, 77, cpu)
    m.setX(5, 0, cpu)
  }
  m.setQuad(DATA, 0n)
  return { m, scheduler: new Scheduler(m.cluster, { slice: 50 }) }
}

describe('a CPU in WFE', () => {
  const late = Array.from({ length: 90 }, () => NOP)

  it.each([0, 1])(
    'that is CPU %i goes on when another one stores to what it has reserved, without SEV (D1.17.1)',
    (first) => {
      const store = [...late, STR, WFI]
      const { m, scheduler } = setUp(first === 0 ? [waiter, store] : [store, waiter])
      expect(scheduler.run(10_000)).toBe('waiting')
      expect(m.x(5, first)).toBe(1n)
    },
  )

  it('waits on when another one stores elsewhere, until an event is sent', () => {
    const elsewhere = [...late, 0xf9000403, WFI] // str x3, [x0, #8]
    const { m, scheduler } = setUp([waiter, elsewhere])
    expect(scheduler.run(10_000)).toBe('waiting')
    expect(m.x(5)).toBe(0n)
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 12))
    const sent = setUp([waiter, [...late, STR, SEV, WFI]])
    expect(sent.scheduler.run(10_000)).toBe('waiting')
    expect(sent.m.x(5)).toBe(1n)
  })
})

const LOOP = 0x14000000 // b .
const HVC = 0xd4000002
const YIELD = 0xd503203f
const BACK_1 = 0x17ffffff // b one back

describe('machine time', () => {
  /** CPU 0 runs `program`, with its virtual timer due at `due` (in ticks of 16). */
  function asleep(program: readonly number[], due: bigint, clock?: { now(): number }, deviceDeadline?: () => number) {
    const m = new TestMachine({ cpus: 1 })
    m.program(program)
    m.setSystem('CNTV_CVAL_EL0', due)
    m.setSystem('CNTV_CTL_EL0', 1n)
    return { m, scheduler: new Scheduler(m.cluster, { clock, ...(deviceDeadline && { deviceDeadline }) }) }
  }

  it.each([0.5, Number.NaN, -1])('goes on in whole instructions: a budget of %d is refused', (budget) => {
    const { scheduler } = setUp([[LOOP]])
    expect(() => scheduler.run(budget)).toThrow(/budget: .* is not a whole number/)
    expect(() => scheduler.step(0, budget)).toThrow(/count: .* is not a whole number/)
  })

  it('is whole when a clock is between two instructions, also while one CPU makes way for another', () => {
    const m = new TestMachine({ cpus: 2 })
    m.program([WFI, BACK_1])
    m.program([YIELD, BACK_1], CODE + 0x200, 1)
    let host = 0.5
    const scheduler = new Scheduler(m.cluster, { clock: { now: () => (host += 300.7) }, slice: 50 })
    expect(scheduler.run(2000)).toBe('budget')
    // The other one sleeps, too, and the clock has its say.
    m.program([WFI, BACK_1], CODE + 0x200, 1)
    host = scheduler.time + 0.5
    for (let turn = 0; turn < 10; turn++) {
      expect(scheduler.run(777)).toBe('waiting')
      scheduler.passIdleTime()
      expect(Number.isInteger(scheduler.time)).toBe(true)
    }
  })

  it('is whole where a CPU that goes on after a wait by a clock makes way for another one in the middle of its turn', () => {
    const busy = [WFI, NOP, HVC, 0x17fffffd]
    let scheduler: Scheduler | undefined
    let host = 0
    const hypercall = () => {
      scheduler?.yieldTurn()
      return true
    }
    const m = new TestMachine({ cpus: 2 }, { hypercall })
    m.program(busy)
    m.program([WFI, BACK_1], CODE + 0x200, 1)
    scheduler = new Scheduler(m.cluster, { clock: { now: () => host }, slice: 50 })
    for (let turn = 0; turn < 5; turn++) {
      m.cluster.setIrq(0, false)
      host = scheduler.time + 100.5
      while (scheduler.run(500) !== 'waiting');
      m.cluster.setIrq(0, true)
      expect(scheduler.run(500)).toBe('budget')
      expect(Number.isInteger(scheduler.time)).toBe(true)
    }
  })

  it('is whole when a device has its deadline between two instructions', () => {
    let deadline = 1000.5
    const { scheduler } = asleep([WFI, BACK_1], 1n << 40n, undefined, () => deadline)
    expect(scheduler.run(1000)).toBe('budget')
    expect(scheduler.run(1)).toBe('budget')
    deadline = 2000.25
    expect(scheduler.run(5000)).toBe('budget')
    expect(scheduler.time).toBe(6001)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('is not taken from a clock that says %d', (now) => {
    const { scheduler } = asleep([WFI, BACK_1], 1000n, { now: () => now })
    expect(() => scheduler.run(1000)).toThrow(/the clock says/)
  })

  it('goes no further than the budget while every CPU waits, and a timer that is due later is late for nothing', () => {
    const { m, scheduler } = asleep([WFI, BACK_1], 1000n)
    expect(scheduler.run(5000)).toBe('budget')
    expect(scheduler.time).toBe(5000)
    expect(m.timerEvents).toEqual([])
    expect(scheduler.run(10_999)).toBe('budget')
    expect(m.timerEvents).toEqual([])
    scheduler.run(1)
    expect([scheduler.time, m.timerEvents]).toEqual([16_000, ['cpu 0 virtual high']])
  })

  it('goes over idle time in one step where it may, and no further than that', () => {
    const { scheduler } = asleep([WFI, BACK_1], 1000n)
    expect(scheduler.run(100, 9000)).toBe('budget')
    expect(scheduler.time).toBe(9000)
    expect(scheduler.run(100, Number.POSITIVE_INFINITY)).toBe('budget')
    expect(scheduler.time).toBe(16_000)
  })

  it('goes on without a limit until nothing is left that could wake a CPU', () => {
    const { m, scheduler } = asleep([WFI, BACK_1], 1000n)
    expect(scheduler.run(Number.POSITIVE_INFINITY)).toBe('waiting')
    expect([scheduler.time, m.timerEvents]).toEqual([16_000, ['cpu 0 virtual high']])
  })

  it('does not go to where a guest sets its timer beyond what numbers hold', () => {
    const { scheduler } = asleep([WFI, BACK_1], 1n << 62n)
    expect(scheduler.run(Number.POSITIVE_INFINITY)).toBe('waiting')
    expect(scheduler.time).toBeLessThan(1000)
  })
})
