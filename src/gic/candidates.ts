/**
 * The interrupts that a PE could be given, kept so that the best one is found in constant time: for each set (a PE and an
 * interrupt group) a bitmap of priority levels, and for each level a three-deep bitmap of INTIDs. Insertion, removal and
 * selection touch one word a level. It holds what the gates of `gates.ts` let through; it decides nothing itself.
 */

import { lowestBit } from './bits.ts'

/** No candidate: greater than every key, so that keys compare as numbers. */
export const NONE = 0x7fff_ffff

/** INTIDs are at most 23 bits wide in a key, so that a key is a small integer. */
const INTID_BITS = 23

/** Key of a candidate: the lower, the better. Ties of priority go to the lowest INTID. */
export function candidateKey(priority: number, intid: number): number {
  return (priority << INTID_BITS) | intid
}

export function keyPriority(key: number): number {
  return (key >>> INTID_BITS) & 0xff
}

export function keyIntid(key: number): number {
  return key & ((1 << INTID_BITS) - 1)
}

export class Candidates {
  readonly #words: number
  readonly #middles: number
  /** Key of each set's best candidate, or NONE. It stands apart: the bitmaps hold all others, and none while it is NONE. */
  readonly #best: Int32Array
  /** Priority levels in use: 8 words of 32 levels for each set, and one that says which of them are not 0. */
  readonly #levels: Int32Array
  readonly #tops: Int32Array
  /** For each set and level: which middle words are not 0; they say which words of the bitmap are not. */
  readonly #roots: Int32Array
  readonly #middle: Int32Array
  readonly #bits: Int32Array

  /** Room for INTIDs 0 to `intids` - 1 (at most 32,768) at 256 levels in each of `sets` sets. */
  constructor(sets: number, intids: number) {
    this.#words = Math.ceil(intids / 32)
    this.#middles = Math.ceil(this.#words / 32)
    this.#best = new Int32Array(sets).fill(NONE)
    this.#levels = new Int32Array(sets * 8)
    this.#tops = new Int32Array(sets)
    this.#roots = new Int32Array(sets * 256)
    this.#middle = new Int32Array(sets * 256 * this.#middles)
    this.#bits = new Int32Array(sets * 256 * this.#words)
  }

  /** Adds a candidate that is not in the set. */
  insert(set: number, key: number): void {
    const keys = this.#best
    const best = keys[set]!
    if (key > best) this.#put(set, key)
    else {
      keys[set] = key
      if (best !== NONE) this.#put(set, best)
    }
  }

  /** Removes a candidate that is in the set. */
  remove(set: number, key: number): void {
    const keys = this.#best
    if (keys[set] !== key) this.#take(set, key)
    else keys[set] = this.#tops[set] === 0 ? NONE : this.#takeBest(set)
  }

  /** Key of the set's best candidate, or NONE. */
  best(set: number): number {
    return this.#best[set]!
  }

  #put(set: number, key: number): void {
    const priority = keyPriority(key)
    const intid = keyIntid(key)
    const level = set * 256 + priority
    const word = intid >>> 5
    const at = level * this.#words + word
    const before = this.#bits[at]!
    this.#bits[at] = before | (1 << (intid & 31))
    if (before !== 0) return
    this.#middle[level * this.#middles + (word >>> 5)]! |= 1 << (word & 31)
    this.#roots[level]! |= 1 << (word >>> 5)
    this.#levels[set * 8 + (priority >>> 5)]! |= 1 << (priority & 31)
    this.#tops[set]! |= 1 << (priority >>> 5)
  }

  #take(set: number, key: number): void {
    const priority = keyPriority(key)
    const intid = keyIntid(key)
    const level = set * 256 + priority
    const word = intid >>> 5
    const at = level * this.#words + word
    const bits = this.#bits[at]! & ~(1 << (intid & 31))
    this.#bits[at] = bits
    if (bits !== 0) return
    const middleAt = level * this.#middles + (word >>> 5)
    const middle = this.#middle[middleAt]! & ~(1 << (word & 31))
    this.#middle[middleAt] = middle
    if (middle !== 0) return
    const root = this.#roots[level]! & ~(1 << (word >>> 5))
    this.#roots[level] = root
    if (root !== 0) return
    const levelAt = set * 8 + (priority >>> 5)
    const levels = this.#levels[levelAt]! & ~(1 << (priority & 31))
    this.#levels[levelAt] = levels
    if (levels === 0) this.#tops[set]! &= ~(1 << (priority >>> 5))
  }

  /** Takes the best of those in the bitmaps out of them. */
  #takeBest(set: number): number {
    const eight = lowestBit(this.#tops[set]!)
    const priority = eight * 32 + lowestBit(this.#levels[set * 8 + eight]!)
    const level = set * 256 + priority
    const middle = lowestBit(this.#roots[level]!)
    const word = middle * 32 + lowestBit(this.#middle[level * this.#middles + middle]!)
    const key = candidateKey(priority, word * 32 + lowestBit(this.#bits[level * this.#words + word]!))
    this.#take(set, key)
    return key
  }

  clear(): void {
    for (const words of [this.#levels, this.#tops, this.#roots, this.#middle, this.#bits]) words.fill(0)
    this.#best.fill(NONE)
  }
}
