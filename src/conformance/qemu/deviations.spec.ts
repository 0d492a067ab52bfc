/**
 * The answers that the list of deviations calls the specification's, put to this package's own GIC. That QEMU gives the
 * others is for deviations.qemu.spec.ts, which needs QEMU.
 */

import { describe, expect, it } from 'vitest'
import { Gicv3View } from '../fuzz/gicv3-view.ts'
import { ModelTarget } from '../model.ts'
import type { Result, TargetConfig } from '../target.ts'
import { expectedOnQemu } from '../vectors/expected-on-qemu.ts'
import { gicv3VectorDeviations } from '../vectors/gicv3-expected-on-qemu.ts'
import { itsExpectedOnQemu } from '../vectors/its-expected-on-qemu.ts'
import { GICV2_DEVIATIONS } from './deviations.ts'
import { GICV3_DEVIATIONS } from './deviations-gicv3.ts'
import { answers, lines, secure, write } from './steps.ts'

describe('what QEMU should have answered', () => {
  it.each(
    [...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map((deviation) => [deviation.id, deviation.clause, deviation] as const),
  )('%s: %s', async (_id, _clause, { reproduction }) => {
    const target = new ModelTarget(reproduction.config)
    const results = await target.run(reproduction.steps)
    expect(answers(reproduction.steps, results)).toEqual(reproduction.specification)
  })
})

describe('an allowance for the lines', () => {
  it.each([0, 15, 16, 31])('is as good for CPU %i as for the first (Q3-16)', (cpu) => {
    const config: TargetConfig = { version: 3, cpus: 32, security: true, its: false }
    const view = new Gicv3View(config)
    view.issued(secure(write(0, 'gicd', 0x000, 0x40)))
    const { allows } = GICV3_DEVIATIONS.find(({ id }) => id === 'Q3-16')!
    const ok = (value: bigint): Result => ({ status: 'ok', value })
    const fiq = 1n << BigInt(2 * cpu)
    const allowed = (qemu: bigint, other: bigint) => allows?.(lines, ok(qemu), ok(other), view)
    expect(allowed(fiq, fiq << 1n)).toBe(true)
    expect(allowed(fiq << 1n, fiq)).toBe(false)
    expect(allowed(0n, fiq << 1n)).toBe(false)
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
