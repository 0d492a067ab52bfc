/**
 * All GICv2 vectors on QEMU: each passes, or fails for a listed deviation. The vectors' own soundness is what QEMU passes;
 * that our GIC passes every one is tested beside the vectors.
 */

import { describe, expect, it } from 'vitest'
import { describeFailure, runVector, whyNot } from '../run-vectors.ts'
import type { TargetConfig } from '../target.ts'
import { gicv2Vectors } from '../vectors/index.ts'
import { accountFor } from './known.ts'
import { QemuTarget } from './target.ts'

const configs: readonly (readonly [string, TargetConfig])[] = [
  ['1 CPU', { version: 2, cpus: 1, security: false, its: false }],
  ['4 CPUs', { version: 2, cpus: 4, security: false, its: false }],
  ['8 CPUs', { version: 2, cpus: 8, security: false, its: false }],
  ['4 CPUs, Security Extensions', { version: 2, cpus: 4, security: true, its: false }],
]

describe('GICv2 vectors on QEMU', () => {
  it.each(configs)('%s', async (_, config) => {
    const target = await QemuTarget.start(config)
    const unlisted: string[] = []
    let passed = 0
    let listed = 0
    try {
      for (const vector of gicv2Vectors) {
        if (whyNot(vector.needs, target) !== undefined) continue
        await target.reset()
        const result = await runVector(target, vector)
        if (result.passed) {
          passed++
          continue
        }
        const asked = vector.steps.map(({ step, expect: expected }) => ({
          step:
            (step.op === 'read' || step.op === 'write') && step.secure === undefined
              ? { ...step, secure: config.security }
              : step,
          ...(expected === undefined ? {} : { expect: expected }),
        }))
        await target.reset()
        const known = accountFor(config, asked, await target.run(asked.map(({ step }) => step)))
        if (known.length > 0) listed++
        else unlisted.push(`${vector.name}: ${result.failures.map(describeFailure).join('; ')}`)
      }
    } finally {
      await target.close()
    }
    expect(unlisted).toEqual([])
    expect(passed).toBeGreaterThan(150)
    expect(listed).toBeLessThan(passed / 4)
  })
})
