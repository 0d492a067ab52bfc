/**
 * A GICv3: Distributor, Redistributors and CPU interfaces over one state; inputs as wires and messages, outputs as an IRQ and
 * a FIQ level for each PE. It owns the state and settles it; registers are in the tables beside it, delivery in `delivery.ts`.
 */

import { Frame, type FrameObserver, type Initiator, type RangeSpec, type Wiring } from '../../mmio/index.ts'
import { reportAccess } from '../access-report.ts'
import { ConfigError, integerIn } from '../config.ts'
import { Events, type GicListener, type MisuseCode, misuseMessages, type OutputLine } from '../events.ts'
import type { Explanation } from '../explain.ts'
import type { GuestMemory } from '../memory.ts'
import { Output, OutputWires } from '../outputs.ts'
import { nonSecureVisible } from '../views.ts'
import { type CheckedConfigV3, checkConfigV3, type GicV3Config } from './config.ts'
import { CpuInterfaceV3 } from './cpu-interface.ts'
import { type Acknowledge, redistributorOpen, updatePe } from './delivery.ts'
import { distributorV3 } from './distributor.ts'
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
import { Group } from './groups.ts'
import { iccAccess, SysregOutcome } from './icc-access.ts'
import { iccRegister } from './icc-registers.ts'
import { FIRST_ESPI, IrqsV3 } from './irqs.ts'
import { LpiStore } from './lpi-store.ts'
import { FIRST_LPI } from './lpis.ts'
import { REDISTRIBUTOR_STRIDE, RedistributorBases } from './rd-bases.ts'
import { Redistributor, RedistributorCtlr } from './redistributor.ts'
import { redistributorRegisters } from './redistributor-registers.ts'
import { checkGic, restoreGic, type SnapshotV3, snapshotGic } from './snapshot.ts'
import type { GicV3State } from './state.ts'
import { StatusRegisters } from './status.ts'
import { whyNothing } from './why-nothing.ts'

const { irq: IRQ, fiq: FIQ, superpriority: SUPERPRIORITY } = Output
const { ok: OK } = SysregOutcome

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

/** An observer of the Distributor's frame and of the Redistributors'. */
type AnyFrameObserver = <D>(...access: Parameters<FrameObserver<D>>) => void

/** What a GICv3 stands on. */
export interface GicV3Options {
  /** Where LPI tables are; without it LPIs cannot be enabled. */
  memory?: GuestMemory
}

/** A GICv3 (IHI 0069): Distributor, Redistributors and CPU interfaces, with LPIs where there is memory for them. */
export class GicV3 implements GicV3State {
  /** What it was made with, defaults among them. */
  readonly config: CheckedConfigV3
  readonly memory: GuestMemory | undefined
  /** The stream that `listen` listens to. */
  readonly events = new Events()
  /** The state of every interrupt but LPIs. */
  readonly irqs: IrqsV3
  /** The CPU interface of each PE. */
  readonly cpus: readonly CpuInterfaceV3[]
  /** The Redistributor of each PE. */
  readonly redistributors: readonly Redistributor[]
  /** The Distributor's frame of 64 KiB, and for each PE the two of its Redistributor, 128 KiB together. */
  readonly frames: { readonly gicd: Frame<GicV3>; readonly gicr: readonly Frame<Redistributor>[] }

  /** GICD_CTLR: a bit for each group, numbered as `Group`. */
  groupEnables = 0
  /** GICD_STATUSR, the Secure and the Non-secure one. */
  readonly statusr = new StatusRegisters()
  readonly priorityMask: number
  /** Some Aff0 is above 15: SGIs need the range selector. */
  readonly rangeSelector: boolean
  /** First INTID beyond the LPIs that exist. */
  readonly lpiEnd: number
  readonly lpiStore: LpiStore
  /** Where the Redistributors are on the bus, for GICR_TYPER.Last and an ITS whose targets are addresses. */
  readonly rdBases: RedistributorBases
  /** The PE that takes the 1-of-N interrupts of each group now, or -1. */
  readonly recipients: Int16Array
  /** Bits 63:32 of the last system register read, in `| 0` form. */
  sysregHigh = 0
  /** What the last system register access came to. */
  sysregOutcome: SysregOutcome = SysregOutcome.ok
  /** Called when an output wire of a PE changes, and only then. */
  onOutput: ((cpu: number, line: OutputLine, level: boolean) => void) | undefined
  /** Called when `superpriority` of a PE changes, before `onOutput` for the wire that it is about. Only with `nmi`. */
  onSuperpriority: ((cpu: number, level: boolean) => void) | undefined

