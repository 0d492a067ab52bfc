/**
 * The state of every interrupt, as bitmaps and byte arrays that the registers are views of, and the upkeep of candidates as
 * it changes. Shared by GICv2 and GICv3. It does not know registers, PEs' interfaces, or how an interrupt is routed.
 *
 * Words: first one for each PE (its INTIDs 0 to 31), then the shared ones from INTID 32 on. A slot is a bit of a word:
 * the index of an interrupt's bytes.
 */

import { lowestBit } from './bits.ts'
import type { Events, StateName } from './events.ts'
import { activeGate, enabledGate, pendingGate } from './gates.ts'
import { SgiLog } from './sgi-log.ts'

const pendingWord = pendingGate.word
const enabledWord = enabledGate.word
const activeWord = activeGate.word

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

export abstract class Interrupts {
  /** PEs, and so words of private interrupts. */
  readonly pes: number
  readonly words: number
  readonly events: Events

  /** The interrupts that exist. */
  readonly implemented: Int32Array
  readonly enabled: Int32Array
  /** Pending because of an edge or by software; a level-sensitive interrupt is pending while it is asserted, too. */
  readonly latch: Int32Array
  /** Input wires. */
  readonly line: Int32Array
  /** SPIs that a message asserted and none has deasserted (GICD_SETSPI, GICD_CLRSPI): a level beside that of the wire. */
  readonly message: Int32Array
  readonly active: Int32Array
  /** 1: Group 1. */
  readonly group: Int32Array
  /** 1: edge-triggered. */
  readonly edge: Int32Array
  /** GICD_NSACR, as a bitmap for each level: at least 1, at least 2, 3. */
  readonly nsacr: readonly [Int32Array, Int32Array, Int32Array]
  /** A level was withdrawn before anyone acknowledged it: only `explain` reads this. */
  readonly withdrawn: Int32Array
  /** What was asked for with each SGI: only `explain` reads this. */
  readonly sgis: SgiLog
  readonly priority: Uint8Array

  /** Pending, enabled and not active: what is listed as a candidate at this moment. */
  protected readonly candidate: Int32Array

  constructor(pes: number, sharedWords: number, events: Events) {
    this.pes = pes
    this.words = pes + sharedWords
    this.events = events
    const bitmap = () => new Int32Array(this.words)
    this.implemented = bitmap()
    this.enabled = bitmap()
    this.latch = bitmap()
    this.line = bitmap()
    this.message = bitmap()
    this.active = bitmap()
    this.group = bitmap()
    this.edge = bitmap()
    this.nsacr = [bitmap(), bitmap(), bitmap()]
    this.withdrawn = bitmap()
    this.sgis = new SgiLog(pes)
    this.candidate = bitmap()
    this.priority = new Uint8Array(this.words * 32)
  }

  /** Puts a candidate into the sets of the PEs that it is routed to, or takes it out. */
  protected abstract list(word: number, bit: number, add: boolean): void

  /** The INTID of bit `bit` of a word. */
  intidOf(word: number, bit: number): number {
    return word < this.pes ? bit : ((word - this.pes + 1) << 5) | bit
  }

  /** The word of an INTID as PE `pe` sees it. */
  wordOf(intid: number, pe: number): number {
    return intid < 32 ? pe : this.pes + (intid >>> 5) - 1
  }

  /** The PE that a word is private to, or -1. */
  ownerOf(word: number): number {
    return word < this.pes ? word : -1
  }

  pending(word: number): number {
    return pendingWord(this, word)
  }

  isCandidate(word: number, bit: number): boolean {
    return ((this.candidate[word]! >>> bit) & 1) === 1
  }

  /** Lists and unlists what a change to this word has made, and unmade, a candidate. */
  refresh(word: number): void {
    const wanted = pendingWord(this, word) & enabledWord(this, word) & activeWord(this, word)
    let changed = wanted ^ this.candidate[word]!
    if (changed === 0) return
    this.candidate[word] = wanted
    do {
      const bit = lowestBit(changed)
      changed &= changed - 1
      this.list(word, bit, ((wanted >>> bit) & 1) === 1)
    } while (changed !== 0)
  }

  /** Lists every candidate anew, from nothing: after a restore. */
  relist(): void {
    this.candidate.fill(0)
    for (let word = 0; word < this.words; word++) this.refresh(word)
  }

  /** Assigns the bits `mask` of a bitmap whose bits gate candidates. */
  assign(bitmap: Int32Array, state: StateName, word: number, value: number, mask: number): void {
    const before = bitmap[word]!
    const after = (before & ~mask) | (value & mask)
    if (after === before) return
    bitmap[word] = after
    if (this.events.active) this.#report(state, word, after, after ^ before)
    this.refresh(word)
  }

  /** Assigns bits of a bitmap that says which set a candidate belongs to: its group, or what else places it. */
  assignPlacing(bitmap: Int32Array, state: StateName, word: number, value: number, mask: number): void {
    const before = bitmap[word]!
    const changed = (before ^ value) & mask
    if (changed === 0) return
    const moving = changed & this.candidate[word]!
    this.#relistBits(word, moving, false)
    bitmap[word] = before ^ changed
    this.#relistBits(word, moving, true)
    if (this.events.active) this.#report(state, word, before ^ changed, changed)
  }

