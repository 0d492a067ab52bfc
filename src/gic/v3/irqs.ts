/**
 * GICv3's interrupts: what it adds to the common state (group modifier, NMI, routes by affinity, extended INTIDs), and which
 * PE a candidate is listed for: the owner of a private one, the PE that an SPI is routed to, or for a 1-of-N SPI the set
 * that no PE owns. LPIs are not here: they are in `lpis.ts`.
 */

import { lowBits } from '../bits.ts'
import { Candidates, candidateKey } from '../candidates.ts'
import type { Events } from '../events.ts'
import { Interrupts } from '../interrupts.ts'
import type { CheckedConfigV3 } from './config.ts'
import { DirtyPes } from './dirty.ts'
import { Group, NMI_SETS, NON_SECURE_NMI, SETS } from './groups.ts'
import { Recipients } from './recipients.ts'

const SPI_WORDS = 31
const SGIS = 0xffff

export const FIRST_ESPI = 4096
export const FIRST_EPPI = 1056

/** GICD_IROUTER.Interrupt_Routing_Mode. */
export const IRM = 1 << 31

const { G0, G1S, G1NS } = Group

/** Target of an SPI that is routed to no PE. */
const NOWHERE = -1

export class IrqsV3 extends Interrupts {
  /** GICD_IGRPMODR: with group 0, Secure Group 1. */
  readonly modifier: Int32Array
  /** GICD_INMIR: non-maskable. */
  readonly nmi: Int32Array
  /** GICD_IROUTER: Aff2 to Aff0 and the routing mode, and Aff3, by slot. */
  readonly routeLow: Int32Array
  readonly routeHigh: Uint8Array
  readonly candidates: Candidates

  /** First word of the extended SPIs, and of the extended PPIs, two for each PE. */
  readonly espiWord: number
  readonly eppiWord: number
  /** GICD_CTLR.DS is 0: IGRPMODR counts. */
  twoStates: boolean
  /** The PEs whose candidates changed, or whose interface did. */
  readonly dirty: DirtyPes
  /** The PE that takes the 1-of-N interrupts of each group. */
  readonly recipients: Recipients
  /** Candidates that are 1-of-N, or non-maskable: nearly always none, and then no one looks for them. */
  rare = 0

  readonly #config: CheckedConfigV3
  readonly #peOf = new Map<number, number>()
  readonly #targets: Int16Array

  constructor(config: CheckedConfigV3, events: Events) {
    const espiWords = config.extendedSpis / 32
    const eppiWords = config.extendedPpis === 0 ? 0 : config.cpus * 2
    super(config.cpus, SPI_WORDS + espiWords + eppiWords, events)
    this.#config = config
    this.dirty = new DirtyPes(config.cpus)
    this.recipients = new Recipients(config.cpus, this.dirty)
    this.espiWord = config.cpus + SPI_WORDS
    this.eppiWord = this.espiWord + espiWords
    this.twoStates = config.security
    this.modifier = new Int32Array(this.words)
    this.nmi = new Int32Array(this.words)
    const slots = this.words * 32
    this.routeLow = new Int32Array(slots)
    this.routeHigh = new Uint8Array(slots)
    this.#targets = new Int16Array(slots)
    config.affinities.forEach((affinity, pe) => {
      this.#peOf.set(affinity, pe)
    })
    const last =
      config.extendedSpis > 0 ? FIRST_ESPI + config.extendedSpis : config.extendedPpis > 0 ? FIRST_EPPI + 64 : 1024
    this.candidates = new Candidates((config.cpus + 1) * SETS, last)
    for (let word = 0; word < this.words; word++) this.implemented[word] = this.#exist(word)
    this.reset()
  }

  /** Cold reset. Input wires stay. */
  reset(): void {
    const { enabled, latch, message, active, group, edge, withdrawn, modifier, nmi } = this
    for (const bitmap of [enabled, latch, message, active, group, edge, withdrawn, modifier, nmi, ...this.nsacr])
      bitmap.fill(0)
    this.sgis.clear()
    this.priority.fill(0)
    this.routeLow.fill(0)
    this.routeHigh.fill(0)
    for (let pe = 0; pe < this.pes; pe++) this.edge[pe] = SGIS
    this.twoStates = this.#config.security
    this.retarget()
  }

  override intidOf(word: number, bit: number): number {
    if (word < this.pes) return bit
    return word < this.espiWord ? ((word - this.pes + 1) << 5) | bit : this.#extendedIntid(word, bit)
  }

