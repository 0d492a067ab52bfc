/**
 * GICv2's interrupts: what it adds to the common state (CPU targets, the sources of a pending SGI, Non-secure access
 * rights), and how an interrupt is routed: a private one to its CPU, an SPI to every CPU in its target byte, 1-of-N.
 */

import { lowBits, lowestBit } from '../bits.ts'
import { Candidates, candidateKey } from '../candidates.ts'
import type { Events } from '../events.ts'
import { Interrupts } from '../interrupts.ts'
import type { CheckedConfig } from './config.ts'

const SHARED_WORDS = 31
const SGIS = 0xffff

export class IrqsV2 extends Interrupts {
  /** GICD_ITARGETSR: a bit for each CPU, by slot. Private interrupts have none. */
  readonly targets: Uint8Array
  /** Which CPUs' SGIs are pending, a bit for each source, by target CPU * 16 + SGI. */
  readonly sources: Uint8Array
  /** Source CPU of the SGI that was last acknowledged, by target CPU * 16 + SGI. */
  readonly activeSource: Uint8Array
  readonly candidates: Candidates
  /** CPUs whose candidates have changed since their outputs were brought up to date. */
  dirty = 0

  readonly #config: CheckedConfig

  constructor(config: CheckedConfig, events: Events) {
    super(config.cpus, SHARED_WORDS, events)
    this.#config = config
    this.targets = new Uint8Array(this.words * 32)
    this.sources = new Uint8Array(config.cpus * 16)
    this.activeSource = new Uint8Array(config.cpus * 16)
    this.candidates = new Candidates(config.cpus * 2, 1024)
    for (let word = 0; word < this.words; word++) {
      const first = word < this.pes ? 0 : this.intidOf(word, 0)
      this.implemented[word] = word < this.pes ? -1 : lowBits(Math.min(32, Math.max(0, config.intids - first)))
    }
    this.reset()
  }

  /** Cold reset: everything Group 0, disabled, idle, level-sensitive, priority 0; SGIs edge-triggered. Input wires stay. */
  reset(): void {
    for (const bitmap of [this.enabled, this.latch, this.active, this.group, this.edge, this.withdrawn, ...this.nsacr])
      bitmap.fill(0)
    this.sgis.clear()
    for (const bytes of [this.priority, this.targets, this.sources, this.activeSource]) bytes.fill(0)
    for (let cpu = 0; cpu < this.pes; cpu++) {
      this.edge[cpu] = SGIS
      if (this.#config.sgiEnable === 'always') this.enabled[cpu] = SGIS
    }
    this.candidates.clear()
    this.relist()
    this.dirty = lowBits(this.pes)
  }

  /** CPUs that an interrupt is routed to, as a mask. With one CPU, everything is (IHI 0048 4.3.12). */
  targetsOf(word: number, bit: number): number {
    if (word < this.pes) return 1 << word
    return this.pes === 1 ? 1 : this.targets[(word << 5) | bit]!
  }

  protected override list(word: number, bit: number, add: boolean): void {
    const { candidates } = this
    const key = candidateKey(this.priority[(word << 5) | bit]!, this.intidOf(word, bit))
    const group = (this.group[word]! >>> bit) & 1
    let targets = this.targetsOf(word, bit)
    this.dirty |= targets
    for (; targets !== 0; targets &= targets - 1) {
      const set = (lowestBit(targets) << 1) | group
      if (add) candidates.insert(set, key)
      else candidates.remove(set, key)
    }
  }

  override relist(): void {
    this.candidates.clear()
    super.relist()
  }

  setTargets(slot: number, targets: number): void {
    if (this.targets[slot] === targets) return
    const word = slot >>> 5
    const bit = slot & 31
    const listed = this.isCandidate(word, bit)
    if (listed) this.list(word, bit, false)
    this.targets[slot] = targets
    if (listed) this.list(word, bit, true)
    if (this.events.active) this.reportState('target', word, bit, targets)
  }

  /** Makes SGI `sgi` from `sources` (a bit for each CPU) pending on a CPU. */
  addSgi(cpu: number, sgi: number, sources: number): void {
    const at = cpu * 16 + sgi
    this.sources[at]! |= sources
    this.#latchSgi(cpu, sgi)
  }

  removeSgi(cpu: number, sgi: number, sources: number): void {
    const at = cpu * 16 + sgi
    this.sources[at]! &= ~sources
    this.#latchSgi(cpu, sgi)
  }

  /** Takes the lowest-numbered source off a pending SGI, to acknowledge it. SGIs of further sources stay pending. */
  takeSgi(cpu: number, sgi: number): number {
    const at = cpu * 16 + sgi
    const sources = this.sources[at]!
    const source = lowestBit(sources)
    this.sources[at] = sources & (sources - 1)
    this.activeSource[at] = source
    this.activate(cpu, sgi)
    if (sources !== 1 << source) this.#latchSgi(cpu, sgi)
    return source
  }

  #latchSgi(cpu: number, sgi: number): void {
    this.assign(this.latch, 'pending', cpu, this.sources[cpu * 16 + sgi]! === 0 ? 0 : -1, 1 << sgi)
  }
}
