/** What GICD_NSACR grants Non-secure software of a Group 0 SGI, and what it does not (IHI 0048 4.3.14 to 4.3.17). */

import { describe, expect, it } from 'vitest'
import { GicV2 } from '../index.ts'
import { Rig } from '../testing/rig-v2.ts'

describe('GICD_NSACR0', () => {
  const [SGIR, CPENDSGIR, SPENDSGIR, NSACR] = [0xf00, 0xf10, 0xf20, 0xe00]
  const rigOf = (level: number) => {
    const rig = new Rig(new GicV2({ cpus: 2, intids: 64, security: true }))
    rig.write('gicd', NSACR, level << 10, 0, true)
    return rig
  }

  it.each([0, 1, 2, 3])(
    'of %i grants nothing in GICD_SPENDSGIR and GICD_CPENDSGIR: Group 0 bits are RAZ/WI (4.3.16, 4.3.17)',
    (level) => {
      const rig = rigOf(level)
      rig.write('gicd', SPENDSGIR + 5, 1, 0, false, 1)
      expect(rig.read('gicd', SPENDSGIR + 4, 0, true)).toBe(0)
      rig.write('gicd', SPENDSGIR + 5, 2, 0, true, 1)
      expect([rig.read('gicd', SPENDSGIR + 4), rig.read('gicd', CPENDSGIR + 4)]).toEqual([0, 0])
      rig.write('gicd', CPENDSGIR + 5, 2, 0, false, 1)
      expect(rig.read('gicd', SPENDSGIR + 4, 0, true)).toBe(0x200)
    },
  )

  it('of 1 and more grants GICD_SGIR (4.3.14)', () => {
    for (const level of [0, 1, 2, 3]) {
      const rig = rigOf(level)
      rig.write('gicd', SGIR, (1 << 16) | 5, 0, false)
      expect(rig.read('gicd', SPENDSGIR + 4, 0, true)).toBe(level === 0 ? 0 : 0x100)
    }
  })
})
