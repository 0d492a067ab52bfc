/**
 * At which priority levels a Redistributor has LPIs that are candidates, and in which groups of 32: found, set and cleared in
 * constant time. Which LPIs of a group those are is in their bytes (`lpis.ts`).
 */

import { lowestBit } from '../bits.ts'
import type { LpiLevel, LpiStore } from './lpi-store.ts'

/** A level is bits 7:2 of a configuration byte. */
const LEVELS = 64

export class LpiLevels {
  readonly #store: LpiStore
  /** Of the levels in use. */
  readonly #bitmaps: (LpiLevel | undefined)[] = new Array(LEVELS).fill(undefined)
  /** Which those are. */
  readonly #inUse = new Int32Array(LEVELS / 32)

  constructor(store: LpiStore) {
    this.#store = store
  }

  add(level: number, group: number): void {
    let bitmaps = this.#bitmaps[level]
    if (bitmaps === undefined) {
      bitmaps = this.#store.takeLevel()
      this.#bitmaps[level] = bitmaps
      this.#inUse[level >>> 5]! |= 1 << (level & 31)
    }
    bitmaps.add(group)
  }

  remove(level: number, group: number): void {
    const bitmaps = this.#bitmaps[level]!
    bitmaps.remove(group)
    if (bitmaps.top !== 0) return
    this.#bitmaps[level] = undefined
    this.#inUse[level >>> 5]! &= ~(1 << (level & 31))
    this.#store.giveLevel(bitmaps)
  }

  /** The lowest level in use, or -1. */
  lowest(): number {
    const half = this.#inUse[0] !== 0 ? 0 : 1
    const levels = this.#inUse[half]!
    return levels === 0 ? -1 : half * 32 + lowestBit(levels)
  }

  /** The lowest group of a level in use. */
  lowestGroup(level: number): number {
    const { top, middle, groups } = this.#bitmaps[level]!
    const inMiddle = lowestBit(top)
    const word = inMiddle * 32 + lowestBit(middle[inMiddle]!)
    return word * 32 + lowestBit(groups[word]!)
  }

  clear(): void {
    for (const [level, bitmaps] of this.#bitmaps.entries()) {
      if (bitmaps === undefined) continue
      bitmaps.clear()
      this.#store.giveLevel(bitmaps)
      this.#bitmaps[level] = undefined
    }
    this.#inUse.fill(0)
  }
}
