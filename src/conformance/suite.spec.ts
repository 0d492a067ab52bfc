/** The suite as a whole: that its machines leave no vector out, and what it says of a vector that fails. */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from './model.ts'
import { machinesOf, type Outcome, runOn, select, subjectsOf, traitsOf } from './suite.ts'
import { read, vector, write } from './vectors/build.ts'

const open = ({ config, traits }: ReturnType<typeof machinesOf>[number]) =>
  new ModelTarget(config, { gic: { priorityBits: traits.priorityBits } })

describe('the suite', () => {
  it('has machines for every vector of a subject, and those of QEMU are boards', async () => {
    const outcomes = select(2, 'priorities and mask')
    for (const machine of machinesOf(2, false)) await runOn(open(machine), machine, outcomes)
    expect(outcomes.length).toBe(subjectsOf[2]['Priorities and mask']?.length)
    expect(outcomes.filter(({ ran }) => ran.length === 0)).toEqual([])
    expect(outcomes.flatMap(({ failed }) => failed)).toEqual([])
    expect(machinesOf(2, true).every(({ traits }) => traits === traitsOf[2])).toBe(true)
  })

  it('selects by name, subject and clause, in any case', () => {
    const all = select(2).length
    expect(all).toBeGreaterThan(300)
    expect(select(2, 'NO SUCH VECTOR')).toEqual([])
    const fiq = select(2, 'fiq')
    expect(fiq.length).toBeGreaterThanOrEqual(subjectsOf[2]['FIQ']!.length)
    expect(fiq.length).toBeLessThan(all)
    expect(select(2, '4.3.8').every(({ vector: { clause } }) => clause.includes('4.3.8'))).toBe(true)
  })

  it('tells on which machine a vector failed, step by step, and counts what was left out', async () => {
    const wrong = vector('GICC_PMR is 1', '4.4.2', {}, write(0, 'GICC_PMR', 0xf0), read(0, 'GICC_PMR').is(1))
    const large = vector('Two CPUs', '4.4.2', { cpus: 2 }, read(0, 'GICC_PMR').is(0))
    const outcomes: Outcome[] = [wrong, large].map((each) => ({ subject: 'x', vector: each, ran: [], failed: [] }))
    const machine = machinesOf(2, true)[0]!
    let done = 0
    await runOn(open(machine), machine, outcomes, () => done++)
    expect(outcomes[0]?.failed[0]).toMatchObject({ machine, failures: [{ step: 1, actual: { value: 0xf0n } }] })
    expect(outcomes[1]).toMatchObject({ ran: [], failed: [] })
    expect(done).toBe(2)
  })
})