  /** Throws a ConfigError that says what is not allowed, and what is. */
  constructor(config: GicV3Config = {}, options: GicV3Options = {}) {
    this.config = checkConfigV3(config)
    this.memory = options.memory
    const { cpus, distributorPriorityBits, affinities, lpis, regions, security, statusRegisters } = this.config
    this.priorityMask = (0xff << (8 - distributorPriorityBits)) & 0xff
    this.rangeSelector = affinities.some((affinity) => (affinity & 0xff) > 15)
    this.lpiEnd = lpis === undefined ? FIRST_LPI : 2 ** lpis.intidBits
    this.lpiStore = new LpiStore(this.lpiEnd - FIRST_LPI)
    this.irqs = new IrqsV3(this.config, this.events)
    this.recipients = this.irqs.recipients
    this.cpus = Array.from(
      { length: cpus },
      (_, pe) => new CpuInterfaceV3(pe, this.config, new OutputWires(pe, this), () => this.irqs.twoStates),
    )
    this.rdBases = new RedistributorBases(regions)
    this.redistributors = Array.from({ length: cpus }, (_, pe) => new Redistributor(this, pe, this.config))
    this.frames = {
      gicd: new Frame<GicV3>(distributorV3, this, {
        security,
        settle: (gic) => gic.settle(),
        refused: (gic, access, outcome) => {
          if (statusRegisters) gic.statusr.record(gic, access, outcome)
        },
      }),
      gicr: this.redistributors.map(
        (redistributor) =>
          new Frame<Redistributor>(redistributorRegisters, redistributor, {
            name: `GICR ${redistributor.pe}`,
            security,
            settle: ({ gic }) => gic.settle(),
            wired: ({ pe }, base) => this.rdBases.place(pe, base),
            refused: (r, access, outcome) => {
              if (statusRegisters) r.statusr.record(r.gic, access, outcome)
            },
          }),
      ),
    }
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
    this.eligibilityChanged()
    this.markAllDirty()
    this.settle()
  }

  /** Warm reset of one PE, as when it is powered on again: its ICC_* registers. Its Redistributor keeps its state. */
  resetCpu(pe: number): void {
    this.#checkCpu(pe)
    this.cpus[pe]!.reset()
    this.eligibilityChanged()
    this.markDirty(pe)
    this.settle()
  }

  /** Where a PE executes now: it decides which interrupts are IRQ and which FIQ, and what its registers show. */
  setExecution(
    pe: number,
    state: Partial<Pick<CpuInterfaceV3, 'el' | 'secure' | 'scrFiq' | 'scrIrq' | 'sctlrNmi'>>,
  ): void {
    this.#checkCpu(pe)
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
    this.sysregOutcome = iccAccess(this, cpu, row, false)
    if (this.sysregOutcome !== OK) return 0
    const low = row!.read!(this, cpu) | 0
    if (this.events.active) this.#reportSysreg(cpu, row!.name, false, low, this.sysregHigh)
    if (row!.readHasEffect) this.settle()
    return low
  }

  /** MSR: writes a system register as a PE. */
  writeSysreg(pe: number, encoding: number, low: number, high = 0): SysregOutcome {
    const cpu = this.cpus[pe]!
    const row = iccRegister(encoding)
    this.sysregOutcome = iccAccess(this, cpu, row, true)
    if (this.sysregOutcome !== OK) return this.sysregOutcome
    if (this.events.active) this.#reportSysreg(cpu, row!.name, true, low, high)
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
    this.#checkCpu(pe)
    return saveSysreg(this, pe, encoding, secure)
  }

  /** Puts back what `saveSysreg` gave, in any order. False for a register that has no state here. */
  restoreSysreg(pe: number, encoding: number, value: bigint, secure = false): boolean {
    this.#checkCpu(pe)
    return restoreSysreg(this, pe, encoding, value, secure)
  }

