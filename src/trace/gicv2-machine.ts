/**
 * This package's GICv2 as a machine to replay a trace on: the frames where QEMU's `virt` board has them, its wires and its
 * explanations. Translates only; what an event does is the GIC's.
 */

import { describeInVain, describeStorm, GicV2, kindOf, Storms } from '../gic/index.ts'
import type { Frame, Initiator, Wiring } from '../mmio/index.ts'
import { Bus, cpuInitiator, deviceInitiator, Outcome, outcomeNames } from '../mmio/index.ts'
import type { AccessEvent, InputEvent, Region } from './event.ts'
import { noCpu } from './event.ts'
import type { MachineDescription } from './header.ts'
import type { CpuState, DecodedRegister, Explanation, InterruptState, MachineState, ReplayMachine } from './machine.ts'

/** Where the board has its frames, and which SPIs its GICv2m frame makes. */
const bases: Readonly<Partial<Record<Region, number>>> = { gicd: 0x0800_0000, gicc: 0x0801_0000, v2m: 0x0802_0000 }
const messages = { base: 80, count: 64 }

/** Nothing of a trace throws: what is refused is counted. */
const policy = {}

const shownRegisters = ['GICC_CTLR', 'GICC_PMR', 'GICC_BPR', 'GICC_RPR', 'GICC_HPPIR', 'GICC_APR0'] as const

export class GicV2Machine implements ReplayMachine {
  readonly description: MachineDescription
  readonly gic: GicV2
  onOutput: ReplayMachine['onOutput'] = () => {}
  refused = ''

  readonly #bus = new Bus(policy)
  readonly #frames: ReadonlyMap<Region, Frame<GicV2>>
  /** Two for each CPU: Non-secure, Secure. */
  readonly #initiators: readonly Initiator[]
  readonly #device = deviceInitiator()

  /**
   * @param wiring how the frames are put on the bus; both answer alike
   * @throws ConfigError for a description that no GICv2 can have
   */
  constructor(description: MachineDescription, wiring: Wiring = 'frame') {
    this.description = description
    const { cpus, intids, priorityBits, secure } = description
    this.gic = new GicV2({ cpus, intids, priorityBits, security: secure, msi: messages })
    const { gicd, gicc, v2m } = this.gic.frames
    const frames = new Map<Region, Frame<GicV2>>([
      ['gicd', gicd],
      ['gicc', gicc],
    ])
    if (v2m !== undefined) frames.set('v2m', v2m)
    this.#frames = frames
    for (const [region, frame] of frames) this.#bus.register(...frame.wire(bases[region] ?? 0, wiring))
    this.#initiators = Array.from({ length: 2 * cpus }, (_, i) => cpuInitiator(i >> 1, { secure: i % 2 === 1 }))
    this.gic.onOutput = (cpu, line, level) => this.onOutput(cpu, line, level ? 1 : 0)
  }

  get high(): number {
    return this.#bus.high
  }

  models(region: Region): boolean {
    return this.#frames.has(region)
  }

  modelsRegister(): boolean {
    return false
  }

  read(event: AccessEvent): number {
    const value = this.#bus.read((bases[event.region] ?? 0) + event.offset, event.size, this.#by(event))
    this.#note(this.#bus.outcome)
    return value
  }

  write(event: AccessEvent): void {
    const address = (bases[event.region] ?? 0) + event.offset
    this.#note(this.#bus.write(address, event.size, event.low | 0, event.high | 0, this.#by(event)))
  }

  irq(event: InputEvent): void {
    if (event.cpu === noCpu) this.gic.setSpi(event.intid, event.level === 1)
    else this.gic.setPpi(event.cpu, event.intid, event.level === 1)
  }

  /** A GICv2 has no system registers, reads no memory, and its CPU interface keeps its state while a PE is off. */
  mrs(): number {
    return 0
  }
  msr(): void {}
  mem(): void {}
  reset(): void {}

  peek(event: Parameters<ReplayMachine['peek']>[0]): number | undefined {
    if (event.kind !== 'read' || event.size === 8) return undefined
    return this.#frames.get(event.region)?.peek(event.offset, event.size, this.#by(event))
  }

