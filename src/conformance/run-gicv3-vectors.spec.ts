/** The GICv3 vectors on our own model, in both wirings and in every configuration that a vector may ask for. */

import { describe, expect, it } from 'vitest'
import { everyOption, type ModelOptions, ModelTarget } from './model.ts'
import { describeFailure, runVectors, whyNot } from './run-vectors.ts'
import type { TargetConfig } from './target.ts'
import { d, mrs, msr, vector3 } from './vectors/gicv3-build.ts'
import { gicv3ExpectedOnQemu } from './vectors/gicv3-expected-on-qemu.ts'
import { gicv3Vectors } from './vectors/gicv3-index.ts'

const config = (cpus: number, security: boolean, its: boolean, el2 = false): TargetConfig => ({
  version: 3,
  cpus,
  security,
  its,
  el2,
})
const configs = [
  ...[1, 2, 4, 8].flatMap((cpus) =>
    [false, true].flatMap((security) => [config(cpus, security, false), config(cpus, security, true)]),
  ),
  config(1, true, false, true),
]
/** With a range for each group those of two PEs and with EL2; all of them in `npm run test:long`. */
const isLong = Number(process.env['VGIC_STEPS'] ?? 1) > 1
const some = isLong ? configs : configs.filter(({ cpus, el2 }) => cpus === 2 || el2)

/** The board's GICv3, and what is optional in it: the registers that invalidate LPIs. */
const model = (each: TargetConfig, options: ModelOptions = {}) =>
  new ModelTarget(each, { ...options, gicv3: { invalidateRegisters: true, ...options.gicv3 } })
const traits = (priorityBits: number) => ({ priorityBits, intids: 288 })

describe.each(['frame', 'group'] as const)('The model, one bus range for each %s,', (wiring) => {
  for (const each of wiring === 'frame' ? configs : some)
    it(`passes every GICv3 vector with ${each.cpus} PEs, ${each.security ? 'two Security states' : 'one Security state'}, ${each.its ? 'and LPIs' : 'and no LPIs'}${each.el2 ? ', and EL2' : ''}`, async () => {
      const results = await runVectors(model(each, { wiring }), gicv3Vectors, traits(5))
      expect(
        results.flatMap(({ vector, failures }) =>
          failures.map((failure) => `${vector.name} (${vector.clause}): ${describeFailure(failure)}`),
        ),
      ).toEqual([])
      expect(results.length).toBeGreaterThan(50)
    })

  it.each([false, true])('passes those of what a GICv3 may leave out (LPIs: %s)', async (its) => {
    const target = model(config(2, false, its), { wiring, gicv3: everyOption(its) })
    const results = await runVectors(target, gicv3Vectors, { ...traits(5), options: true })
    const ours = results.filter(({ vector }) => vector.needs.options)
    expect(
      ours.flatMap(({ vector, failures }) => failures.map((f) => `${vector.name}: ${describeFailure(f)}`)),
    ).toEqual([])
    expect(ours.length).toBeGreaterThanOrEqual(14)
  })

  it.each([6, 7, 8])('passes those of %i priority bits', async (priorityBits) => {
    const target = model(config(2, false, false), { wiring, gicv3: { priorityBits } })
    const results = await runVectors(target, gicv3Vectors, traits(priorityBits))
    expect(results.filter(({ vector }) => vector.needs.priorityBits === priorityBits)).toHaveLength(4)
    expect(results.flatMap(({ failures }) => failures.map(describeFailure))).toEqual([])
  })
})

describe('The GICv3 vectors', () => {
  it('are many, each with a name of its own, a clause and an expectation', () => {
    const names = gicv3Vectors.map(({ name }) => name)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    expect(gicv3Vectors.length).toBeGreaterThanOrEqual(600)
    for (const { name, clause, steps } of gicv3Vectors) {
      expect(clause, name).toMatch(/^IHI 0069, \S/)
      expect(
        steps.some(({ expect }) => expect !== undefined && (expect.mask !== 0 || expect.status !== undefined)),
        name,
      ).toBe(true)
    }
  })

  it('that QEMU fails are vectors', () => {
    const names = new Set(gicv3Vectors.map(({ name }) => name))
    expect([...gicv3ExpectedOnQemu.keys()].filter((name) => !names.has(name))).toEqual([])
  })

  it('each apply to some target of the suite', () => {
    const targets = configs.map((each) => model(each))
    const never = gicv3Vectors.filter(
      ({ needs }) =>
        !targets.some((target) => {
          const { priorityBits = 5, options = false } = needs
          return whyNot(needs, target, { ...traits(priorityBits), options }) === undefined
        }),
    )
    expect(never.map(({ name }) => name)).toEqual([])
  })

  it('fail, with the step and both values, on a target that is wrong', async () => {
    const wrong = [
      vector3('ICC_PMR_EL1 keeps nothing', 'ICC_PMR_EL1', {}, msr(0, 'PMR', 0xf0), mrs(0, 'PMR').is(0)),
      vector3('ICC_SRE_EL3 exists', 'ICC_SRE_EL3', {}, mrs(0, 'SRE_EL3').is(0xf)),
      vector3('GICD_CTLR is 0', 'GICD_CTLR', {}, d.read('CTLR').is(0)),
    ]
    const results = await runVectors(model(config(1, false, false)), wrong, traits(5))
    expect(results.flatMap(({ failures }) => failures.map(describeFailure))).toEqual([
      'step 1, mrs ICC_PMR_EL1 by PE 0: 0xf0, should be 0x0 (Priority is 0xf0, should be 0x0)',
      'step 0, mrs ICC_SRE_EL3 by PE 0: undefined',
      'step 0, read of GICD_CTLR (gicd 0x0, 4 bytes) by CPU 0: 0x50, should be 0x0 (ARE_S is 0x1, should be 0x0; DS is 0x1, should be 0x0)',
    ])
  })

  it('hold together the model, not its order: each passes on its own after any other', async () => {
    const target = model(config(4, false, true))
    const backwards = await runVectors(target, [...gicv3Vectors].reverse(), traits(5))
    expect(backwards.filter(({ passed }) => !passed).map(({ vector }) => vector.name)).toEqual([])
  })
})
