/** The same ITS vectors on QEMU, which passes all but those that a listed deviation accounts for. */

import { describe, expect, it } from 'vitest'
import { QemuTarget } from '../qemu/target.ts'
import { describeFailure, runVector } from '../run-vectors.ts'
import { itsVectors } from './its.ts'
import { itsExpectedOnQemu } from './its-expected-on-qemu.ts'

describe("QEMU's ITS", () => {
  it.each([2, 8])('passes, but for listed deviations, with %i PEs', async (cpus) => {
    const target = await QemuTarget.start({ version: 3, cpus, security: false, its: true })
    const failed = new Map<string, string>()
    try {
      for (const vector of itsVectors) {
        await target.reset()
        const { failures } = await runVector(target, vector)
        if (failures.length > 0) failed.set(vector.name, `${vector.name}: ${describeFailure(failures[0]!)}`)
      }
    } finally {
      await target.close()
    }
    expect([...failed].filter(([name]) => !itsExpectedOnQemu.has(name)).map(([, why]) => why)).toEqual([])
  })
})
