/**
 * The answers that the list of deviations calls the specification's, put to this package's own GIC. That QEMU gives the
 * others is for deviations.qemu.spec.ts, which needs QEMU.
 */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from '../model.ts'
import { expectedOnQemu } from '../vectors/expected-on-qemu.ts'
import { gicv3VectorDeviations } from '../vectors/gicv3-expected-on-qemu.ts'
import { itsExpectedOnQemu } from '../vectors/its-expected-on-qemu.ts'
import { GICV2_DEVIATIONS } from './deviations.ts'
import { GICV3_DEVIATIONS } from './deviations-gicv3.ts'
import { answers } from './steps.ts'

describe('what QEMU should have answered', () => {
  it.each(
    [...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map((deviation) => [deviation.id, deviation.clause, deviation] as const),
  )('%s: %s', async (_id, _clause, { reproduction }) => {
    const target = new ModelTarget(reproduction.config)
    const results = await target.run(reproduction.steps)
    expect(answers(reproduction.steps, results)).toEqual(reproduction.specification)
  })
})

describe('the lists', () => {
  it('name each deviation once, with a clause, versions, and answers that differ', () => {
    const all = [...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS]
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    for (const { clause, versions, reproduction } of all) {
      expect(clause).toMatch(reproduction.config.version === 2 ? /^IHI 0048 \d/ : /^IHI 0069 \d/)
      expect(versions.length).toBeGreaterThan(0)
      expect(reproduction.qemu).not.toEqual(reproduction.specification)
    }
  })
  it('have each deviation that a vector is said to fail on QEMU for', () => {
    const listed = new Set([...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map(({ id }) => id))
    // An optional register that QEMU leaves out, and our board too: no deviation, and nothing that two answers could show.
    const optional = 'Q3-13'
    const named = [
      ...expectedOnQemu.values(),
      ...itsExpectedOnQemu.values(),
      ...gicv3VectorDeviations.map(({ id }) => id),
    ]
    expect(named.filter((id) => !listed.has(id) && id !== optional)).toEqual([])
  })
})
