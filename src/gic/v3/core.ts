/**
 * The state of a GICv3 - Distributor, Redistributors and CPU interfaces - and what its own parts and an ITS ask of the whole: it
 * settles the state after each change. What an embedder does with a GIC is in `gic.ts`, registers are in the tables beside it.
 */

import { Frame, type Initiator } from '../../mmio/index.ts'
import { ConfigError } from '../config.ts'
import { Events, type MisuseCode, misuseMessages, type OutputLine } from '../events.ts'
import type { GuestMemory } from '../memory.ts'
import { OutputWires } from '../outputs.ts'
import { nonSecureVisible } from '../views.ts'
import type { CheckedConfigV3 } from './config.ts'
import { CpuInterfaceV3 } from './cpu-interface.ts'
import { type Acknowledge, redistributorOpen, updatePe } from './delivery.ts'
import { distributorV3 } from './distributor.ts'
import { Group } from './groups.ts'
import { SysregOutcome } from './icc-access.ts'
import { IrqsV3 } from './irqs.ts'
import { LpiStore } from './lpi-store.ts'
import { FIRST_LPI } from './lpis.ts'
import { RedistributorBases } from './rd-bases.ts'
import { Redistributor, RedistributorCtlr } from './redistributor.ts'
import { redistributorRegisters } from './redistributor-registers.ts'
import type { GicV3State } from './state.ts'
import { StatusRegisters } from './status.ts'
import { whyNothing } from './why-nothing.ts'

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

/** The whole behind `GicV3`. */
export class GicV3Core implements GicV3State {
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
  readonly frames: { readonly gicd: Frame<GicV3Core>; readonly gicr: readonly Frame<Redistributor>[] }

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
  /** Bits 63:32 of the last system register read, in `| 0` form. */
  sysregHigh = 0
  /** What the last system register access came to. */
  sysregOutcome: SysregOutcome = SysregOutcome.ok
  /** Called when an output wire of a PE changes, and only then. */
  onOutput: ((cpu: number, line: OutputLine, level: boolean) => void) | undefined
  /** Called when `superpriority` of a PE changes, before `onOutput` for the wire that it is about. Only with `nmi`. */
  onSuperpriority: ((cpu: number, level: boolean) => void) | undefined

  constructor(config: CheckedConfigV3, memory: GuestMemory | undefined) {
    this.config = config
    this.memory = memory
    const { cpus, distributorPriorityBits, affinities, lpis, regions, security, statusRegisters } = this.config
    this.priorityMask = (0xff << (8 - distributorPriorityBits)) & 0xff
    this.rangeSelector = affinities.some((affinity) => (affinity & 0xff) > 15)
    this.lpiEnd = lpis === undefined ? FIRST_LPI : 2 ** lpis.intidBits
    this.lpiStore = new LpiStore(this.lpiEnd - FIRST_LPI)
    this.irqs = new IrqsV3(this.config, this.events)
    this.cpus = Array.from(
      { length: cpus },
      (_, pe) => new CpuInterfaceV3(pe, this.config, new OutputWires(pe, this), () => this.irqs.twoStates),
    )
    this.rdBases = new RedistributorBases(regions)
    this.redistributors = Array.from({ length: cpus }, (_, pe) => new Redistributor(this, pe, this.config))
    this.frames = {
      gicd: new Frame<GicV3Core>(distributorV3, this, {
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
  }

  /** Reads anew what the GIC keeps of guest memory. To be called when memory and GIC are both restored, in whatever order. */
  resume(): void {
    for (const { lpis } of this.redistributors) lpis?.refreshAll()
    this.markAllDirty()
    this.settle()
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

  eligibilityChanged(pe: number): void {
    if (this.config.oneOfN) this.irqs.recipients.assign(pe, this.#takenPart(pe))
  }

  /** The groups in whose 1-of-N interrupts a PE takes part, as bits (IHI 0069 4.7.2, GICR_CTLR.DPG). */
  #takenPart(pe: number): number {
    if (!redistributorOpen(this, pe)) return 0
    const { dpg } = this.redistributors[pe]!
    const { DPG0, DPG1S, DPG1NS } = RedistributorCtlr
    let groups = this.cpus[pe]!.enables
    if (dpg & DPG0) groups &= ~(1 << Group.G0)
    if (dpg & DPG1S) groups &= ~(1 << Group.G1S)
    if (dpg & DPG1NS) groups &= ~(1 << Group.G1NS)
    return groups
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
    if (!this.irqs.dirty.clean) this.updateOutputs()
  }

  /** What `settle` does when there is something to do. Not private: a call of a private method would make `settle` too long to be inlined. */
  protected updateOutputs(): void {
    const { dirty } = this.irqs
    do updatePe(this, this.cpus[dirty.take()]!)
    while (!dirty.clean)
  }

  /** Why an acknowledge by this PE gives no interrupt; undefined when it gives one. */
  whyNothing(pe: number, register: Acknowledge = 'IAR1'): string | undefined {
    this.checkPe(pe)
    return whyNothing(this, pe, register)
  }

  #settlePe(pe: number): void {
    this.markDirty(pe)
    this.settle()
  }

  /** Throws a ConfigError for a PE that there is not. */
  protected checkPe(pe: number): void {
    if (this.cpus[pe] === undefined) throw new ConfigError(`PE ${pe}: this GIC has PEs 0 to ${this.cpus.length - 1}`)
  }
}