  /** The levels of the input wires of 32 INTIDs from `intid`, a multiple of 32, on, bit by bit; private ones are of `pe`. */
  lineLevels(intid: number, pe = 0): number {
    this.#checkCpu(pe)
    return lineLevels(this, intid, pe)
  }

  /** Puts back what `lineLevels` gave: no edge is seen in that. */
  restoreLineLevels(intid: number, levels: number, pe = 0): void {
    this.#checkCpu(pe)
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
    this.#checkCpu(pe)
    return this.redistributors[pe]!.lpis?.pendingList() ?? []
  }

  /** Puts back what `pendingLpis` gave, before or after the registers. They are signalled after `resume`. */
  restorePendingLpis(pe: number, intids: readonly number[]): void {
    this.#checkCpu(pe)
    restorePendingLpis(this, pe, intids)
  }

  /** Reads anew what the GIC keeps of guest memory. To be called when memory and GIC are both restored, in whatever order. */
  resume(): void {
    for (const { lpis } of this.redistributors) lpis?.refreshAll()
    this.markAllDirty()
    this.settle()
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
    this.#checkCpu(pe)
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
    this.#checkCpu(pe)
    return explainInterrupt(this, intid, pe)
  }

  /** Why an acknowledge by this PE gives no interrupt; undefined when it gives one. */
  whyNothing(pe: number, register: Acknowledge = 'IAR1'): string | undefined {
    this.#checkCpu(pe)
    return whyNothing(this, pe, register)
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

  // What an ITS asks of the Redistributors.

  get pes(): number {
    return this.config.cpus
  }

  setLpi(pe: number, intid: number): boolean {
    const lpis = this.redistributors[pe]?.lpis
    if (lpis === undefined || !lpis.covers(intid)) return false
    lpis.setPending(intid)
    this.#settlePe(pe)
    return true
  }

  /** Takes an LPI's pending state; false where the PE does not take LPIs or does not have this one. */
  clearLpi(pe: number, intid: number): boolean {
    const lpis = this.redistributors[pe]?.lpis
    if (lpis === undefined || !lpis.covers(intid)) return false
    lpis.clearPending(intid)
    this.#settlePe(pe)
    return true
  }

  invalidateLpi(pe: number, intid: number): void {
    const lpis = this.redistributors[pe]?.lpis
    if (lpis === undefined || !lpis.covers(intid)) return
    lpis.refresh(intid)
    this.#settlePe(pe)
  }

  /** Reads the configuration of all pending LPIs anew; returns how many. */
  invalidateAllLpis(pe: number): number {
    const seen = this.redistributors[pe]?.lpis?.refreshAll() ?? 0
    this.#settlePe(pe)
    return seen
  }

  moveLpi(from: number, to: number, intid: number): void {
    const source = this.redistributors[from]?.lpis
    const target = this.redistributors[to]?.lpis
    if (source === undefined || target === undefined || source === target) return
    if (!source.covers(intid) || !target.covers(intid) || !source.isPending(intid)) return
    source.clearPending(intid)
    target.setPending(intid)
    this.#settlePe(from)
    this.#settlePe(to)
  }

  /** Moves all pending LPIs to another PE; returns how many were looked at. */
  moveAllLpis(from: number, to: number): number {
    const source = this.redistributors[from]?.lpis
    const target = this.redistributors[to]?.lpis
    if (source === undefined || target === undefined || source === target) return 0
    const seen = source.moveAllTo(target)
    this.#settlePe(from)
    this.#settlePe(to)
    return seen
  }

  peAt(rdBase: number): number {
    return this.rdBases.peAt(rdBase)
  }

  // What the registers, the views and delivery ask of their GIC.

  visible(word: number, by: Initiator, level: 0 | 1 | 2 | 3): number {
    if (!this.shifted(by)) return this.irqs.implemented[word]!
    // GICR_NSACR grants SGIs, and no access: a Redistributor's banks hide what is Secure (IHI 0069, GICR_ISPENDR0).
    return nonSecureVisible(this.irqs, word, this.irqs.ownerOf(word) < 0 ? level : 0)
  }

  get twoStates(): boolean {
    return this.irqs.twoStates
  }

  shifted(by: Initiator): boolean {
    return this.irqs.twoStates && !by.secure
  }

  fixedEnables(): number {
    return 0
  }

  /** Interrupts of a word whose pending state software cannot change: none. */
  fixedPending(): number {
    return 0
  }

  /** Interrupts of a word whose trigger software cannot change: SGIs. */
  fixedTriggers(word: number): number {
    return word < this.config.cpus ? SGIS : 0
  }

  misuse(code: MisuseCode, cpu: number, intid: number, what = String(intid), detail = ''): void {
    if (this.events.active)
      this.events.emit({ kind: 'misuse', code, cpu, intid, message: misuseMessages[code](what) + detail })
  }

  /** GICD_CTLR.DS is set, until the next reset: there is one Security state, and Secure Group 1 is no more. */
  disableSecurity(): void {
    this.irqs.twoStates = false
    this.groupEnables &= ~(1 << Group.G1S)
    this.securityChanged()
    this.irqs.retarget()
    for (const cpu of this.cpus) cpu.updateRunning()
    for (const { lpis } of this.redistributors) lpis?.securityDisabled()
  }

  /** GICD_CTLR.DS is put back. Priorities of LPIs follow with `resume`, which reads them. */
  restoreSecurity(twoStates: boolean): void {
    this.irqs.twoStates = twoStates
    this.securityChanged()
    this.irqs.retarget()
    for (const cpu of this.cpus) cpu.updateRunning()
  }

  /** The frames hide Secure registers while there are two Security states. */
  securityChanged(): void {
    const { twoStates } = this.irqs
    this.frames.gicd.security = twoStates
    for (const frame of this.frames.gicr) frame.security = twoStates
  }

  /** Chooses anew which PE takes 1-of-N interrupts of each group: the first that takes part (IHI 0069 4.7.2, GICR_CTLR.DPG). */
  eligibilityChanged(): void {
    if (!this.config.oneOfN) return
    for (let group = 0; group < 3; group++) {
      const recipient = this.#recipientOf(group)
      const before = this.recipients[group]!
      if (recipient === before) continue
      this.recipients[group] = recipient
      if (before >= 0) this.markDirty(before)
      if (recipient >= 0) this.markDirty(recipient)
    }
  }

  /** The outputs of a PE are to be worked out anew. */
  markDirty(pe: number): void {
    this.irqs.dirty.mark(pe)
  }

  /** The outputs of all PEs are to be worked out anew. */
  markAllDirty(): void {
    for (let pe = 0; pe < this.config.cpus; pe++) this.markDirty(pe)
  }

  /** Brings the outputs of every PE whose candidates or interface changed up to date. */
  settle(): void {
    if (!this.irqs.dirty.clean) this.#update()
  }

  #update(): void {
    const { dirty } = this.irqs
    do updatePe(this, this.cpus[dirty.take()]!)
    while (!dirty.clean)
  }

