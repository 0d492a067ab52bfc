/** That the remedies of a GICv3's explanations do what they promise, at random states; and that an explanation agrees with an acknowledge. */

import { describe, expect, it } from 'vitest'
import { iccEncoding } from '../index.ts'
import { PatientV3, ROOM } from '../testing/patient-v3.ts'
import { Random } from '../testing/random.ts'
import { Mender } from '../testing/remedies.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { memoryFor, randomConfig, stepsOf } from '../testing/steps-v3.ts'
import { isDeliverable } from './explain.ts'
import { bankGates } from './gates-banks.ts'
import { interfaceGates } from './gates-interface.ts'
import { lpiGates } from './gates-lpis.ts'

/** `npm run test:long` gives both; VGIC_SEED repeats a run. */
const seed = Number(process.env['VGIC_SEED'] ?? 7)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

describe('At random states', () => {
  it('deliverable is what an acknowledge would take', () => {
    const random = new Random(seed)
    let deliverable = 0
    for (let run = 0; run < 8 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new RigV3(gicOf(config))
      const { gic } = rig
      for (const [i, step] of stepsOf(random.word(), config, 400).entries()) {
        rig.take(step)
        if (i % 8 !== 0) continue
        const pe = i % config.cpus
        const saved = { ...gic.cpus[pe]! }
        // At EL3 either register sees all of its group.
        if (config.security) gic.setExecution(pe, { el: 3, sctlrNmi: false })
        else gic.setExecution(pe, { el: 1, sctlrNmi: false })
        const seen = (['ICC_IAR0_EL1', 'ICC_IAR1_EL1'] as const).map((name) =>
          Number(gic.peekSysreg(pe, iccEncoding(name)!)),
        )
        const taken = seen.filter((intid) => intid < 1020 || intid > 1023)
        for (let intid = 0; intid < 8200; intid = intid === 1119 ? 4096 : intid === 4160 ? 8192 : intid + 1) {
          const open = isDeliverable(gic, intid, pe)
          // Explained at length where it is signalled, and now and then where it is not.
          const asked = open || random.chance(200)
          if (open !== taken.includes(intid) || (asked && gic.explain(intid, pe).deliverable !== open))
            expect.fail(`seed ${seed}, run ${run}, ${gic.explain(intid, pe).summary}`)
          if (open) deliverable++
        }
        gic.setExecution(pe, { el: saved.el, sctlrNmi: saved.sctlrNmi })
      }
    }
    expect(deliverable).toBeGreaterThan(25 * times)
  })

  it('doing what the remedies say, in any order, opens each gate that they stand at, and in the end it is signalled', () => {
    const random = new Random(seed)
    const done = new Map<string, number>()
    const problems: string[] = []
    for (let run = 0; run < 60 * times; run++) {
      const config = randomConfig(random, 96)
      const memory = new Uint8Array(memoryFor(config.cpus).length + ROOM)
      const rig = new RigV3(gicOf(config, memory))
      for (const step of stepsOf(random.word(), config, random.from(20, 300))) rig.take(step)
      const mender = new Mender(new PatientV3(rig), random)
      for (let i = 0; i < 8; i++) {
        const intid = random.pick(intidsOf(config, random))
        const pe = random.below(config.cpus)
        const problem = mender.mend(intid, pe)
        if (problem !== undefined) problems.push(`seed ${seed}, run ${run}, ${intid} on PE ${pe}: ${problem}`)
      }
      for (const [gate, count] of mender.done) done.set(gate, (done.get(gate) ?? 0) + count)
    }
    expect(problems).toEqual([])
    for (const { name } of [...bankGates, ...lpiGates, ...interfaceGates])
      expect(done.get(name) ?? 0, name).toBeGreaterThan(4)
  })
})

/** One of each kind. */
function intidsOf(config: ReturnType<typeof randomConfig>, random: Random): number[] {
  const found = [random.below(16), random.from(16, 31)]
  if (config.intids > 32) found.push(random.from(32, config.intids - 1), random.from(32, config.intids - 1))
  if (config.extendedPpis) found.push(random.from(1056, 1055 + config.extendedPpis))
  if (config.extendedSpis) found.push(random.from(4096, 4095 + config.extendedSpis))
  if (config.lpis) found.push(8192, random.from(8192, 2 ** config.lpis.intidBits - 1))
  return found
}
