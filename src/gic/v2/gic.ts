/**
 * A GICv2: Distributor, CPU interfaces and GICv2m frame over one state; inputs as wires, outputs as an IRQ and a FIQ level
 * for each CPU. It owns the state and settles it; registers are in the tables beside it, delivery in `delivery.ts`.
 */

import { Frame, type FrameObserver, type Initiator } from '../../mmio/index.ts'
import { reportAccess } from '../access-report.ts'
import { lowBits, lowestBit } from '../bits.ts'
import { ConfigError } from '../config.ts'
import { Events, type GicListener, type MisuseCode, misuseMessages, type OutputLine } from '../events.ts'
import type { Explanation } from '../explain.ts'
import { Output, OutputWires } from '../outputs.ts'
import { nonSecureVisible } from '../views.ts'
import { type CheckedConfig, checkConfig, type GicV2Config } from './config.ts'
import { CpuInterface } from './cpu-interface.ts'
import { cpuRegisters } from './cpu-registers.ts'
import { updateCpu, type View } from './delivery.ts'
import { distributor } from './distributor.ts'
import { explainInterrupt } from './explain.ts'
import { IrqsV2 } from './irqs.ts'
import { checkGic, restoreGic, type SnapshotV2, snapshotGic } from './snapshot.ts'
import type { GicV2State } from './state.ts'
import { v2mRegisters } from './v2m.ts'
import { whyNothing } from './why-nothing.ts'

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

const { irq: IRQ, fiq: FIQ } = Output

/** Called when an output wire of a CPU changes, and only then. */
export type OutputCallback = (cpu: number, line: OutputLine, level: boolean) => void

/** A GICv2 (IHI 0048): Distributor, CPU interfaces, and where asked for the Security Extensions and a GICv2m frame. */
export class GicV2 implements GicV2State {
  /** What it was made with, defaults among them. */
  readonly config: CheckedConfig
  /** The stream that `listen` listens to. */
  readonly events = new Events()
  /** The state of every interrupt. */
  readonly irqs: IrqsV2
  /** The CPU interfaces. */
  readonly cpus: readonly CpuInterface[]
  /** The register frames: put them on a bus where the machine's memory map says. */
  readonly frames: { readonly gicd: Frame<GicV2>; readonly gicc: Frame<GicV2>; readonly v2m: Frame<GicV2> | undefined }

  /** GICD_CTLR: EnableGrp0, EnableGrp1. */
  ctlr = 0
  /** One bit for each CPU. */
  readonly allCpus: number
  /** Implemented bits of a priority. */
  readonly priorityMask: number
  /** Called when an output wire of a CPU changes, and only then. */
  onOutput: OutputCallback | undefined

  /** Throws a ConfigError that says what is not allowed, and what is. */
  constructor(config: GicV2Config = {}) {
    this.config = checkConfig(config)
    const { cpus, priorityBits, security, msi } = this.config
    this.allCpus = lowBits(cpus)
    this.priorityMask = (0xff << (8 - priorityBits)) & 0xff
    this.irqs = new IrqsV2(this.config, this.events)
    this.cpus = Array.from(
      { length: cpus },
      (_, cpu) => new CpuInterface(cpu, priorityBits, new OutputWires(cpu, this)),
    )
    const settle = (gic: GicV2) => gic.settle()
    this.frames = {
      gicd: new Frame<GicV2>(distributor, this, { security, settle }),
      gicc: new Frame<GicV2>(cpuRegisters, this, { security, settle }),
      v2m: msi === undefined ? undefined : new Frame<GicV2>(v2mRegisters, this, { settle }),
    }
    this.settle()
  }

  /** Cold reset. Input wires keep their levels. */
  reset(): void {
    this.ctlr = 0
    for (const cpu of this.cpus) cpu.reset()
    this.irqs.reset()
    this.settle()
  }

  /** The level of an SPI's input wire. Throws for an INTID that is no SPI of this GIC. */
  setSpi(intid: number, level: boolean): void {
    this.#checkIntid(intid, 32, this.config.intids)
    this.irqs.setLine(this.irqs.wordOf(intid, 0), intid & 31, level)
    this.settle()
  }

  /** The level of a PPI's input wire (INTID 16 to 31) of one CPU. */
  setPpi(cpu: number, intid: number, level: boolean): void {
    this.#checkCpu(cpu)
    this.#checkIntid(intid, 16, 32)
    this.irqs.setLine(cpu, intid & 31, level)
    this.settle()
  }

