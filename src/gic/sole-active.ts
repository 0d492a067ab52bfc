/**
 * Which interrupt an active priority is of, where nobody saw the acknowledge: the state was restored, or software has put its
 * active priorities back. It is the only active one that could have it; of several it is not known. For `explain` alone.
 */

import type { Interrupts } from './interrupts.ts'

const SEVERAL = -1

/**
 * Active interrupts of a PE by their row, as `rowOf` has it, of which each row may be of one; undefined there is an interrupt that
 * the PE does not run, or that is known to run.
 */
export function soleActives(
  irqs: Interrupts,
  pe: number,
  rowOf: (word: number, bit: number, intid: number) => number | undefined,
): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (let word = 0; word < irqs.words; word++) {
    const owner = irqs.ownerOf(word)
    if (owner >= 0 && owner !== pe) continue
    for (let rest = irqs.active[word]!; rest !== 0; rest &= rest - 1) {
      const bit = 31 - Math.clz32(rest & -rest)
      const intid = irqs.intidOf(word, bit)
      const row = rowOf(word, bit, intid)
      if (row !== undefined) found.set(row, found.has(row) ? SEVERAL : intid)
    }
  }
  for (const [row, intid] of found) if (intid === SEVERAL) found.delete(row)
  return found
}
