/** The conformance vectors on our own model, in both wirings and in every configuration that a vector may ask for. */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from './model.ts'
import { GICV2_DEVIATIONS } from './qemu/deviations.ts'
import { describeFailure, runVectors, type Traits, whyNot } from './run-vectors.ts'
import type { TargetConfig } from './target.ts'
import { read, vector, write } from './vectors/build.ts'
import { expectedOnQemu } from './vectors/expected-on-qemu.ts'
import { gicv2Vectors } from './vectors/index.ts'

const config = (cpus: number, security: boolean): TargetConfig => ({ version: 2, cpus, security, its: false })
const configs = [1, 2, 4, 8].flatMap((cpus) => [config(cpus, false), config(cpus, true)])
const virt: Traits = { priorityBits: 8, intids: 288 }

describe.each(['frame', 'group'] as const)('The model, one bus range for each %s,', (wiring) => {
  for (const each of configs)
    it(`passes every vector with ${each.cpus} CPUs ${each.security ? 'and' : 'without'} the Security Extensions`, async () => {
      const results = await runVectors(new ModelTarget(each, { wiring }), gicv2Vectors, virt)
      expect(
        results.flatMap(({ vector, failures }) =>
          failures.map((failure) => `${vector.name} (${vector.clause}): ${describeFailure(failure)}`),
        ),
      ).toEqual([])
      expect(results.length).toBeGreaterThan(80)
    })

  it.each([4, 5, 6, 7])('passes those of %i priority bits', async (priorityBits) => {
    const target = new ModelTarget(config(2, false), { wiring, gic: { priorityBits } })
    const results = await runVectors(target, gicv2Vectors, { ...virt, priorityBits })
    const own = results.filter(({ vector }) => vector.needs.priorityBits === priorityBits)
    expect(own.length).toBe(5)
    expect(own.flatMap(({ failures }) => failures.map(describeFailure))).toEqual([])
  })
})

describe('The vectors', () => {
  it('are many, each with a name of its own, a clause and an expectation', () => {
    expect(new Set(gicv2Vectors.map(({ name }) => name)).size).toBe(gicv2Vectors.length)
    expect(gicv2Vectors.length).toBeGreaterThanOrEqual(200)
    for (const { name, clause, steps } of gicv2Vectors) {
      expect(clause, name).toMatch(/^IHI 0048B [234]\.\d/)
      expect(
        steps.some((each) => each.expect !== undefined && each.expect.mask !== 0),
        name,
      ).toBe(true)
    }
  })

  it('that QEMU fails are vectors, and their deviations are listed', () => {
    const names = new Set(gicv2Vectors.map(({ name }) => name))
    const deviations = new Set(GICV2_DEVIATIONS.map(({ id }) => id))
    expect([...expectedOnQemu].filter(([name, id]) => !names.has(name) || !deviations.has(id))).toEqual([])
  })

  it('each apply to some target of the suite', () => {
    const targets = configs.map((each) => new ModelTarget(each))
    const traits = [4, 5, 6, 7, 8].map((priorityBits) => ({ ...virt, priorityBits }))
    const never = gicv2Vectors.filter(
      ({ needs }) => !targets.some((target) => traits.some((each) => whyNot(needs, target, each) === undefined)),
    )
    expect(never.map(({ name }) => name)).toEqual([])
  })

  it('fail, with the step and both values, on a target that is wrong', async () => {
    const wrong = vector('GICC_PMR keeps nothing', '4.4.2', {}, write(0, 'GICC_PMR', 0xf0), read(0, 'GICC_PMR').is(0))
    const [result] = await runVectors(new ModelTarget(config(1, false)), [wrong])
    expect(result!.passed).toBe(false)
    expect(result!.failures.map(describeFailure)).toEqual([
      'step 1, read of GICC_PMR (gicc 0x4, 4 bytes) by CPU 0: 0xf0, should be 0x0 (Priority is 0xf0, should be 0x0)',
    ])
  })

  it('hold together the model, not its order: each passes on its own after any other', async () => {
    const target = new ModelTarget(config(4, false))
    const backwards = await runVectors(target, [...gicv2Vectors].reverse(), virt)
    expect(backwards.filter(({ passed }) => !passed).map(({ vector }) => vector.name)).toEqual([])
  })
})