  setPriority(slot: number, priority: number): void {
    if (this.priority[slot] === priority) return
    const word = slot >>> 5
    const bit = slot & 31
    const listed = this.isCandidate(word, bit)
    if (listed) this.list(word, bit, false)
    this.priority[slot] = priority
    if (listed) this.list(word, bit, true)
    if (this.events.active) this.reportState('priority', word, bit, priority)
  }

  /** An input wire. A rising edge latches an edge-triggered interrupt; level-sensitive ones follow the wire. */
  setLine(word: number, bit: number, level: boolean): void {
    const mask = 1 << bit
    const high = level ? mask : 0
    const before = this.line[word]!
    if ((before & mask) === high) return
    this.line[word] = before ^ mask
    const latch = this.latch[word]!
    const edge = this.edge[word]! & mask
    if (edge !== 0) this.latch[word] = latch | high
    else if (high !== 0) this.withdrawn[word]! &= ~mask
    else if (((latch | this.message[word]! | this.active[word]!) & mask) === 0) this.withdrawn[word]! |= mask
    if (this.events.active) this.#reportLine(word, bit, level, latch)
    // An active interrupt is no candidate, whatever its line does.
    if ((this.active[word]! & mask) === 0) this.refresh(word)
  }

  /** Puts the levels of a word's wires back. No edge is seen in that, and nothing withdrawn. */
  restoreLines(word: number, levels: number): void {
    this.#restoreLevels(this.line, word, levels)
  }

  /** Puts back which SPIs of a word messages have asserted. */
  restoreMessages(word: number, levels: number): void {
    this.#restoreLevels(this.message, word, levels)
  }

  #restoreLevels(bitmap: Int32Array, word: number, levels: number): void {
    bitmap[word] = levels & this.wired(word)
    this.withdrawn[word] = 0
    this.refresh(word)
  }

  /** The interrupts of a word that have a wire: all that exist but SGIs. */
  wired(word: number): number {
    return this.implemented[word]! & (word < this.pes ? ~SGIS : -1)
  }

  /**
   * A message adds the pending state to an SPI, or removes it (IHI 0069, GICD_SETSPI_NSR, GICD_CLRSPI_NSR). To an
   * edge-triggered one it is an edge; a level-sensitive one it asserts until another message deasserts it. The wire is apart.
   */
  setMessage(word: number, bit: number, asserted: boolean): void {
    const mask = 1 << bit
    const before = pendingWord(this, word) & mask
    if (!asserted) {
      this.message[word]! &= ~mask
      this.latch[word]! &= ~mask
    } else if (this.edge[word]! & mask) this.latch[word]! |= mask
    else this.message[word]! |= mask
    const after = pendingWord(this, word) & mask
    if (after === before) return
    if (after !== 0) this.withdrawn[word]! &= ~mask
    else if (((this.edge[word]! | this.active[word]!) & mask) === 0) this.withdrawn[word]! |= mask
    if (this.events.active) this.reportState('pending', word, bit, after === 0 ? 0 : 1)
    this.refresh(word)
  }

  /** An edge that no wire makes, as a GICv2m's message. To a level-sensitive interrupt it is too short for anyone to see. */
  pulse(word: number, bit: number): void {
    const mask = 1 << bit
    if (this.edge[word]! & mask) this.setMessage(word, bit, true)
    else if (((pendingWord(this, word) | this.active[word]!) & mask) === 0) this.withdrawn[word]! |= mask
  }

  /** Pending to active, or to active and pending while it is still asserted. */
  activate(word: number, bit: number): void {
    const mask = 1 << bit
    this.latch[word]! &= ~mask
    this.active[word]! |= mask
    this.withdrawn[word]! &= ~mask
    if (this.events.active) this.#reportActivated(word, bit)
    // It was a candidate, and is none now: there is nothing to ask the gates.
    const candidates = this.candidate[word]!
    if ((candidates & mask) === 0) return
    this.candidate[word] = candidates & ~mask
    this.list(word, bit, false)
  }

  deactivate(word: number, bit: number): void {
    this.active[word]! &= ~(1 << bit)
    if (this.events.active) this.reportState('active', word, bit, 0)
    this.refresh(word)
  }

  protected reportState(state: StateName, word: number, bit: number, value: number): void {
    this.events.emit({ kind: 'state', intid: this.intidOf(word, bit), cpu: this.ownerOf(word), state, value })
  }

  /** `latch` as it was before: what was pending already does not become so, and what is latched stays. */
  #reportLine(word: number, bit: number, level: boolean, latch: number): void {
    const edge = (this.edge[word]! >>> bit) & 1
    const held = ((edge === 0 ? latch | this.message[word]! : latch) >>> bit) & 1
    this.reportState('line', word, bit, level ? 1 : 0)
    if (held === 0 && (level || edge === 0)) this.reportState('pending', word, bit, level ? 1 : 0)
  }

  #reportActivated(word: number, bit: number): void {
    this.reportState('active', word, bit, 1)
    this.reportState('pending', word, bit, (this.pending(word) >>> bit) & 1)
  }

  #report(state: StateName, word: number, value: number, changed: number): void {
    for (let rest = changed; rest !== 0; rest &= rest - 1) {
      const bit = lowestBit(rest)
      this.reportState(state, word, bit, (value >>> bit) & 1)
    }
  }

  #relistBits(word: number, bits: number, add: boolean): void {
    for (let rest = bits; rest !== 0; rest &= rest - 1) this.list(word, lowestBit(rest), add)
  }
}
