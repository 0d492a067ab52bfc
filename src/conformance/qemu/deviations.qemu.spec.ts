/**
 * Each listed deviation of QEMU, shown by its reproduction on the QEMU that is installed. On a version that the list names
 * it must still be there; on any other, QEMU may have been put right, which is then said.
 */

import { beforeAll, describe, expect, it } from 'vitest'
import { qemuVersion } from './build.ts'
import { GICV2_DEVIATIONS } from './deviations.ts'
import { GICV3_DEVIATIONS } from './deviations-gicv3.ts'
import { answers } from './steps.ts'
import { QemuTarget } from './target.ts'

let version = ''
beforeAll(async () => {
  version = await qemuVersion()
})

describe('deviations of QEMU', () => {
  it.each([...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map((d) => [d.id, d.title, d] as const))(
    '%s: %s',
    async (id, _title, { reproduction, versions }) => {
      const target = await QemuTarget.start(reproduction.config)
      try {
        const got = await target.run(reproduction.steps).then(
          (results) => answers(reproduction.steps, results),
          () => 'lost',
        )
        if (versions.includes(version)) return expect(got).toEqual(reproduction.qemu)
        expect([reproduction.qemu, reproduction.specification]).toContainEqual(got)
        const right = JSON.stringify(got) === JSON.stringify(reproduction.specification)
        console.log(
          `${id}: QEMU ${version}, not on the list, ${right ? 'does as the specification says' : 'deviates too'}`,
        )
      } finally {
        await target.close()
      }
    },
  )
})
