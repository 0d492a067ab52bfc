/**
 * The LPIs of one Redistributor: which are pending, and which of those can be delivered, by the configuration table in guest
 * memory (IHI 0069 5.1). The configuration of an LPI is read when it becomes pending and when it is invalidated; the pending
 * table is read when LPIs are enabled and written when they are disabled or saved. Memory follows what pends (`lpi-store.ts`).
 */

import { lowestBit } from '../bits.ts'
import { candidateKey, NONE } from '../candidates.ts'
import type { GuestMemory } from '../memory.ts'
import { LpiLevels } from './lpi-levels.ts'
import { LPIS_OF_BLOCK, type LpiBlock, type LpiStore } from './lpi-store.ts'

export const FIRST_LPI = 8192

/** A byte of a block: not pending; pending, and no candidate or the best one; from 2 on, a candidate at level byte - 2. */
const IDLE = 0
const APART = 1
const LISTED = 2

/** Of a place, which is a level and an LPI's number from 0 on: the lower, the better. */
const LEVEL_SHIFT = 20
const NUMBER = (1 << LEVEL_SHIFT) - 1
const NOWHERE = 0x7fff_ffff

export class Lpis {
  /** First INTID beyond those that the tables cover. */
  readonly end: number
  /** Of the configuration table's and the pending table's first byte. The latter's first 1,024 bytes belong to no LPI. */
  readonly configuration: number
  readonly pendingTable: number

  readonly #memory: GuestMemory
  readonly #store: LpiStore
  /** LPI priorities are in the Non-secure view: the lower half of all while there are two Security states. */
  readonly #shifted: () => boolean
  /** The bytes of LPIs, 1,024 at a time, where one of them is pending. */
  readonly #blocks: (LpiBlock | undefined)[]
  /** Candidates but the best one. */
  readonly #levels: LpiLevels
  /** Place of the best candidate. It stands apart: an LPI that pends alone, the common case, touches no level. */
  #best = NOWHERE
  /** Its key, or NONE. */
  #key = NONE

  constructor(
    memory: GuestMemory,
    store: LpiStore,
    configuration: number,
    pendingTable: number,
    end: number,
    shifted: () => boolean,
  ) {
    const count = Math.max(0, end - FIRST_LPI)
    this.#memory = memory
    this.#store = store
    this.#levels = new LpiLevels(store)
    this.#shifted = shifted
    this.configuration = configuration
    this.pendingTable = pendingTable
    this.end = FIRST_LPI + count
    this.#blocks = new Array(Math.ceil(count / LPIS_OF_BLOCK)).fill(undefined)
  }

  covers(intid: number): boolean {
    return intid >= FIRST_LPI && intid < this.end
  }

  isPending(intid: number): boolean {
    return this.#byte(intid - FIRST_LPI) !== IDLE
  }

  /** The LPI's byte of the configuration table: enable in bit 0, priority in bits 7:2; 0 where the table is not memory. */
  configurationOf(intid: number): number {
    const address = this.configuration + intid - FIRST_LPI
    return this.#memory.contains(address, 1) ? this.#memory.read8(address) : 0
  }

  priorityOf(configuration: number): number {
    const priority = configuration & 0xfc
    return this.#shifted() ? 0x80 | (priority >>> 1) : priority
  }

  /** Priority at which a pending LPI is a candidate, by its configuration as it was read last; -1 when it is none. */
  listedPriority(intid: number): number {
    const at = intid - FIRST_LPI
    const byte = this.#byte(at)
    if (byte >= LISTED) return this.priorityOf((byte - LISTED) << 2)
    return this.#isBest(at) ? this.priorityOf((this.#best >>> LEVEL_SHIFT) << 2) : -1
  }