  highestPending(cpu: number): number {
    const by = this.#secure(cpu)
    // A Secure read gives 1022 for an interrupt of Group 1; then GICC_AHPPIR names it (IHI 0048 4.4.11).
    const intid = this.#peekNamed('gicc', 'GICC_HPPIR', by) & 0x3ff
    return intid === 1022 ? this.#peekNamed('gicc', 'GICC_AHPPIR', by) & 0x3ff : intid
  }

  describe(region: Region, offset: number, low: number, high: number): DecodedRegister | undefined {
    const table = this.#frames.get(region)?.table
    const found = table?.at(offset)
    if (table === undefined || found === undefined) return undefined
    return { name: found.name, row: found.row.name, fields: table.decode(offset, low, high) }
  }

  describeRegister(): undefined {
    return undefined
  }

  explain(intid: number, cpu: number): Explanation | undefined {
    if (cpu >= this.description.cpus || intid >= this.description.intids) return undefined
    return this.gic.explain(intid, cpu)
  }

  hearMisuse(hear: (message: string) => void): void {
    const storms = new Storms(
      (intid, cpu) => hear(describeStorm(kindOf(intid), cpu)),
      (cpu, reason) => hear(describeInVain(cpu, reason)),
    )
    this.gic.listen(
      (event) => {
        storms.hear(event)
        if (event.kind === 'misuse') hear(`CPU ${event.cpu}: ${event.message}`)
      },
      { accesses: false },
    )
  }

  explainMessage(): undefined {
    return undefined
  }

  state(): MachineState {
    return {
      control: this.#shown('gicd', 'GICD_CTLR', this.#secure(0)),
      cpus: Array.from({ length: this.description.cpus }, (_, cpu) => this.#cpuState(cpu)),
      interrupts: this.#interrupts(),
    }
  }

  #cpuState(cpu: number): CpuState {
    const by = this.#secure(cpu)
    return {
      cpu,
      irq: this.gic.irq(cpu),
      fiq: this.gic.fiq(cpu),
      registers: shownRegisters.map((name) => this.#shown('gicc', name, by)),
    }
  }

  #interrupts(): InterruptState[] {
    const { cpus, intids } = this.description
    const found: InterruptState[] = []
    for (let intid = 0; intid < intids; intid++) {
      // The registers of SGIs and PPIs are banked: each CPU sees its own.
      const views = intid < 32 ? cpus : 1
      for (let cpu = 0; cpu < views; cpu++) {
        const by = this.#secure(cpu)
        const enabled = this.#bit(0x100, intid, by)
        const pending = this.#bit(0x200, intid, by)
        const active = this.#bit(0x300, intid, by)
        // SGIs are always enabled on most implementations, so that alone says nothing.
        if (!pending && !active && (!enabled || intid < 16)) continue
        const targets = this.#peek('gicd', 0x800 + intid, 1, by)
        found.push({
          intid,
          cpu: intid < 32 ? cpu : undefined,
          enabled,
          pending,
          active,
          priority: this.#peek('gicd', 0x400 + intid, 1, by),
          route: `targets 0x${targets.toString(16).padStart(2, '0')}`,
        })
      }
    }
    return found
  }

  #bit(bank: number, intid: number, by: Initiator): boolean {
    return ((this.#peek('gicd', bank + 4 * (intid >> 5), 4, by) >>> (intid & 31)) & 1) === 1
  }

  #peek(region: Region, offset: number, size: 1 | 4, by: Initiator): number {
    return (this.#frames.get(region)?.peek(offset, size, by) ?? 0) >>> 0
  }

  #peekNamed(region: Region, name: string, by: Initiator): number {
    const offset = this.#frames.get(region)?.table.offsetOf(name)
    return offset === undefined ? 0 : this.#peek(region, offset, 4, by)
  }

  #shown(region: Region, name: string, by: Initiator): CpuState['registers'][number] {
    const value = this.#peekNamed(region, name, by)
    const table = this.#frames.get(region)?.table
    return { name, value, fields: table?.decode(table.offsetOf(name) ?? 0, value) ?? {} }
  }

  #by(event: AccessEvent): Initiator {
    if (event.cpu === noCpu) return this.#device
    return this.#initiators[2 * event.cpu + (event.security === 's' ? 1 : 0)] ?? this.#device
  }

  #secure(cpu: number): Initiator {
    return this.#initiators[2 * cpu + 1] ?? this.#device
  }

  #note(outcome: Outcome): void {
    this.refused = outcome === Outcome.ok ? '' : (outcomeNames[outcome] ?? '')
  }
}
