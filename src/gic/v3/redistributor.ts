/**
 * The Redistributor of one PE of a GICv3: its sleep state, its LPIs, and the registers behind them (IHI 0069 12.10, 12.11).
 * The SGIs and PPIs that its second frame shows are in the common state; an access acts on the owner, whoever makes it.
 */

import type { Initiator } from '../../mmio/index.ts'
import type { LpiTargets } from '../its/lpi-targets.ts'
import type { GuestMemory } from '../memory.ts'
import type { CheckedConfigV3 } from './config.ts'
import type { LpiStore } from './lpi-store.ts'
import { FIRST_LPI, Lpis } from './lpis.ts'
import type { RedistributorBases } from './rd-bases.ts'
import { StatusRegisters } from './status.ts'
import type { ViewedGicV3 } from './views.ts'

/** GICR_CTLR fields that software writes. */
export const RedistributorCtlr = {
  EnableLPIs: 1 << 0,
  CES: 1 << 1,
  IR: 1 << 2,
  DPG0: 1 << 24,
  DPG1NS: 1 << 25,
  DPG1S: 1 << 26,
} as const

/** The fields of GICR_CTLR.DPG that there are: DPG1S needs two Security states. */
export function dpgFields({ oneOfN, security }: CheckedConfigV3): number {
  const { DPG0, DPG1NS, DPG1S } = RedistributorCtlr
  return oneOfN ? DPG0 | DPG1NS | (security ? DPG1S : 0) : 0
}

/** Bits that are kept of GICR_PROPBASER and GICR_PENDBASER; PTZ is write-only. */
export const PROPBASER_LOW = 0xffff_ff9f | 0
export const PENDBASER_LOW = 0xffff_0f80 | 0
export const BASE_HIGH = 0x070f_ffff

/** What a Redistributor asks of its GIC. */
export interface RedistributorHost extends ViewedGicV3, LpiTargets {
  /** Where LPI tables are; undefined where there are none. */
  readonly memory: GuestMemory | undefined
  /** First INTID beyond the LPIs that exist. */
  readonly lpiEnd: number
  /** What pending LPIs are kept in. */
  readonly lpiStore: LpiStore
  /** Where the Redistributors are on the bus. */
  readonly rdBases: RedistributorBases
  markDirty(pe: number): void
  /** Brings the outputs of every PE whose candidates or interface changed up to date. */
  settle(): void
  /** A PE may take part in 1-of-N interrupts of other groups than before. */
  eligibilityChanged(pe: number): void
}

export class Redistributor {
  readonly gic: RedistributorHost
  readonly pe: number
  /** Affinity of the PE, as Aff3 to Aff0. */
  readonly affinity: number
  /** GICR_WAKER.ProcessorSleep and ChildrenAsleep: reset to asleep. */
  asleep = true
  dpg = 0
  readonly statusr = new StatusRegisters()
  propbaserLow = 0
  propbaserHigh = 0
  pendbaserLow = 0
  pendbaserHigh = 0
  /** There while GICR_CTLR.EnableLPIs is 1. */
  lpis: Lpis | undefined
  /** The base register that was written to no effect since LPIs were enabled, or none: only `explain` reads this. */
  ignoredTables = ''
  /** LPIs that are restored to be pending before the registers that their tables follow from are. */
  #early: readonly number[] = []
  /** GICR_PENDBASER.PTZ that is restored while LPIs are still enabled, from what this GIC was before. */
  #earlyPtz = 0

  constructor(gic: RedistributorHost, pe: number, config: CheckedConfigV3) {
    this.gic = gic
    this.pe = pe
    this.affinity = config.affinities[pe]!
  }

  /** The last of a contiguous run on the bus (GICR_TYPER.Last). */
  get last(): boolean {
    return this.gic.rdBases.endsRun(this.pe)
  }

  reset(): void {
    this.asleep = true
    this.dpg = 0
    this.statusr.reset()
    this.propbaserLow = 0
    this.propbaserHigh = 0
    this.pendbaserLow = 0
    this.pendbaserHigh = 0
    this.#closeTables()
    this.ignoredTables = ''
    this.#early = []
    this.#earlyPtz = 0
  }