  /** One that pends already stays as it is: until it is invalidated, its configuration is as it was read (IHI 0069 5.1.1). */
  setPending(intid: number): void {
    if (this.#mark(intid - FIRST_LPI)) this.#consider(intid - FIRST_LPI)
  }

  /** Makes an LPI pending without reading its configuration: `refresh` does. False where the tables do not cover it. */
  adopt(intid: number): boolean {
    if (!this.covers(intid)) return false
    this.#mark(intid - FIRST_LPI)
    return true
  }

  clearPending(intid: number): void {
    const at = intid - FIRST_LPI
    const block = this.#blocks[at >>> 10]
    if (block === undefined || block.bytes[at & 1023] === IDLE) return
    this.#unlist(at)
    block.bytes[at & 1023] = IDLE
    if (--block.used > 0) return
    this.#blocks[at >>> 10] = undefined
    this.#store.giveBlock(block)
  }

  /** Lists or unlists an LPI by its configuration as it is in memory now. */
  refresh(intid: number): void {
    if (!this.isPending(intid)) return
    this.#unlist(intid - FIRST_LPI)
    this.#consider(intid - FIRST_LPI)
  }

  /** Of all that pend; how many those are. */
  refreshAll(): number {
    this.#unlistAll()
    for (const block of this.#blocks)
      if (block !== undefined)
        for (let i = 0; i < LPIS_OF_BLOCK; i++) if (block.bytes[i]! >= LISTED) block.bytes[i] = APART
    let seen = 0
    this.forEachPending((intid) => {
      this.#consider(intid - FIRST_LPI)
      seen++
    })
    return seen
  }

  /** Gives another Redistributor all that pend and that it covers; how many pended. */
  moveAllTo(target: Lpis): number {
    let seen = 0
    if (target.end >= this.end) {
      this.forEachPending((intid) => {
        target.setPending(intid)
        seen++
      })
      this.clear()
      return seen
    }
    for (const intid of this.pendingList()) {
      seen++
      if (!target.covers(intid)) continue
      this.clearPending(intid)
      target.setPending(intid)
    }
    return seen
  }

  /** GICD_CTLR.DS was set: priorities are no longer in the lower half. Levels are as the configuration has them. */
  securityDisabled(): void {
    this.#setBest(this.#best)
  }

  /** Nothing is pending any more. */
  clear(): void {
    this.#unlistAll()
    for (const [i, block] of this.#blocks.entries()) {
      if (block === undefined) continue
      block.bytes.fill(0)
      block.used = 0
      this.#blocks[i] = undefined
      this.#store.giveBlock(block)
    }
  }

  /** In the order of INTIDs. The visitor may change the LPI that it is at, but make no other one pending or idle. */
  forEachPending(visit: (intid: number) => void): void {
    for (const [b, block] of this.#blocks.entries()) {
      if (block === undefined) continue
      const first = FIRST_LPI + b * LPIS_OF_BLOCK
      for (let i = 0; i < LPIS_OF_BLOCK; i += 4) {
        if (block.words[i >>> 2] === 0) continue
        for (let j = i; j < i + 4; j++) if (block.bytes[j] !== IDLE) visit(first + j)
      }
    }
  }

  /** Key of the best candidate, or NONE. */
  best(): number {
    return this.#key
  }

  /** Takes over the pending table in memory (GICR_PENDBASER, IHI 0069 5.1.2). */
  loadPendingTable(): void {
    for (let intid = FIRST_LPI; intid < this.end; intid += 32) {
      const address = this.pendingTable + (intid >>> 3)
      if (!this.#memory.contains(address, 4)) return
      for (let bits = this.#memory.read32(address); bits !== 0; bits &= bits - 1) {
        const pending = intid + lowestBit(bits)
        if (pending < this.end) this.setPending(pending)
      }
    }
  }

  /** Writes the pending table to memory, as far as it is memory. */
  savePendingTable(): void {
    for (let intid = FIRST_LPI; intid < this.end; intid += 32) {
      const address = this.pendingTable + (intid >>> 3)
      if (!this.#memory.contains(address, 4)) return
      const bits = this.#pendingWord(intid - FIRST_LPI)
      if (this.#memory.read32(address) !== bits) this.#memory.write32(address, bits)
    }
  }

  pendingList(): number[] {
    const list: number[] = []
    this.forEachPending((intid) => list.push(intid))
    return list
  }

  /** Makes an LPI pending, and no candidate. False where it was pending already. */
  #mark(at: number): boolean {
    let block = this.#blocks[at >>> 10]
    if (block === undefined) {
      block = this.#store.takeBlock()
      this.#blocks[at >>> 10] = block
    }
    if (block.bytes[at & 1023] !== IDLE) return false
    block.bytes[at & 1023] = APART
    block.used++
    return true
  }

  #byte(at: number): number {
    const block = this.#blocks[at >>> 10]
    return block === undefined ? IDLE : block.bytes[at & 1023]!
  }

  #pendingWord(at: number): number {
    const block = this.#blocks[at >>> 10]
    let bits = 0
    if (block !== undefined) for (let i = 0; i < 32; i++) if (block.bytes[(at & 1023) + i] !== IDLE) bits |= 1 << i
    return bits
  }

  #isBest(at: number): boolean {
    return this.#best !== NOWHERE && (this.#best & NUMBER) === at
  }

  #setBest(place: number): void {
    this.#best = place
    this.#key =
      place === NOWHERE
        ? NONE
        : candidateKey(this.priorityOf((place >>> LEVEL_SHIFT) << 2), FIRST_LPI + (place & NUMBER))
  }

