/** Vectors as JSON: that nothing is lost on the way out and back, and that what is no set of vectors is refused with its place. */

import { describe, expect, it } from 'vitest'
import { VectorFormatError, vectorsFromJson, vectorsToJson, vectorToJson } from './json.ts'
import { ModelTarget } from './model.ts'
import { runVectors } from './run-vectors.ts'
import { subjectsOf, traitsOf } from './suite.ts'

describe('vectors as JSON', () => {
  const text = JSON.stringify(vectorsToJson())

  it('come back as the vectors that they were, every one', () => {
    const back = vectorsFromJson(JSON.parse(text))
    for (const version of [2, 3] as const) {
      expect(Object.keys(back[version])).toEqual(Object.keys(subjectsOf[version]))
      for (const [subject, vectors] of Object.entries(subjectsOf[version]))
        expect(back[version][subject]?.map(vectorToJson), subject).toEqual(vectors.map(vectorToJson))
    }
  })

  it('pass on the model as the built ones do', async () => {
    const back = vectorsFromJson(JSON.parse(text))
    for (const version of [2, 3] as const) {
      const target = new ModelTarget(
        { version, cpus: 4, security: false, its: version === 3 },
        { gicv3: { priorityBits: 5, invalidateRegisters: true } },
      )
      const results = await runVectors(target, Object.values(back[version]).flat(), traitsOf[version])
      expect(results.length).toBeGreaterThan(200)
      expect(results.filter(({ passed }) => !passed).map(({ vector }) => vector.name)).toEqual([])
    }
  })

  it('are chosen by subject and vector', () => {
    const { subjects } = vectorsToJson([2], (subject) => subject === 'GICv2m')
    expect(subjects.map(({ gic, subject }) => [gic, subject])).toEqual([[2, 'GICv2m']])
    expect(subjects[0]!.vectors).toHaveLength(subjectsOf[2]['GICv2m']!.length)
  })

  it.each([
    ['not an object', 3, 'document: is no object'],
    ['another format', { format: 'x' }, "document.format: is not 'vgic-vectors'"],
    ['a later version', { format: 'vgic-vectors', version: 2 }, 'document.version: is not 1, the one known here'],
    [
      'a step that nobody knows',
      document({ op: 'dance' }),
      'subjects[0].vectors[0].steps[0].op: is none of read, write, spi, ppi, lines, mrs, msr, store, load',
    ],
    ['a step that lacks a member', document({ op: 'load' }), 'subjects[0].vectors[0].steps[0].address: is missing'],
    ['a member that no step has', document({ op: 'lines', at: 1 }), 'subjects[0].vectors[0].steps[0].at: is not known'],
    [
      'a number where a hexadecimal string belongs',
      document({ op: 'load', address: 5 }),
      'subjects[0].vectors[0].steps[0].address: is no hexadecimal string of 64 bits',
    ],
  ])('refuse %s', (_, wrong, message) => {
    expect(() => vectorsFromJson(wrong)).toThrow(new VectorFormatError(message))
  })
})

function document(step: object): unknown {
  const vectors = [{ name: 'x', clause: 'y', needs: {}, steps: [step] }]
  return { format: 'vgic-vectors', version: 1, subjects: [{ gic: 2, subject: 'z', vectors }] }
}
