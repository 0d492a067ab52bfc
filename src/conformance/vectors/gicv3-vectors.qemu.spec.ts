/** The GICv3 vectors on QEMU: it passes every one of them but those that a listed deviation explains, and those it fails. */

import { afterAll, describe, expect, it } from 'vitest'
import { QemuTarget } from '../qemu/target.ts'
import { describeFailure, runVectors } from '../run-vectors.ts'
import { gicv3ExpectedOnQemu } from './gicv3-expected-on-qemu.ts'
import { gicv3Vectors } from './gicv3-index.ts'

const failed = new Set<string>()
const ran = new Set<string>()
/** A Cortex-A57's CPU interface has five priority bits. */
const traits = { priorityBits: 5, intids: 288 }

describe("QEMU's GICv3", () => {
  for (const [cpus, security, its, el2] of [
    [1, false, false, false],
    [4, false, true, false],
    [8, false, false, false],
    [1, true, false, false],
    [4, true, false, true],
  ] as const)
    it(`passes, but for listed deviations, the vectors with ${cpus} PEs, ${security ? 'two Security states' : 'one Security state'}, ${its ? 'and LPIs' : 'and no LPIs'}${el2 ? ', and EL2' : ''}`, async () => {
      const target = await QemuTarget.start({ version: 3, cpus, security, its, el2 })
      try {
        const results = await runVectors(target, gicv3Vectors, traits)
        for (const { vector, passed } of results) {
          ran.add(vector.name)
          if (!passed) failed.add(vector.name)
        }
        const unexplained = results.filter(({ vector, passed }) => !passed && !gicv3ExpectedOnQemu.has(vector.name))
        expect(
          unexplained.map(
            ({ vector, failures }) => `${vector.name} (${vector.clause}): ${describeFailure(failures[0]!)}`,
          ),
        ).toEqual([])
        expect(results.length).toBeGreaterThan(40)
      } finally {
        await target.close()
      }
    })

  it('fails each vector that is listed as failing, unless newer versions pass it', () => {
    const stale = [...gicv3ExpectedOnQemu].filter(([name, { mended }]) => !failed.has(name) && !mended)
    expect(stale.map(([name]) => name)).toEqual([])
  })

  afterAll(() => {
    // For a person who compares runs.
    console.log(`${ran.size} GICv3 vectors on QEMU: ${ran.size - failed.size} pass, ${failed.size} fail as listed`)
  })
})