  #extendedIntid(word: number, bit: number): number {
    if (word < this.eppiWord) return FIRST_ESPI + (word - this.espiWord) * 32 + bit
    return FIRST_EPPI + ((word - this.eppiWord) & 1) * 32 + bit
  }

  override wordOf(intid: number, pe: number): number {
    if (intid < 32) return pe
    return intid < 1024 ? this.pes + (intid >>> 5) - 1 : this.#extendedWord(intid, pe)
  }

  #extendedWord(intid: number, pe: number): number {
    if (intid < FIRST_ESPI) return this.eppiWord + pe * 2 + ((intid - FIRST_EPPI) >>> 5)
    return this.espiWord + ((intid - FIRST_ESPI) >>> 5)
  }

  override ownerOf(word: number): number {
    if (word < this.pes) return word
    return word >= this.eppiWord ? (word - this.eppiWord) >>> 1 : -1
  }

  /** Whether this GIC has the INTID (an SGI, PPI or SPI, extended or not). */
  exists(intid: number): boolean {
    if (!Number.isInteger(intid) || intid < 0) return false
    return intid < 1024 ? intid < this.#config.intids : this.#existsExtended(intid)
  }

  #existsExtended(intid: number): boolean {
    const { extendedPpis, extendedSpis } = this.#config
    if (intid >= FIRST_ESPI) return intid < FIRST_ESPI + extendedSpis
    return intid >= FIRST_EPPI && intid < FIRST_EPPI + extendedPpis
  }

  /** Group of an interrupt (IHI 0069 4.6): IGRPMODR counts only while there are two Security states. */
  groupOf(word: number, bit: number): number {
    if ((this.group[word]! >>> bit) & 1) return G1NS
    return this.twoStates && (this.modifier[word]! >>> bit) & 1 ? G1S : G0
  }

  /** The interrupts of a word that are in Group 1, Secure or not. */
  group1(word: number): number {
    return this.group[word]! | (this.twoStates ? this.modifier[word]! : 0)
  }

  /** A Group 0 interrupt cannot be non-maskable. */
  isNmi(word: number, bit: number): boolean {
    return ((this.nmi[word]! >>> bit) & 1) === 1 && this.groupOf(word, bit) !== G0
  }

  /** A non-maskable interrupt has the best priority of all, or of the Non-secure ones (ICC_RPR_EL1.Priority). */
  priorityOf(word: number, bit: number): number {
    if (!this.isNmi(word, bit)) return this.priority[(word << 5) | bit]!
    return this.twoStates && this.groupOf(word, bit) === G1NS ? NON_SECURE_NMI : 0
  }

  /** The PE that an interrupt is for, -1 when there is none, or the number of PEs for 1-of-N. */
  targetOf(word: number, bit: number): number {
    const owner = this.ownerOf(word)
    return owner >= 0 ? owner : this.#targets[(word << 5) | bit]!
  }

  peWithAffinity(affinity: number): number {
    return this.#peOf.get(affinity) ?? NOWHERE
  }

  setRoute(slot: number, low: number, high: number): void {
    if (this.routeLow[slot] === low && this.routeHigh[slot] === high) return
    const word = slot >>> 5
    const bit = slot & 31
    const listed = this.isCandidate(word, bit)
    if (listed) this.list(word, bit, false)
    this.routeLow[slot] = low
    this.routeHigh[slot] = high
    this.#targets[slot] = this.#resolve(slot)
    if (listed) this.list(word, bit, true)
    if (this.events.active) this.reportState('target', word, bit, this.#targets[slot]!)
  }

  /** Resolves every route anew, and lists every candidate: after a reset, a restore, or a change of GICD_CTLR.DS. */
  retarget(): void {
    for (let slot = 0; slot < this.#targets.length; slot++) this.#targets[slot] = this.#resolve(slot)
    this.candidates.clear()
    this.rare = 0
    this.relist()
  }

  protected override list(word: number, bit: number, add: boolean): void {
    const pe = this.targetOf(word, bit)
    if (pe === NOWHERE) return
    const group = this.groupOf(word, bit)
    const nmi = this.isNmi(word, bit)
    const set = pe * SETS + group + (nmi ? NMI_SETS : 0)
    const priority = nmi ? this.priorityOf(word, bit) : this.priority[(word << 5) | bit]!
    const key = candidateKey(priority, this.intidOf(word, bit))
    if (add) this.candidates.insert(set, key)
    else this.candidates.remove(set, key)
    if (nmi || pe === this.pes) this.rare += add ? 1 : -1
    const taker = pe < this.pes ? pe : this.recipients.chosen[group]!
    if (taker >= 0) this.dirty.mark(taker)
  }

  #resolve(slot: number): number {
    const low = this.routeLow[slot]!
    if (low & IRM) return this.pes
    return this.peWithAffinity(((low & 0xff_ffff) | (this.routeHigh[slot]! << 24)) >>> 0)
  }

  #exist(word: number): number {
    const { intids, extendedPpis } = this.#config
    if (word < this.pes || (word >= this.espiWord && word < this.eppiWord)) return -1
    if (word < this.espiWord) return lowBits(Math.min(32, Math.max(0, intids - this.intidOf(word, 0))))
    return ((word - this.eppiWord) & 1) * 32 < extendedPpis ? -1 : 0
  }
}
