/** The same vectors on QEMU: it passes every one of them but those that a listed deviation explains, and those it fails. */

import { afterAll, describe, expect, it } from 'vitest'
import { GICV2_DEVIATIONS } from '../qemu/deviations.ts'
import { QemuTarget } from '../qemu/target.ts'
import { describeFailure, runVectors } from '../run-vectors.ts'
import { expectedOnQemu } from './expected-on-qemu.ts'
import { gicv2Vectors } from './index.ts'

const failed = new Set<string>()
const ran = new Set<string>()

describe("QEMU's GICv2", () => {
  for (const cpus of [1, 4, 8])
    for (const security of [false, true])
      it(`passes, but for listed deviations, the vectors with ${cpus} CPUs ${security ? 'and' : 'without'} the Security Extensions`, async () => {
        const target = await QemuTarget.start({ version: 2, cpus, security, its: false })
        try {
          const results = await runVectors(target, gicv2Vectors)
          for (const { vector, passed } of results) {
            ran.add(vector.name)
            if (!passed) failed.add(vector.name)
          }
          const unexplained = results.filter(({ vector, passed }) => !passed && !expectedOnQemu.has(vector.name))
          expect(
            unexplained.map(
              ({ vector, failures }) => `${vector.name} (${vector.clause}): ${describeFailure(failures[0]!)}`,
            ),
          ).toEqual([])
          expect(results.length).toBeGreaterThan(100)
        } finally {
          await target.close()
        }
      })

  it('fails each vector that is listed as failing, unless its deviation is of other versions, too', () => {
    const always = (id: string) => GICV2_DEVIATIONS.find((deviation) => deviation.id === id)!.versions.length > 1
    const stale = [...expectedOnQemu].filter(([name, id]) => !failed.has(name) && always(id))
    expect(stale).toEqual([])
  })

  afterAll(() => {
    // For a person who compares runs.
    console.log(`${ran.size} vectors on QEMU: ${ran.size - failed.size} pass, ${failed.size} fail as listed`)
  })
})
