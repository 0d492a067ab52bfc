/** The ITS vectors on this package's own ITS, wired either way; and that each command they are about is one they would miss. */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from '../model.ts'
import { describeFailure, runVector } from '../run-vectors.ts'
import type { Step, TargetConfig } from '../target.ts'
import type { Vector } from './build.ts'
import { itsSubjects, itsVectors } from './its.ts'
import { Opcode } from './its-build.ts'

const config: TargetConfig = { version: 3, cpus: 4, security: false, its: true }

async function failures(vector: Vector, target: ModelTarget): Promise<string[]> {
  await target.reset()
  return (await runVector(target, vector)).failures.map(describeFailure)
}

describe('our ITS', () => {
  const targets = [new ModelTarget(config), new ModelTarget(config, { wiring: 'group' })]
  for (const [subject, vectors] of Object.entries(itsSubjects))
    describe(subject, () => {
      it.each(vectors.map((vector) => [vector.name, vector.clause, vector] as const))(
        '%s (%s)',
        async (_, __, vector) => {
          for (const target of targets) expect(await failures(vector, target), target.name).toEqual([])
        },
      )
    })
})

/** The vector with each command of one kind made a SYNC, which does nothing. */
function without(opcode: number, vector: Vector): Vector {
  const alter = (step: Step): Step =>
    step.op === 'store' && step.words.length === 4 && Number(step.words[0]! & 0xffn) === opcode
      ? { ...step, words: [BigInt(Opcode.SYNC), 0n, 0n, 0n] }
      : step
  return { ...vector, steps: vector.steps.map((one) => ({ ...one, step: alter(one.step) })) }
}

describe('the vectors', () => {
  it.each(Object.entries(Opcode).filter(([name]) => name !== 'SYNC'))(
    'find out an ITS in which %s does nothing',
    async (name, opcode) => {
      const target = new ModelTarget(config)
      const about = itsVectors.filter(({ clause }) => clause === `IHI 0069 5.3 ${name}`)
      expect(about.length).toBeGreaterThan(1)
      let found = 0
      for (const vector of about) if ((await failures(without(opcode, vector), target)).length > 0) found++
      expect(found).toBeGreaterThan(0)
    },
  )

  it('have a sentence each, of its own, and a clause', () => {
    const names = itsVectors.map(({ name, clause }) => `${name} ${clause}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { clause, steps } of itsVectors) {
      expect(clause).toMatch(/^IHI 0069 \d/)
      expect(steps.some((step) => step.expect !== undefined)).toBe(true)
    }
  })
})