  #recipientOf(group: number): number {
    const { DPG0, DPG1S, DPG1NS } = RedistributorCtlr
    const dpg = group === Group.G0 ? DPG0 : group === Group.G1S ? DPG1S : DPG1NS
    for (let pe = 0; pe < this.cpus.length; pe++) {
      const redistributor = this.redistributors[pe]!
      if (redistributorOpen(this, pe) && (this.cpus[pe]!.enables >>> group) & 1 && !(redistributor.dpg & dpg)) return pe
    }
    return -1
  }

  #observeFrames(observer: AnyFrameObserver | undefined): void {
    this.frames.gicd.observer = observer
    for (const frame of this.frames.gicr) frame.observer = observer
  }

  #settlePe(pe: number): void {
    this.markDirty(pe)
    this.settle()
  }

  #reportSysreg(cpu: CpuInterfaceV3, register: string, write: boolean, low: number, high: number): void {
    this.events.emit({
      kind: 'access',
      frame: 'ICC',
      register,
      offset: 0,
      size: 8,
      write,
      low: low >>> 0,
      high: high >>> 0,
      cpu: cpu.pe,
      secure: cpu.secure,
      outcome: 'ok',
    })
  }

  #observe: AnyFrameObserver = (frame, row, access, outcome) => reportAccess(this, frame, row, access, outcome)

  #checkCpu(pe: number): void {
    if (this.cpus[pe] === undefined) throw new ConfigError(`PE ${pe}: this GIC has PEs 0 to ${this.cpus.length - 1}`)
  }
}