  /**
   * The levels of the input wires of 32 INTIDs from `intid`, a multiple of 32, on, bit by bit; private ones are of `cpu`. SGIs
   * have no wire, and nor has an INTID that does not exist: 0.
   */
  lineLevels(intid: number, cpu = 0): number {
    return this.irqs.line[this.#levelsWord(intid, cpu)] ?? 0
  }

  /** Puts back what `lineLevels` gave: no edge is seen in that. */
  restoreLineLevels(intid: number, levels: number, cpu = 0): void {
    const word = this.#levelsWord(intid, cpu)
    if (word >= this.irqs.words) return
    this.irqs.restoreLines(word, levels)
    this.settle()
  }

  /** The CPU that sent the SGI that a CPU acknowledged last: what its end names. No register shows it. */
  activeSgiSource(cpu: number, sgi: number): number {
    return this.irqs.activeSource[this.#sgiOf(cpu, sgi)]!
  }

  /** Puts back what `activeSgiSource` gave. */
  restoreActiveSgiSource(cpu: number, sgi: number, source: number): void {
    this.#checkCpu(source)
    this.irqs.activeSource[this.#sgiOf(cpu, sgi)] = source
  }

  /** A short pulse on an SPI's input wire: an edge, as an MSI makes. */
  pulseSpi(intid: number): void {
    this.setSpi(intid, true)
    this.setSpi(intid, false)
  }

  /** The level of a CPU's legacy interrupt input, which reaches its output while the GIC is bypassed (IHI 0048 2.3.1). */
  setLegacy(cpu: number, line: OutputLine, level: boolean): void {
    this.#checkCpu(cpu)
    const wire = Output[line]
    if (level) this.cpus[cpu]!.legacy |= wire
    else this.cpus[cpu]!.legacy &= ~wire
    this.irqs.dirty |= 1 << cpu
    this.settle()
  }

  /** The level of a CPU's IRQ. */
  irq(cpu: number): boolean {
    return ((this.cpus[cpu]?.wires.levels ?? 0) & IRQ) !== 0
  }

  /** The level of a CPU's FIQ. */
  fiq(cpu: number): boolean {
    return ((this.cpus[cpu]?.wires.levels ?? 0) & FIQ) !== 0
  }

  /** Every gate between this interrupt and this CPU, in order, with what closes it and what would open it. */
  explain(intid: number, cpu: number): Explanation {
    this.#checkCpu(cpu)
    return explainInterrupt(this, intid, cpu)
  }

  /** Why an acknowledge by this CPU gives no interrupt: 1023, or 1022. Undefined when it gives one. */
  whyNothing(cpu: number, view: View = 'secure'): string | undefined {
    this.#checkCpu(cpu)
    return whyNothing(this, cpu, view)
  }

  /** Adds a listener to the event stream, and returns the function that takes it off. Unless `accesses` is false, it hears of every access, too. */
  listen(listener: GicListener, options: { accesses?: boolean } = {}): () => void {
    const stop = this.events.listen(listener, options.accesses ?? true)
    // Misuse of a register is found where accesses are: every listener hears of it.
    for (const frame of this.#allFrames()) frame.observer = this.#observe
    return () => {
      stop()
      if (!this.events.active) for (const frame of this.#allFrames()) frame.observer = undefined
    }
  }

  /** The whole state as plain JSON. */
  snapshot(): SnapshotV2 {
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

  /** Brings the outputs of every CPU whose candidates or interface changed up to date. */
  settle(): void {
    if (this.irqs.dirty !== 0) this.updateOutputs()
  }

  /** What `settle` does when there is something to do. Not private: a call of a private method would make `settle` too long to be inlined. */
  protected updateOutputs(): void {
    const { irqs, cpus } = this
    do {
      const { dirty } = irqs
      irqs.dirty = dirty & (dirty - 1)
      updateCpu(this, cpus[lowestBit(dirty)]!)
    } while (irqs.dirty !== 0)
  }

  visible(word: number, by: Initiator, level: 0 | 1 | 2 | 3): number {
    return this.shifted(by) ? nonSecureVisible(this.irqs, word, level) : this.irqs.implemented[word]!
  }

  get twoStates(): boolean {
    return this.config.security
  }

  shifted(by: Initiator): boolean {
    return this.config.security && !by.secure
  }

  fixedEnables(word: number): number {
    return word < this.irqs.pes && this.config.sgiEnable === 'always' ? SGIS : 0
  }

  /** An SGI's pending state is read-only in GICD_ISPENDR and GICD_ICPENDR (IHI 0048 4.3.7). */
  fixedPending(word: number): number {
    return word < this.irqs.pes ? SGIS : 0
  }

  /** Interrupts of a word whose trigger software cannot change. */
  fixedTriggers(word: number): number {
    if (word >= this.irqs.pes) return 0
    return this.config.ppiConfig === 'fixed' ? -1 : SGIS
  }

  misuse(code: MisuseCode, cpu: number, intid: number, what = String(intid), detail = ''): void {
    if (this.events.active)
      this.events.emit({ kind: 'misuse', code, cpu, intid, message: misuseMessages[code](what) + detail })
  }

  #allFrames(): Frame<GicV2>[] {
    const { gicd, gicc, v2m } = this.frames
    return v2m === undefined ? [gicd, gicc] : [gicd, gicc, v2m]
  }

  #observe: FrameObserver<GicV2> = (frame, row, access, outcome) => reportAccess(this, frame, row, access, outcome)

  #checkCpu(cpu: number): void {
    if (this.cpus[cpu] === undefined)
      throw new ConfigError(`CPU ${cpu}: this GIC has CPUs 0 to ${this.cpus.length - 1}`)
  }

  #levelsWord(intid: number, cpu: number): number {
    this.#checkCpu(cpu)
    if (!Number.isInteger(intid) || intid < 0 || intid % 32 !== 0)
      throw new ConfigError(`INTID ${intid}: levels come by 32 INTIDs, from a multiple of 32 on`)
    return this.irqs.wordOf(intid, cpu)
  }

  #sgiOf(cpu: number, sgi: number): number {
    this.#checkCpu(cpu)
    this.#checkIntid(sgi, 0, 16)
    return cpu * 16 + sgi
  }

  #checkIntid(intid: number, first: number, end: number): void {
    if (!Number.isInteger(intid) || intid < first || intid >= end) this.#refuseIntid(intid, first, end)
  }

  /** Apart, so that what wires do stays short enough to be compiled in one piece. */
  #refuseIntid(intid: number, first: number, end: number): never {
    throw new ConfigError(`INTID ${intid}: this input takes ${first} to ${end - 1}`)
  }
}
