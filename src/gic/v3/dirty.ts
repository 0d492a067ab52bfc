/**
 * The PEs whose candidates or interface changed, until their outputs are brought up to date. Nearly always that is one PE,
 * which is kept as a number; the bitmap is for more. It does not know what is done for them.
 */

import { lowestBit } from '../bits.ts'

/** No PE. */
const CLEAN = -1
/** Those of the bitmap. */
const SEVERAL = -2

export class DirtyPes {
  #one = CLEAN
  readonly #bitmap: Int32Array

  constructor(pes: number) {
    this.#bitmap = new Int32Array(Math.ceil(pes / 32))
  }

  get clean(): boolean {
    return this.#one === CLEAN
  }

  mark(pe: number): void {
    const one = this.#one
    if (one === CLEAN) this.#one = pe
    else if (one !== pe) this.#markFurther(pe)
  }

  /** Takes the lowest-numbered PE off, where there is one. */
  take(): number {
    const pe = this.#one
    if (pe === SEVERAL) return this.#takeLowest()
    this.#one = CLEAN
    return pe
  }

  #markFurther(pe: number): void {
    if (this.#one !== SEVERAL) this.#bitmap[this.#one >>> 5]! |= 1 << (this.#one & 31)
    this.#one = SEVERAL
    this.#bitmap[pe >>> 5]! |= 1 << (pe & 31)
  }

  #takeLowest(): number {
    const words = this.#bitmap
    let word = 0
    while (words[word] === 0) word++
    const pe = word * 32 + lowestBit(words[word]!)
    words[word]! &= words[word]! - 1
    while (word < words.length && words[word] === 0) word++
    if (word === words.length) this.#one = CLEAN
    return pe
  }
}
