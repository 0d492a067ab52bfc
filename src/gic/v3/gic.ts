/**
 * A GICv3 as an embedder has it: inputs as wires, system registers, outputs as an IRQ and a FIQ level for each PE, the doors to
 * its state, explanations and listeners. The state itself, and what keeps it settled, is in `core.ts`.
 */

import type { FrameObserver, RangeSpec, Wiring } from '../../mmio/index.ts'
import { reportAccess, reportSysreg } from '../access-report.ts'
import { ConfigError, integerIn } from '../config.ts'
import type { GicListener } from '../events.ts'
import type { Explanation } from '../explain.ts'
import type { GuestMemory } from '../memory.ts'
import { Output } from '../outputs.ts'
import { checkConfigV3, type GicV3Config } from './config.ts'
import { GicV3Core } from './core.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import {
  lineLevels,
  messageLevels,
  restoreLineLevels,
  restoreMessageLevels,
  restorePendingLpis,
  restoreSysreg,
  saveSysreg,
} from './doors.ts'
import { explainInterrupt } from './explain.ts'
import { iccAccess, SysregOutcome } from './icc-access.ts'
import { iccRegister } from './icc-registers.ts'
import { FIRST_ESPI } from './irqs.ts'
import { REDISTRIBUTOR_STRIDE } from './rd-bases.ts'
import { checkGic, restoreGic, type SnapshotV3, snapshotGic } from './snapshot.ts'

const { irq: IRQ, fiq: FIQ, superpriority: SUPERPRIORITY } = Output
const { ok: OK } = SysregOutcome

/** An observer of the Distributor's frame and of the Redistributors'. */
type AnyFrameObserver = <D>(...access: Parameters<FrameObserver<D>>) => void

/** What a GICv3 stands on. */
export interface GicV3Options {
  /** Where LPI tables are; without it LPIs cannot be enabled. */
  memory?: GuestMemory
}

/** A GICv3 (IHI 0069): Distributor, Redistributors and CPU interfaces, with LPIs where there is memory for them. */
export class GicV3 extends GicV3Core {
  /** Throws a ConfigError that says what is not allowed, and what is. */
  constructor(config: GicV3Config = {}, options: GicV3Options = {}) {
    super(checkConfigV3(config), options.memory)
    // Only now: until all fields are there the object has another shape, and compiled code would have to tell two apart.
    this.markAllDirty()
    this.settle()
  }

  /**
   * The ranges of the Redistributors, one region after the other from each of `bases` on (physical addresses, as many as
   * there are regions), to be put on a bus. Frames may be wired one by one as well. GICR_TYPER.Last is 1 where a contiguous
   * run of them ends, whatever the regions are.
   */
  wireRedistributors(bases: readonly number[], wiring: Wiring = 'frame'): RangeSpec[] {
    const { regions } = this.config
    if (bases.length !== regions.length)
      throw new ConfigError(`redistributor regions: ${bases.length} bases given for ${regions.length} regions`)
    const ranges: RangeSpec[] = []
    let pe = 0
    for (const [i, count] of regions.entries())
      for (let n = 0; n < count; n++, pe++) {
        const base = bases[i]! + n * REDISTRIBUTOR_STRIDE
        if (base % 0x10000 !== 0)
          throw new ConfigError(`redistributor region ${i}: 0x${base.toString(16)} is not a multiple of 64 KiB`)
        ranges.push(...this.frames.gicr[pe]!.wire(base, wiring))
      }
    return ranges
  }

  /** Cold reset. Input wires keep their levels, and what the embedder says of the PEs stays. */
  reset(): void {
    this.groupEnables = 0
    this.statusr.reset()
    for (const cpu of this.cpus) cpu.reset()
    for (const redistributor of this.redistributors) redistributor.reset()
    this.irqs.reset()
    this.securityChanged()
    for (const { pe } of this.cpus) this.eligibilityChanged(pe)
    this.markAllDirty()
    this.settle()
  }

  /** Warm reset of one PE, as when it is powered on again: its ICC_* registers. Its Redistributor keeps its state. */
  resetCpu(pe: number): void {
    this.checkPe(pe)
    this.cpus[pe]!.reset()
    this.eligibilityChanged(pe)
    this.markDirty(pe)
    this.settle()
  }

