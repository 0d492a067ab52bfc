/**
 * The CPU interface of one PE of a GICv3: the state behind the ICC_* system registers, priority grouping, and the active
 * priorities from which the running priority follows (IHI 0069 4.8). The registers are in `icc-registers.ts`, what they do
 * to interrupts in `delivery.ts`.
 */

import { lowestBit } from '../bits.ts'
import { NONE } from '../candidates.ts'
import type { OutputWires } from '../outputs.ts'
import type { CheckedConfigV3 } from './config.ts'
import { Group, NON_SECURE_NMI } from './groups.ts'

/** What ICC_RPR_EL1 shows while nothing is active. */
export const IDLE_PRIORITY = 0xff
/** Running priority while nothing is active: greater than every priority, and a bit of its own. */
export const IDLE = 256

/** Which of a register's copies an access means. Without two Security states there is the Non-secure one alone. */
export const Bank = { S: 0, NS: 1 } as const

const { G0, G1S, G1NS } = Group
const { S, NS } = Bank

export class CpuInterfaceV3 {
  readonly pe: number
  /** There are two Security states (GICD_CTLR.DS is 0). */
  readonly #twoStates: () => boolean
  /** Exception level and Security state that the PE is in; at EL3, `secure` is SCR_EL3.NS == 0. The embedder keeps them. */
  el = 1
  secure = false
  /** SCR_EL3.FIQ and SCR_EL3.IRQ: Group 0 and Group 1 registers trap to EL3. */
  scrFiq = false
  scrIrq = false
  /** SCTLR_ELx.NMI: an acknowledge of Group 1 leaves non-maskable interrupts to ICC_NMIAR1_EL1. */
  sctlrNmi = false

  /** ICC_PMR_EL1. */
  pmr = 0
  /** ICC_BPR0_EL1 and ICC_BPR1_EL1, by group. */
  readonly bpr = new Uint8Array(3)
  /** ICC_IGRPEN0_EL1 and ICC_IGRPEN1_EL1, a bit for each group. */
  enables = 0
  /** ICC_CTLR_EL1 and ICC_CTLR_EL3, a bit for each bank where there are two. */
  cbpr = 0
  eoiMode = 0
  eoiModeEl3 = false
  /** Active priorities, four registers for each group: one array, as what runs follows from all of them at once. */
  readonly #active = new Int32Array(3 * 4)
  /** ICC_AP0R<n>_EL1 and ICC_AP1R<n>_EL1: the same by group; and a bit for each group whose NMI is active. */
  readonly apr: readonly [Int32Array, Int32Array, Int32Array] = [
    this.#active.subarray(0, 4),
    this.#active.subarray(4, 8),
    this.#active.subarray(8, 12),
  ]
  activeNmi = 0
  /**
   * INTID + 1 that was acknowledged at each active priority of each group, by group * 129 + level, an NMI at level 128: whom
   * `explain` names as running. It counts only while that priority is active, and is 0 where software wrote it itself.
   */
  readonly taken = new Int32Array(3 * 129)
  /** The best active priority, non-maskable ones included, and the best of those; IDLE where there is none. */
  running = IDLE
  bestNmi = IDLE
  /** Key of the interrupt that an acknowledge would take, or NONE. */
  signalled = NONE
  readonly wires: OutputWires

  /** Smallest ICC_BPR0_EL1; that of Group 1 is one more. */
  readonly minimumBpr: number
  readonly priorityMask: number
  /** Active priorities in all, and the registers that hold them. */
  readonly levels: number
  readonly aprRegisters: number

  constructor(pe: number, config: CheckedConfigV3, wires: OutputWires, twoStates: () => boolean) {
    this.pe = pe
    this.wires = wires
    this.#twoStates = twoStates
    const preemptionBits = Math.min(7, config.priorityBits)
    this.minimumBpr = 7 - preemptionBits
    this.priorityMask = (0xff << (8 - config.priorityBits)) & 0xff
    this.levels = 1 << preemptionBits
    this.aprRegisters = Math.max(1, this.levels / 32)
    this.reset()
  }

