/**
 * The batch whose results on QEMU are recorded in testdata/qemu-digests.json. Each row's cases depend on its name alone: new rows
 * leave the records of the others as they are.
 */
import { simdRows } from '../../simd/rows.ts'
import { fpRows } from '../rows.ts'
import { type Batch, randomBatch } from './compare.ts'
import { caseBytes } from './qemu.ts'

const seedOf = (name: string): number =>
  [...name].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193), 0x811c9dc5)

export function recording(): Batch {
  const batches = [...fpRows, ...simdRows]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((row) => randomBatch([row], 24, seedOf(row.name)))
  const names = batches.flatMap((batch) => batch.names)
  const words = new Uint32Array(names.length)
  const cases = new Uint8Array(names.length * caseBytes)
  let at = 0
  for (const batch of batches) {
    words.set(batch.words, at)
    cases.set(batch.cases, at * caseBytes)
    at += batch.words.length
  }
  return { names, words, cases }
}
