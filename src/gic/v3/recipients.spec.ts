/** Which PE takes 1-of-N interrupts, against a walk over all PEs. */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { DirtyPes } from './dirty.ts'
import { Recipients } from './recipients.ts'

describe('Recipients', () => {
  it.each([1, 32, 33, 512])('chooses for each group the lowest of %i PEs that take part (IHI 0069 4.7.2)', (pes) => {
    const random = new Random(pes)
    const recipients = new Recipients(pes, new DirtyPes(pes))
    const takes = new Array<number>(pes).fill(0)
    for (let i = 0; i < 4000; i++) {
      const pe = random.below(pes)
      // Mostly none, so that the lowest is often far up, and often nobody.
      takes[pe] = random.chance(4) ? random.below(8) : 0
      recipients.assign(pe, takes[pe]!)
      const wanted = [0, 1, 2].map((group) => takes.findIndex((groups) => (groups >>> group) & 1))
      expect([...recipients.chosen]).toEqual(wanted)
    }
  })

  it('marks the PE that was chosen, and the one that is now, and no other', () => {
    const dirty = new DirtyPes(64)
    const recipients = new Recipients(64, dirty)
    const marked = () => {
      const pes: number[] = []
      while (!dirty.clean) pes.push(dirty.take())
      return pes
    }
    recipients.assign(40, 1)
    expect(marked()).toEqual([40])
    recipients.assign(50, 1)
    expect(marked()).toEqual([])
    recipients.assign(3, 1)
    expect(marked()).toEqual([3, 40])
    recipients.assign(3, 0)
    expect(marked()).toEqual([3, 40])
  })
})
