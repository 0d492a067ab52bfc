/**
 * Each listed deviation of QEMU, shown by its reproduction on the QEMU that is installed. A reproduction that gets the
 * specification's answers means that QEMU has been put right: the list is then to be changed, and says so.
 */

import { describe, expect, it } from 'vitest'
import { GICV2_DEVIATIONS } from './deviations.ts'
import { GICV3_DEVIATIONS } from './deviations-gicv3.ts'
import { answers } from './steps.ts'
import { QemuTarget } from './target.ts'

describe('deviations of QEMU', () => {
  it.each([...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map((d) => [d.id, d.title, d.reproduction] as const))(
    '%s: %s',
    async (_id, _title, reproduction) => {
      const target = await QemuTarget.start(reproduction.config)
      try {
        const got = await target.run(reproduction.steps).then(
          (results) => answers(reproduction.steps, results),
          () => 'lost',
        )
        expect(got, 'QEMU answers as the specification does: take it off the list').not.toEqual(
          reproduction.specification,
        )
        expect(got).toEqual(reproduction.qemu)
      } finally {
        await target.close()
      }
    },
  )
})