  /** GICR_CTLR: nothing takes time here, so RWP and UWP are 0; EnableLPIs may be cleared again (CES). */
  ctlr(by: Initiator): number {
    const { config } = this.gic
    const fixed =
      (config.lpis === undefined ? 0 : RedistributorCtlr.CES) | (config.invalidateRegisters ? RedistributorCtlr.IR : 0)
    return (this.lpis === undefined ? 0 : RedistributorCtlr.EnableLPIs) | fixed | (this.dpg & this.#dpgOf(by))
  }

  setCtlr(value: number, by: Initiator): void {
    const mask = this.#dpgOf(by)
    if (mask !== 0) {
      this.dpg = (this.dpg & ~mask) | (value & mask)
      this.gic.eligibilityChanged(this.pe)
    }
    const enable = (value & RedistributorCtlr.EnableLPIs) !== 0
    if (enable === (this.lpis !== undefined)) return
    this.ignoredTables = ''
    this.#early = []
    this.#earlyPtz = 0
    if (enable) this.#enableLpis()
    else {
      this.lpis?.savePendingTable()
      this.#closeTables()
    }
    this.gic.markDirty(this.pe)
  }

  /** The bits of DPG that an access reaches: Secure ones are hidden from Non-secure accesses; DPG1S needs two states. */
  #dpgOf(by: Initiator): number {
    if (!this.gic.config.oneOfN) return 0
    if (!this.gic.twoStates) return RedistributorCtlr.DPG0 | RedistributorCtlr.DPG1NS
    return by.secure ? dpgFields(this.gic.config) : RedistributorCtlr.DPG1NS
  }

  /** GICR_WAKER: the state follows the request at once. */
  setWaker(value: number): void {
    const asleep = (value & 2) !== 0
    if (asleep === this.asleep) return
    this.asleep = asleep
    this.gic.eligibilityChanged(this.pe)
    this.gic.markDirty(this.pe)
  }

  get waker(): number {
    return this.asleep ? 6 : 0
  }

  /** Ignored while LPIs are enabled, when changing it is UNPREDICTABLE. */
  setPropbaser(half: number, value: number, by: Initiator): void {
    if (this.gic.config.lpis === undefined) return
    if (this.lpis !== undefined) {
      const [now, kept] = half === 0 ? [this.propbaserLow, PROPBASER_LOW] : [this.propbaserHigh, BASE_HIGH]
      if ((value & kept) !== now) this.#ignore('GICR_PROPBASER', by)
      return
    }
    if (half === 0) this.propbaserLow = value & PROPBASER_LOW
    else this.propbaserHigh = value & BASE_HIGH
  }

  /** PTZ (bit 62) says that the table is zero: it reads as 0 and is remembered until LPIs are enabled. */
  setPendbaser(half: number, value: number, by: Initiator): void {
    if (this.gic.config.lpis === undefined) return
    if (this.lpis !== undefined) {
      const [now, kept] = half === 0 ? [this.pendbaserLow, PENDBASER_LOW] : [this.pendbaserHigh, BASE_HIGH]
      if ((value & kept) !== now) this.#ignore('GICR_PENDBASER', by)
      return
    }
    if (half === 0) this.pendbaserLow = value & PENDBASER_LOW
    else this.pendbaserHigh = value & (BASE_HIGH | PTZ_HIGH)
  }