  /** Where a PE executes now: it decides which interrupts are IRQ and which FIQ, and what its registers show. */
  setExecution(
    pe: number,
    state: Partial<Pick<CpuInterfaceV3, 'el' | 'secure' | 'scrFiq' | 'scrIrq' | 'sctlrNmi'>>,
  ): void {
    this.checkPe(pe)
    if (state.el !== undefined) integerIn('el', state.el, 0, 3)
    Object.assign(this.cpus[pe]!, state)
    this.markDirty(pe)
    this.settle()
  }

  /**
   * MRS: reads the system register of an encoding (`encodeSysreg`, `iccEncoding`) as a PE. Returns its low word in `| 0` form;
   * bits 63:32 are in `sysregHigh`, and `sysregOutcome` says whether the access is UNDEFINED, or traps, for the PE to raise.
   */
  readSysreg(pe: number, encoding: number): number {
    const cpu = this.cpus[pe]!
    const row = iccRegister(encoding)
    this.sysregHigh = 0
    const outcome = iccAccess(this, cpu, row, false)
    this.sysregOutcome = outcome
    if (outcome !== OK) return 0
    const low = row!.read!(this, cpu) | 0
    if (this.events.active) reportSysreg(this.events, cpu, row!.name, false, low, this.sysregHigh)
    if (row!.readHasEffect) this.settle()
    return low
  }

  /** MSR: writes a system register as a PE. */
  writeSysreg(pe: number, encoding: number, low: number, high = 0): SysregOutcome {
    const cpu = this.cpus[pe]!
    const row = iccRegister(encoding)
    const outcome = iccAccess(this, cpu, row, true)
    this.sysregOutcome = outcome
    if (outcome !== OK) return outcome
    if (this.events.active) reportSysreg(this.events, cpu, row!.name, true, low, high)
    row!.write!(this, cpu, low | 0, high | 0)
    this.settle()
    return OK
  }

  /** What a read would return, without any effect; undefined where it would not be `ok`. */
  peekSysreg(pe: number, encoding: number): bigint | undefined {
    const cpu = this.cpus[pe]!
    const row = iccRegister(encoding)
    if (iccAccess(this, cpu, row, false) !== OK) return undefined
    const high = this.sysregHigh
    this.sysregHigh = 0
    const low = row!.peek!(this, cpu)
    const value = (BigInt(this.sysregHigh >>> 0) << 32n) | BigInt(low >>> 0)
    this.sysregHigh = high
    return value
  }

  // The embedder's door to the state, beside `save` and `restore` of the frames. What each does is in `doors.ts`.

  /** The state behind a system register of a PE, of its Secure copy where `secure`; undefined where there is none. */
  saveSysreg(pe: number, encoding: number, secure = false): bigint | undefined {
    this.checkPe(pe)
    return saveSysreg(this, pe, encoding, secure)
  }

  /** Puts back what `saveSysreg` gave, in any order. False for a register that has no state here. */
  restoreSysreg(pe: number, encoding: number, value: bigint, secure = false): boolean {
    this.checkPe(pe)
    return restoreSysreg(this, pe, encoding, value, secure)
  }

  /** The levels of the input wires of 32 INTIDs from `intid`, a multiple of 32, on, bit by bit; private ones are of `pe`. */
  lineLevels(intid: number, pe = 0): number {
    this.checkPe(pe)
    return lineLevels(this, intid, pe)
  }

  /** Puts back what `lineLevels` gave: no edge is seen in that. */
  restoreLineLevels(intid: number, levels: number, pe = 0): void {
    this.checkPe(pe)
    restoreLineLevels(this, intid, levels, pe)
  }

  /** Which of 32 SPIs from `intid` on messages have asserted (GICD_SETSPI_NSR) and none has deasserted. */
  messageLevels(intid: number): number {
    return messageLevels(this, intid)
  }

  /** Puts back what `messageLevels` gave. */
  restoreMessageLevels(intid: number, levels: number): void {
    restoreMessageLevels(this, intid, levels)
  }

  /** The LPIs of a PE that are pending. */
  pendingLpis(pe: number): number[] {
    this.checkPe(pe)
    return this.redistributors[pe]!.lpis?.pendingList() ?? []
  }

