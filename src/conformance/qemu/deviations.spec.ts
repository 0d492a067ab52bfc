/**
 * The answers that the list of deviations calls the specification's, put to this package's own GIC. That QEMU gives the
 * others is for deviations.qemu.spec.ts, which needs QEMU.
 */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from '../model.ts'
import { GICV2_DEVIATIONS } from './deviations.ts'
import { answers } from './steps.ts'

describe('what QEMU should have answered', () => {
  it.each(GICV2_DEVIATIONS.map((deviation) => [deviation.id, deviation.clause, deviation] as const))(
    '%s: %s',
    async (_id, _clause, { reproduction }) => {
      const target = new ModelTarget(reproduction.config)
      const results = await target.run(reproduction.steps)
      expect(answers(reproduction.steps, results)).toEqual(reproduction.specification)
    },
  )
})

describe('the list', () => {
  it('names each deviation once, with a clause, versions, and answers that differ', () => {
    expect(new Set(GICV2_DEVIATIONS.map(({ id }) => id)).size).toBe(GICV2_DEVIATIONS.length)
    for (const { clause, versions, reproduction } of GICV2_DEVIATIONS) {
      expect(clause).toMatch(/^IHI 0048 \d/)
      expect(versions.length).toBeGreaterThan(0)
      expect(reproduction.qemu).not.toEqual(reproduction.specification)
    }
  })
})