  #ignore(register: string, by: Initiator): void {
    this.ignoredTables = register
    this.gic.misuse('lpi-tables-in-use', by.cpu, -1, register)
  }

  /** What `restoreCtlr` takes back: DPG1S, too, while GICD_CTLR.DS hides it. */
  get savedCtlr(): number {
    return this.dpg | (this.lpis === undefined ? 0 : RedistributorCtlr.EnableLPIs)
  }

  /** No table is read or written: the LPIs that are pending have a door of their own. */
  restoreCtlr(value: number, by: Initiator): void {
    const { config } = this.gic
    const mask = by.secure ? dpgFields(config) : this.#dpgOf(by)
    this.dpg = (this.dpg & ~mask) | (value & mask)
    this.gic.eligibilityChanged(this.pe)
    const enable = (value & RedistributorCtlr.EnableLPIs) !== 0
    if (enable === (this.lpis !== undefined)) return
    if (enable) this.#openTables()
    else this.#closeTables()
    if (this.lpis !== undefined) this.pendbaserHigh &= ~PTZ_HIGH
    else this.pendbaserHigh |= this.#earlyPtz
    this.#earlyPtz = 0
    this.#adopt(this.#early)
  }

  restorePropbaser(half: number, value: number): void {
    if (this.gic.config.lpis === undefined) return
    const { propbaserLow, propbaserHigh } = this
    if (half === 0) this.propbaserLow = value & PROPBASER_LOW
    else this.propbaserHigh = value & BASE_HIGH
    if (this.propbaserLow !== propbaserLow || this.propbaserHigh !== propbaserHigh) this.#reopen()
  }

  /** PTZ is used up where LPIs are enabled, and waits for GICR_CTLR to say that they are not. */
  restorePendbaser(half: number, value: number): void {
    if (this.gic.config.lpis === undefined) return
    const { pendbaserLow, pendbaserHigh, lpis } = this
    if (half === 0) this.pendbaserLow = value & PENDBASER_LOW
    else {
      this.pendbaserHigh = value & (lpis === undefined ? BASE_HIGH | PTZ_HIGH : BASE_HIGH)
      this.#earlyPtz = lpis === undefined ? 0 : value & PTZ_HIGH
    }
    if (this.pendbaserLow !== pendbaserLow || this.pendbaserHigh !== pendbaserHigh) this.#reopen()
  }

  /** Takes LPIs up as a snapshot has them: pending ones where they are enabled. Call `refreshAll` when memory is there. */
  loadLpis(pending: readonly number[] | null): void {
    this.#early = []
    this.#earlyPtz = 0
    this.#closeTables()
    if (pending !== null) this.#openTables()
    this.#adopt(pending ?? [])
  }

  /** Puts back which LPIs are pending, and takes what was away. */
  restoreLpis(pending: readonly number[]): void {
    this.#early = []
    if (this.lpis !== undefined) this.#openTables()
    this.#adopt(pending)
  }

  #reopen(): void {
    if (this.lpis === undefined) return
    const pending = [...this.lpis.pendingList(), ...this.#early]
    this.#openTables()
    this.#adopt(pending)
  }

  /** Takes up LPIs as pending, as far as the tables cover them; the rest waits for the other registers. */
  #adopt(pending: readonly number[]): void {
    const { lpis } = this
    this.#early = pending.filter((intid) => lpis?.adopt(intid) !== true)
    this.gic.markDirty(this.pe)
  }

  /** First INTID beyond the LPIs that its tables cover. */
  get lpiEnd(): number {
    return lpiEndOf(this.propbaserLow, this.gic.lpiEnd)
  }

  #enableLpis(): void {
    this.#openTables()
    if (!(this.pendbaserHigh & PTZ_HIGH)) this.lpis?.loadPendingTable()
    this.pendbaserHigh &= ~PTZ_HIGH
  }

  /** What the LPIs were kept in is free for others. */
  #closeTables(): void {
    this.lpis?.clear()
    this.lpis = undefined
  }

  #openTables(): void {
    const { config, memory } = this.gic
    this.#closeTables()
    if (config.lpis === undefined || memory === undefined) return
    const configuration = address(this.propbaserLow & 0xffff_f000, this.propbaserHigh)
    const shifted = () => this.gic.irqs.twoStates
    const pendingTable = address(this.pendbaserLow & 0xffff_0000, this.pendbaserHigh)
    this.lpis = new Lpis(memory, this.gic.lpiStore, configuration, pendingTable, this.lpiEnd, shifted)
  }
}

/** First INTID beyond the LPIs that GICR_PROPBASER.IDbits and a GIC with LPIs up to `most` have. */
export function lpiEndOf(propbaserLow: number, most: number): number {
  const bits = (propbaserLow & 31) + 1
  return bits < 14 ? FIRST_LPI : Math.min(2 ** bits, most)
}

export const PTZ_HIGH = 1 << 30

/** Physical address bits 51:0 of a base register. */
function address(low: number, high: number): number {
  return (high & 0xf_ffff) * 2 ** 32 + (low >>> 0)
}
