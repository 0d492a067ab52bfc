/**
 * The LPIs of one Redistributor: which are pending, and which of those can be delivered, by the configuration table in guest
 * memory (IHI 0069 5.1). The configuration of an LPI is read when it becomes pending and when it is invalidated; the pending
 * table is read when LPIs are enabled and written when they are disabled or saved.
 */

import { lowestBit } from '../bits.ts'
import { Candidates, candidateKey, keyIntid, keyPriority, NONE } from '../candidates.ts'
import type { GuestMemory } from '../memory.ts'

export const FIRST_LPI = 8192

/** Room of one set of candidates. */
const SET_BITS = 15
const SET_SIZE = 1 << SET_BITS

/** Not listed as a candidate. */
const UNLISTED = 0

export class Lpis {
  /** First INTID beyond those that the tables cover. */
  readonly end: number
  /** Of the configuration table's and the pending table's first byte. The latter's first 1,024 bytes belong to no LPI. */
  readonly configuration: number
  readonly pendingTable: number

  readonly #memory: GuestMemory
  /** LPI priorities are in the Non-secure view: the lower half of all while there are two Security states. */
  readonly #shifted: () => boolean
  readonly #pending: Int32Array
  /** Priority + 1 at which an LPI is listed, or UNLISTED. */
  readonly #listed: Uint16Array
  readonly #candidates: Candidates
  readonly #sets: number
  /** Key of the best candidate of all sets, or NONE. */
  #best = NONE

  constructor(memory: GuestMemory, configuration: number, pendingTable: number, end: number, shifted: () => boolean) {
    const count = Math.max(0, end - FIRST_LPI)
    this.#memory = memory
    this.#shifted = shifted
    this.configuration = configuration
    this.pendingTable = pendingTable
    this.end = FIRST_LPI + count
    this.#pending = new Int32Array(Math.ceil(count / 32))
    this.#listed = new Uint16Array(count)
    this.#sets = Math.ceil(count / SET_SIZE)
    this.#candidates = new Candidates(this.#sets, Math.min(count, SET_SIZE))
  }

  covers(intid: number): boolean {
    return intid >= FIRST_LPI && intid < this.end
  }

  isPending(intid: number): boolean {
    const at = intid - FIRST_LPI
    return ((this.#pending[at >>> 5]! >>> (at & 31)) & 1) === 1
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
    return this.#listed[intid - FIRST_LPI]! - 1
  }

  /** One that pends already stays as it is: until it is invalidated, its configuration is as it was read (IHI 0069 5.1.1). */
  setPending(intid: number): void {
    if (this.isPending(intid)) return
    const at = intid - FIRST_LPI
    this.#pending[at >>> 5]! |= 1 << (at & 31)
    this.refresh(intid)
  }

  /** Makes an LPI pending without reading its configuration: `refresh` does. False where the tables do not cover it. */
  adopt(intid: number): boolean {
    if (!this.covers(intid)) return false
    const at = intid - FIRST_LPI
    this.#pending[at >>> 5]! |= 1 << (at & 31)
    return true
  }

  clearPending(intid: number): void {
    const at = intid - FIRST_LPI
    this.#pending[at >>> 5]! &= ~(1 << (at & 31))
    this.#unlist(at)
  }

  /** Lists or unlists an LPI by its configuration as it is in memory now. */
  refresh(intid: number): void {
    const at = intid - FIRST_LPI
    this.#unlist(at)
    if (!this.isPending(intid)) return
    const configuration = this.configurationOf(intid)
    if (!(configuration & 1)) return
    this.#list(at, this.priorityOf(configuration))
  }

  /** Of all that pend; how many those are. */
  refreshAll(): number {
    let seen = 0
    this.forEachPending((intid) => {
      this.refresh(intid)
      seen++
    })
    return seen
  }

  /** Gives another Redistributor all that pend and that it covers; how many pended. */
  moveAllTo(target: Lpis): number {
    const list = this.pendingList()
    for (const intid of list) {
      if (!target.covers(intid)) continue
      this.clearPending(intid)
      target.setPending(intid)
    }
    return list.length
  }

  /** GICD_CTLR.DS was set: what was listed in the lower half of the priorities goes where its configuration says. */
  securityDisabled(): void {
    this.forEachPending((intid) => {
      const at = intid - FIRST_LPI
      const priority = (this.listedPriority(intid) << 1) & 0xff
      if (this.#listed[at] === UNLISTED) return
      this.#unlist(at)
      this.#list(at, priority)
    })
  }

  forEachPending(visit: (intid: number) => void): void {
    for (let word = 0; word < this.#pending.length; word++)
      for (let rest = this.#pending[word]!; rest !== 0; rest &= rest - 1) visit(FIRST_LPI + word * 32 + lowestBit(rest))
  }

  /** Key of the best candidate, or NONE. */
  best(): number {
    return this.#best
  }

  #findBest(): number {
    let best = NONE
    for (let set = 0; set < this.#sets; set++) {
      const key = this.#candidates.best(set)
      if (key === NONE) continue
      const whole = candidateKey(keyPriority(key), FIRST_LPI + set * SET_SIZE + keyIntid(key))
      if (whole < best) best = whole
    }
    return best
  }

  /** Takes over the pending table in memory (GICR_PENDBASER, IHI 0069 5.1.2). */
  loadPendingTable(): void {
    for (let intid = FIRST_LPI; intid < this.end; intid += 8) {
      const address = this.pendingTable + (intid >>> 3)
      if (!this.#memory.contains(address, 1)) return
      for (let bits = this.#memory.read8(address); bits !== 0; bits &= bits - 1) {
        const pending = intid + lowestBit(bits)
        if (pending < this.end) this.setPending(pending)
      }
    }
  }

  /** Writes the pending table to memory, as far as it is memory. */
  savePendingTable(): void {
    for (let intid = FIRST_LPI; intid < this.end; intid += 8) {
      const address = this.pendingTable + (intid >>> 3)
      if (!this.#memory.contains(address, 1)) return
      const at = intid - FIRST_LPI
      const bits = (this.#pending[at >>> 5]! >>> (at & 31)) & 0xff
      if (this.#memory.read8(address) !== bits) this.#memory.write8(address, bits)
    }
  }

  pendingList(): number[] {
    const list: number[] = []
    this.forEachPending((intid) => list.push(intid))
    return list
  }

  #list(at: number, priority: number): void {
    this.#listed[at] = priority + 1
    this.#candidates.insert(at >>> SET_BITS, priority, at & (SET_SIZE - 1))
    const key = candidateKey(priority, FIRST_LPI + at)
    if (key < this.#best) this.#best = key
  }

  #unlist(at: number): void {
    const listed = this.#listed[at]!
    if (listed === UNLISTED) return
    this.#listed[at] = UNLISTED
    this.#candidates.remove(at >>> SET_BITS, listed - 1, at & (SET_SIZE - 1))
    if (candidateKey(listed - 1, FIRST_LPI + at) === this.#best) this.#best = this.#findBest()
  }
}
