/**
 * The pieces that the LPIs of a GIC are kept in, and those of them that are not in use: a byte for each of 1,024 LPIs, and the
 * bitmaps of a priority level. Redistributors take pieces when LPIs pend and give them back when none does, so that memory
 * follows what pends. What the bytes and bits say is `lpis.ts`.
 */

const BLOCK_BITS = 10
/** LPIs of a block, and the groups of 32 whose places the bitmaps of a level hold. */
export const LPIS_OF_BLOCK = 1 << BLOCK_BITS

/** Pieces of each kind that are kept for the next who needs one; more are left to the garbage collector. */
const MOST_KEPT = 1024

export class LpiBlock {
  readonly bytes = new Uint8Array(LPIS_OF_BLOCK)
  /** The same, four at a time. */
  readonly words = new Int32Array(this.bytes.buffer)
  /** Bytes that are not 0. */
  used = 0
  next: LpiBlock | undefined
}

/** Which groups of 32 LPIs have one at this level: three bitmaps, each with a bit for every word of the next that is not 0. */
export class LpiLevel {
  top = 0
  readonly middle: Int32Array
  readonly groups: Int32Array
  next: LpiLevel | undefined

  constructor(words: number) {
    this.middle = new Int32Array(Math.ceil(words / 32))
    this.groups = new Int32Array(words)
  }

  add(group: number): void {
    const word = group >>> 5
    const before = this.groups[word]!
    this.groups[word] = before | (1 << (group & 31))
    if (before !== 0) return
    this.middle[word >>> 5]! |= 1 << (word & 31)
    this.top |= 1 << (word >>> 5)
  }

  remove(group: number): void {
    const word = group >>> 5
    const left = this.groups[word]! & ~(1 << (group & 31))
    this.groups[word] = left
    if (left !== 0) return
    const middle = this.middle[word >>> 5]! & ~(1 << (word & 31))
    this.middle[word >>> 5] = middle
    if (middle === 0) this.top &= ~(1 << (word >>> 5))
  }

  clear(): void {
    this.top = 0
    this.middle.fill(0)
    this.groups.fill(0)
  }
}

/** Of one GIC. Whoever gives a piece back has emptied it. */
export class LpiStore {
  readonly #words: number
  #block: LpiBlock | undefined
  #blocks = 0
  #level: LpiLevel | undefined
  #levels = 0

  /** For LPIs 0 to `lpis` - 1, counted from the first one on: at most 2^20. */
  constructor(lpis: number) {
    this.#words = Math.ceil(lpis / 1024)
  }

  takeBlock(): LpiBlock {
    const block = this.#block
    if (block === undefined) return new LpiBlock()
    this.#block = block.next
    this.#blocks--
    block.next = undefined
    return block
  }

  giveBlock(block: LpiBlock): void {
    if (this.#blocks === MOST_KEPT) return
    block.next = this.#block
    this.#block = block
    this.#blocks++
  }

  takeLevel(): LpiLevel {
    const level = this.#level
    if (level === undefined) return new LpiLevel(this.#words)
    this.#level = level.next
    this.#levels--
    level.next = undefined
    return level
  }

  giveLevel(level: LpiLevel): void {
    if (this.#levels === MOST_KEPT) return
    level.next = this.#level
    this.#level = level
    this.#levels++
  }
}