  /** Puts back what `pendingLpis` gave, before or after the registers. They are signalled after `resume`. */
  restorePendingLpis(pe: number, intids: readonly number[]): void {
    this.checkPe(pe)
    restorePendingLpis(this, pe, intids)
  }

  /** The level of an SPI's input wire, extended or not. Throws for an INTID that is no SPI of this GIC. */
  setSpi(intid: number, level: boolean): void {
    if (!this.irqs.exists(intid) || intid < 32 || (intid >= 1024 && intid < FIRST_ESPI)) this.#refuseSpi(intid)
    this.irqs.setLine(this.irqs.wordOf(intid, 0), intid & 31, level)
    this.settle()
  }

  /** Apart, so that what wires do stays short enough to be compiled in one piece. */
  #refuseSpi(intid: number): never {
    throw new ConfigError(`INTID ${intid}: not an SPI of this GIC, which has ${this.config.intids - 32} from 32 on`)
  }

  /** The level of a PPI's input wire (INTID 16 to 31, or extended) of one PE. */
  setPpi(pe: number, intid: number, level: boolean): void {
    this.checkPe(pe)
    if (!this.irqs.exists(intid) || intid < 16 || (intid >= 32 && intid < 1024) || intid >= FIRST_ESPI)
      throw new ConfigError(`INTID ${intid}: not a PPI of this GIC`)
    this.irqs.setLine(this.irqs.wordOf(intid, pe), intid & 31, level)
    this.settle()
  }

  /** A short pulse on an SPI's input wire: an edge. */
  pulseSpi(intid: number): void {
    this.setSpi(intid, true)
    this.setSpi(intid, false)
  }

  /** The level of a PE's IRQ. */
  irq(pe: number): boolean {
    return ((this.cpus[pe]?.wires.levels ?? 0) & IRQ) !== 0
  }

  /** The level of a PE's FIQ. */
  fiq(pe: number): boolean {
    return ((this.cpus[pe]?.wires.levels ?? 0) & FIQ) !== 0
  }

  /**
   * The IRQ or FIQ that is high has superpriority: it comes from a non-maskable interrupt. A PE with FEAT_NMI shows it in
   * ISR_EL1.IS or .FS, and while SCTLR_ELx.NMI is 1 masks it by PSTATE.ALLINT, not by PSTATE.I or .F. Never without `nmi`.
   */
  superpriority(pe: number): boolean {
    return ((this.cpus[pe]?.wires.levels ?? 0) & SUPERPRIORITY) !== 0
  }

  /** Every gate between this interrupt and this PE, in order, with what closes it and what would open it. */
  explain(intid: number, pe: number): Explanation {
    this.checkPe(pe)
    return explainInterrupt(this, intid, pe)
  }

  /**
   * Adds a listener to the event stream, and returns the function that takes it off. Unless `accesses` is false, it hears of
   * every access, too.
   */
  listen(listener: GicListener, options: { accesses?: boolean } = {}): () => void {
    const stop = this.events.listen(listener, options.accesses ?? true)
    // Misuse of a register is found where accesses are: every listener hears of it.
    this.#observeFrames(this.#observe)
    return () => {
      stop()
      if (!this.events.active) this.#observeFrames(undefined)
    }
  }

  /** The whole state as plain JSON. Guest memory is the embedder's to save. */
  snapshot(): SnapshotV3 {
    return snapshotGic(this)
  }

  /** Throws the SnapshotError that `restore` would, and changes nothing. `where` names the whole in its message. */
  checkSnapshot(snapshot: unknown, where?: string): void {
    checkGic(this, snapshot, where)
  }

  /** Takes a snapshot's state over, or throws a SnapshotError that names what is wrong with it and changes nothing. */
  restore(snapshot: unknown): void {
    restoreGic(this, snapshot)
  }

  /** Writes the pending tables of all Redistributors to guest memory, for a migration that goes by memory alone. */
  savePendingTables(): void {
    for (const { lpis } of this.redistributors) lpis?.savePendingTable()
  }

  #observeFrames(observer: AnyFrameObserver | undefined): void {
    this.frames.gicd.observer = observer
    for (const frame of this.frames.gicr) frame.observer = observer
  }

  #observe: AnyFrameObserver = (frame, row, access, outcome) => reportAccess(this, frame, row, access, outcome)
}
