/** The doors of an ITS's registers: what is saved is put back in any order, and no command runs, no table is looked at. */

import { describe, expect, it } from 'vitest'
import { savedIts } from '../testing/doors.ts'
import { Random } from '../testing/random.ts'
import { by } from '../testing/rig-v2.ts'
import type { ItsConfig } from './config.ts'
import { assemble, FakeTargets, Rig, SparseMemory } from './testing/rig.ts'

/** Memory that nobody may look at. */
class Untouched extends SparseMemory {
  override contains(): boolean {
    return expect.fail('guest memory was asked for')
  }
}

const configs: readonly ItsConfig[] = [
  {},
  { onError: 'stall', umsi: true },
  { indirect: 'devices', pageSizes: [65536], slice: 3 },
  { indirect: 'none', pageSizes: [4096], statusRegisters: false },
]

describe('The doors of an ITS', () => {
  it('carry all of its registers: put into a fresh one in any order, it has the same snapshot', () => {
    const random = new Random(41)
    const seen = { stalled: 0, waiting: 0, status: 0, enabled: 0 }
    for (let run = 0; run < 200; run++) {
      const config = random.pick(configs)
      const rig = new Rig(config, { enable: random.chance(2) })
      for (let n = 0; n < 30; n++) {
        const offset = random.pick([0, 0x40, 0x80, 0x84, 0x88, 0x88, 0x100, 0x104, 0x108, 0x10c, 0x30])
        const kind = random.below(4)
        if (kind < 2) rig.write(offset, random.word())
        else if (kind === 2) rig.its.signal(random.below(4), random.below(4))
        else {
          const ICID = random.below(9)
          const command = random.chance(2)
            ? assemble('INVALL', { ICID })
            : assemble('MAPC', { ICID, RDbase: random.below(9), V: 1 })
          if (rig.memory.contains(rig.its.queueBase + rig.its.cwriter, 32)) rig.put(rig.its.cwriter, command)
          rig.write(0x88, (rig.its.cwriter + 32 * random.from(1, 5)) & 0xfe0)
        }
      }
      const { its } = rig
      const fresh = new Rig(config, { enable: false, memory: new Untouched(0, 0), targets: new FakeTargets(4, 9000) })
      for (const each of random.shuffle(savedIts(its))) each.restore(fresh.its)
      expect(fresh.its.snapshot(), `run ${run}`).toEqual(its.snapshot())
      if (its.stalled) seen.stalled++
      if (its.pending) seen.waiting++
      if (its.statusr !== 0) seen.status++
      if (its.enabled) seen.enabled++
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(3)
  })

  it('make of whatever is put into them a state that a snapshot can have', () => {
    const random = new Random(43)
    for (const config of configs)
      for (let run = 0; run < 50; run++) {
        const { its } = new Rig(config, { enable: false })
        for (let n = 0; n < 60; n++)
          its.frames.control.restore(4 * random.below(0x60), random.word() | 0, by(0, random.chance(2)))
        const other = new Rig(config, { enable: false })
        other.its.restore(its.snapshot())
        expect(other.its.snapshot()).toEqual(its.snapshot())
      }
  })

  it('send no MSI: GITS_TRANSLATER has nothing to restore', () => {
    const rig = new Rig({ umsi: true })
    const before = rig.its.snapshot()
    rig.its.frames.translation.restore(0x40, 5, by(0, true))
    expect([...rig.its.frames.translation.stateWords(1)]).toEqual([])
    expect(rig.its.snapshot()).toEqual(before)
  })
})