  /** Lists a pending LPI that is not listed, where its configuration in memory says that it is enabled. */
  #consider(at: number): void {
    const configuration = this.configurationOf(FIRST_LPI + at)
    if (!(configuration & 1)) return
    const place = ((configuration >>> 2) << LEVEL_SHIFT) | at
    const best = this.#best
    if (place > best) this.#put(place)
    else {
      this.#setBest(place)
      if (best !== NOWHERE) this.#put(best)
    }
  }

  #unlist(at: number): void {
    const block = this.#blocks[at >>> 10]!
    const byte = block.bytes[at & 1023]!
    if (byte >= LISTED) this.#take(at, block, byte)
    else if (this.#isBest(at)) this.#setBest(this.#takeBest())
  }

  #put(place: number): void {
    const level = place >>> LEVEL_SHIFT
    const at = place & NUMBER
    this.#blocks[at >>> 10]!.bytes[at & 1023] = LISTED + level
    this.#levels.add(level, at >>> 5)
  }

  /** Takes a listed LPI out of its level. */
  #take(at: number, block: LpiBlock, byte: number): void {
    block.bytes[at & 1023] = APART
    if (!hasByte(block.words, (at & 1023 & ~31) >>> 2, byte)) this.#levels.remove(byte - LISTED, at >>> 5)
  }

  /** Takes the best of those in the levels out of them: its place, or NOWHERE. */
  #takeBest(): number {
    const level = this.#levels.lowest()
    if (level < 0) return NOWHERE
    let at = this.#levels.lowestGroup(level) * 32
    const block = this.#blocks[at >>> 10]!
    while (block.bytes[at & 1023] !== LISTED + level) at++
    this.#take(at, block, LISTED + level)
    return (level << LEVEL_SHIFT) | at
  }

  /** The levels and the best one, but not the bytes of those that were listed. */
  #unlistAll(): void {
    this.#levels.clear()
    this.#setBest(NOWHERE)
  }
}

/** Whether one of 32 bytes, as eight words from `from` on, is `byte`: no loop over bytes, as each removal asks. */
function hasByte(words: Int32Array, from: number, byte: number): boolean {
  const pattern = byte * 0x0101_0101
  for (let i = from; i < from + 8; i++) {
    const zero = words[i]! ^ pattern
    if (((zero - 0x0101_0101) & ~zero & 0x8080_8080) !== 0) return true
  }
  return false
}
