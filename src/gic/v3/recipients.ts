/**
 * Which PE takes the 1-of-N interrupts of each group now: the lowest-numbered of those that take part. It is kept up as PEs
 * begin and cease to, in a time that does not grow with their number. Why they do is not its matter.
 */

import { lowestBit } from '../bits.ts'
import type { DirtyPes } from './dirty.ts'

const GROUPS = 3
/** Of each group: one bit for each of up to 1,024 PEs. */
const WORDS = 32

export class Recipients {
  /** By group: a PE, or -1 where none takes part. */
  readonly chosen = new Int16Array(GROUPS).fill(-1)
  /** The groups that each PE takes part in, as bits. */
  readonly #groups: Uint8Array
  /** The PEs of each group, and which of their words are not 0. */
  readonly #pes = new Int32Array(GROUPS * WORDS)
  readonly #words = new Int32Array(GROUPS)
  readonly #dirty: DirtyPes

  /** PEs that become or cease to be chosen are marked in `dirty`. */
  constructor(pes: number, dirty: DirtyPes) {
    this.#groups = new Uint8Array(pes)
    this.#dirty = dirty
  }

  /** A PE takes part in these groups, as bits, and in no other. */
  assign(pe: number, groups: number): void {
    let changed = groups ^ this.#groups[pe]!
    this.#groups[pe] = groups
    for (; changed !== 0; changed &= changed - 1) this.#toggle(lowestBit(changed), pe)
  }

  #toggle(group: number, pe: number): void {
    const word = pe >>> 5
    const bits = this.#pes[group * WORDS + word]! ^ (1 << (pe & 31))
    this.#pes[group * WORDS + word] = bits
    if (bits === 0) this.#words[group]! &= ~(1 << word)
    else this.#words[group]! |= 1 << word
    this.#choose(group)
  }

  #choose(group: number): void {
    const before = this.chosen[group]!
    const after = this.#lowest(group)
    if (after === before) return
    this.chosen[group] = after
    if (before >= 0) this.#dirty.mark(before)
    if (after >= 0) this.#dirty.mark(after)
  }

  #lowest(group: number): number {
    const words = this.#words[group]!
    if (words === 0) return -1
    const word = lowestBit(words)
    return word * 32 + lowestBit(this.#pes[group * WORDS + word]!)
  }
}