  /** Warm reset of the PE: the interface's registers, not what the embedder says of the PE. */
  reset(): void {
    this.pmr = 0
    this.bpr[Group.G0] = this.minimumBpr
    this.bpr[Group.G1S] = this.minimumBpr
    this.bpr[Group.G1NS] = this.minimumBpr + 1
    this.enables = 0
    this.cbpr = 0
    this.eoiMode = 0
    this.eoiModeEl3 = false
    this.#active.fill(0)
    this.activeNmi = 0
    this.taken.fill(0)
    this.updateRunning()
  }

  /** The bits of a priority that decide preemption (IHI 0069 4.8.2): Non-secure Group 1 has its point one bit lower. */
  groupPriorityMask(group: number): number {
    if (this.cbpr !== 0 && this.#sharesPoint(group)) return (0xff << (this.bpr[G0]! + 1)) & 0xff
    const point = this.bpr[group]!
    return (0xff << (group === G1NS ? point : point + 1)) & 0xff
  }

  #sharesPoint(group: number): boolean {
    return group !== G0 && (this.cbpr & (1 << (group === G1NS ? NS : S))) !== 0
  }

  /**
   * An active priority is kept at the minimum binary point, whatever the interrupt's own is: ICC_RPR_EL1 shows "the group
   * priority as if the BPR ... was set to the minimum value". It is cut to a binary point where priorities are compared.
   */
  activatePriority(priority: number, group: number, intid: number): void {
    const level = priority >>> (this.minimumBpr + 1)
    this.taken[group * 129 + level] = intid + 1
    this.#active[(group << 2) | (level >>> 5)]! |= 1 << (level & 31)
    const running = level << (this.minimumBpr + 1)
    if (running < this.running) this.running = running
  }

  activateNmi(group: number, intid: number): void {
    this.taken[group * 129 + 128] = intid + 1
    this.activeNmi |= 1 << group
    this.updateRunning()
  }

  /** The group whose active priority is the running one, or -1. */
  runningGroup(): number {
    if (this.running === IDLE) return -1
    if (this.bestNmi === this.running) return this.activeNmi & (1 << G1S) ? G1S : G1NS
    const active = this.#active
    const level = this.running >>> (this.minimumBpr + 1)
    const i = level >>> 5
    const bit = 1 << (level & 31)
    return active[i]! & bit ? G0 : active[4 | i]! & bit ? G1S : G1NS
  }

  /**
   * Priority drop: the running priority, which is of `group`, is no longer active. A non-maskable one is that of its group's
   * ICC_AP1R0_EL1.NMI, which stays until it "has undergone priority drop" itself.
   */
  dropPriority(group: number): void {
    if (this.running === this.bestNmi) this.activeNmi &= ~(1 << group)
    else {
      const level = this.running >>> (this.minimumBpr + 1)
      this.#active[(group << 2) | (level >>> 5)]! &= ~(1 << (level & 31))
    }
    this.updateRunning()
  }

  updateRunning(): void {
    this.bestNmi = this.activeNmi === 0 ? IDLE : this.nmiPriority(lowestBit(this.activeNmi))
    this.running = this.bestNmi
    const active = this.#active
    for (let i = 0; i < this.aprRegisters; i++) {
      const bits = active[i]! | active[4 | i]! | active[8 | i]!
      if (bits === 0) continue
      this.running = Math.min(this.bestNmi, ((i << 5) | lowestBit(bits)) << (this.minimumBpr + 1))
      return
    }
  }

  /** Priority of a non-maskable interrupt of a group of 1: Secure ones come before all Non-secure interrupts. */
  nmiPriority(group: number): number {
    return group === Group.G1NS && this.#twoStates() ? NON_SECURE_NMI : 0
  }

  get idle(): boolean {
    return this.running === IDLE
  }

  /** The bits of active priorities register `index` that exist. */
  existingLevels(index: number): number {
    return levelsFrom(0, this.levels, index)
  }

  /** Those of them that are Non-secure software's where there are two Security states: the lower half of the priorities. */
  nonSecureLevels(index: number): number {
    return levelsFrom(this.levels / 2, this.levels, index)
  }
}

/** The bits of active priorities register `index` for the levels from `first` up to `end`. */
function levelsFrom(first: number, end: number, index: number): number {
  return upTo(end - index * 32) & ~upTo(first - index * 32)
}

function upTo(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : (1 << bits) - 1
}
