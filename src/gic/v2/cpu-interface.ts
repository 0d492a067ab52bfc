/**
 * The CPU interface of one CPU of a GICv2: its control state, priority grouping, and the active priorities from which the
 * running priority follows (IHI 0048 chapters 3.3 and 4.4). Acknowledging and ending interrupts, and signalling, is `delivery.ts`.
 */

import { lowBits, lowestBit } from '../bits.ts'
import { NONE } from '../candidates.ts'
import type { OutputWires } from '../outputs.ts'

/** GICC_CTLR in the Secure (or only) view (IHI 0048 table 4-31). */
export const Ctlr = {
  EnableGrp0: 1 << 0,
  EnableGrp1: 1 << 1,
  AckCtl: 1 << 2,
  FIQEn: 1 << 3,
  CBPR: 1 << 4,
  FIQBypDisGrp0: 1 << 5,
  IRQBypDisGrp0: 1 << 6,
  FIQBypDisGrp1: 1 << 7,
  IRQBypDisGrp1: 1 << 8,
  EOImodeS: 1 << 9,
  EOImodeNS: 1 << 10,
} as const

/** What GICC_RPR shows while nothing is active. */
export const IDLE_PRIORITY = 0xff
/** Running priority while nothing is active: greater than every priority, and a bit of its own. */
export const IDLE = 256

const { CBPR } = Ctlr

export class CpuInterface {
  readonly cpu: number
  /** GICC_CTLR in the Secure view; the Non-secure one is a selection of its bits. */
  ctlr = 0
  /** GICC_PMR: only interrupts of a lower value are signalled. */
  pmr = 0
  bpr: number
  abpr: number
  /** Active priorities, a bit for each group priority: of Group 0 and of Group 1 interrupts. */
  readonly apr = new Int32Array(4)
  readonly nsapr = new Int32Array(4)
  /**
   * INTID + 1 that was acknowledged at each active priority of each group, by group * 128 + level: whom `explain` names as
   * running. It counts only while that priority is active, and is 0 where software wrote the priority itself.
   */
  readonly taken = new Uint16Array(256)
  /** Follows from the active priorities. */
  running = IDLE
  /** Levels of the legacy interrupt inputs that bypass the GIC, as a sum of Output (IHI 0048 2.3.1). */
  legacy = 0
  /** Key of the interrupt that an acknowledge would take, or NONE. */
  signalled = NONE
  readonly wires: OutputWires

  /** Smallest binary point: what the implemented priority bits leave of group priority bits (IHI 0048 4.4.3). */
  readonly minimumBpr: number
  /** Implemented bits of a priority. */
  readonly priorityMask: number
  /** How many active priorities there are: 16 to 128, and in how many registers. */
  readonly levels: number
  readonly registers: number

  constructor(cpu: number, priorityBits: number, wires: OutputWires) {
    this.cpu = cpu
    this.wires = wires
    this.minimumBpr = Math.max(0, 7 - priorityBits)
    this.priorityMask = (0xff << (8 - priorityBits)) & 0xff
    this.levels = 1 << (7 - this.minimumBpr)
    this.registers = Math.max(1, this.levels / 32)
    this.bpr = this.minimumBpr
    this.abpr = this.minimumBpr + 1
  }

  reset(): void {
    this.ctlr = 0
    this.pmr = 0
    this.bpr = this.minimumBpr
    this.abpr = this.minimumBpr + 1
    this.apr.fill(0)
    this.nsapr.fill(0)
    this.taken.fill(0)
    this.running = IDLE
  }

  /**
   * The bits of a priority that decide preemption (IHI 0048 3.3.3). Group 1 has a binary point of its own, one bit more
   * than it says because it is written in the Non-secure view, unless GICC_CTLR.CBPR shares Group 0's.
   */
  groupPriorityMask(group: number): number {
    const point = group === 1 && !(this.ctlr & CBPR) ? this.abpr - 1 : this.bpr
    return (0xff << (point + 1)) & 0xff
  }

  /** Marks the group priority of an interrupt that is acknowledged active. */
  activatePriority(priority: number, group: number, intid: number): void {
    const level = (priority & this.groupPriorityMask(group)) >>> (this.minimumBpr + 1)
    this.taken[group * 128 + level] = intid + 1
    const registers = group === 1 ? this.nsapr : this.apr
    registers[level >>> 5]! |= 1 << (level & 31)
    this.running = Math.min(this.running, level << (this.minimumBpr + 1))
  }

  /** Priority drop: the best active priority of the group is no longer active. */
  dropPriority(group: number): void {
    const registers = group === 1 ? this.nsapr : this.apr
    // Better priorities than the running one are active in neither group.
    const first = this.running >>> (this.minimumBpr + 6)
    for (let i = first; i < this.registers; i++) {
      const bits = registers[i]!
      if (bits === 0) continue
      registers[i] = bits & (bits - 1)
      break
    }
    this.updateRunning(first)
  }

  /** The bits of active priorities register `index` that exist. */
  existingLevels(index: number): number {
    return lowBits(Math.min(32, Math.max(0, this.levels - index * 32)))
  }

  /** Finds the running priority; the registers before `first` are known to be 0. */
  updateRunning(first = 0): void {
    const { apr, nsapr } = this
    this.running = IDLE
    for (let i = first; i < this.registers; i++) {
      const bits = apr[i]! | nsapr[i]!
      if (bits === 0) continue
      this.running = (i * 32 + lowestBit(bits)) << (this.minimumBpr + 1)
      return
    }
  }
}
