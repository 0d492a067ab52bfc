/** That explain agrees with what an acknowledge does, and its remedies with what they promise, at random states. */

import { describe, expect, it } from 'vitest'
import { PatientV2 } from '../testing/patient-v2.ts'
import { Random } from '../testing/random.ts'
import { Mender } from '../testing/remedies.ts'
import { by, Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'
import { gates, isDeliverable } from './explain.ts'

/** `npm run test:long` gives both; VGIC_SEED repeats a run. */
const seed = Number(process.env['VGIC_SEED'] ?? 7)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

describe('At random states', () => {
  it('deliverable is what an acknowledge would take', () => {
    const random = new Random(seed)
    let deliverable = 0
    for (let run = 0; run < 8 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const [i, step] of stepsOf(random.word(), config, 400).entries()) {
        rig.take(step)
        if (i % 5 !== 0) continue
        for (let cpu = 0; cpu < config.cpus; cpu++) {
          // The alias sees Group 1 and the Secure view Group 0: between them everything, whatever AckCtl says.
          const seen = [0x0c, 0x20].map((offset) => rig.gic.frames.gicc.peek(offset, 4, by(cpu, true)) & 0x3ff)
          const taken = seen.filter((intid) => intid < 1020)
          for (let intid = 0; intid < config.intids; intid++) {
            const open = isDeliverable(rig.gic, intid, cpu)
            // Explained at length where it is signalled, and now and then where it is not.
            const asked = open || random.chance(50)
            if (open !== taken.includes(intid) || (asked && rig.gic.explain(intid, cpu).deliverable !== open))
              expect.fail(`seed ${seed}, run ${run}: ${rig.gic.explain(intid, cpu).summary}`)
            if (open) deliverable++
          }
        }
      }
    }
    expect(deliverable).toBeGreaterThan(100 * times)
  })

  it('doing what the remedies say, in any order, opens each gate that they stand at, and in the end it is signalled', () => {
    const random = new Random(seed)
    const done = new Map<string, number>()
    const problems: string[] = []
    for (let run = 0; run < 60 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, random.from(20, 300))) rig.take(step)
      const mender = new Mender(new PatientV2(rig), random)
      for (let i = 0; i < 8; i++) {
        const intid = random.below(config.intids)
        const cpu = random.below(config.cpus)
        const problem = mender.mend(intid, cpu)
        if (problem !== undefined) problems.push(`run ${run}, ${intid} on CPU ${cpu}: ${problem}`)
      }
      for (const [gate, count] of mender.done) done.set(gate, (done.get(gate) ?? 0) + count)
    }
    expect(problems).toEqual([])
    for (const { name } of gates) if (name !== 'exists') expect(done.get(name) ?? 0, name).toBeGreaterThan(5)
  })
})
