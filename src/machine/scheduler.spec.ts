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
