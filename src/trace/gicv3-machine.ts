/**
 * This package's GICv3, with or without an ITS, as a machine to replay a trace on: the frames where QEMU's `virt` board has
 * them, system registers by name, guest memory as far as the trace tells it. Translates only; what an event does is the GIC's.
 */

import {
  describeInVain,
  describeStorm,
  type Explanation,
  explainMsi,
  type GicEvent,
  GicV3,
  Its,
  iccEncoding,
  iccRegister,
  kindOf,
  type MsiExplanation,
  REDISTRIBUTOR_STRIDE,
  Storms,
  SysregOutcome,
} from '../gic/index.ts'
import type { Fields, Initiator, Wiring } from '../mmio/index.ts'
import { Bus, cpuInitiator, deviceInitiator, Outcome, outcomeNames } from '../mmio/index.ts'
import type { AccessEvent, InputEvent, MemoryEvent, Region, SystemRegisterEvent } from './event.ts'
import { noCpu, TraceError } from './event.ts'
import { type AnyFrame, interruptStates } from './gicv3-state.ts'
import { TraceMemory, withoutLent } from './guest-memory.ts'
import type { MachineDescription } from './header.ts'
import type { CpuState, DecodedRegister, MachineState, ReplayMachine } from './machine.ts'

/** Where the board has its frames. A trace has all Redistributors in one region, as many as there are. */
const bases: Readonly<Partial<Record<Region, number>>> = {
  gicd: 0x0800_0000,
  its: 0x0808_0000,
  itst: 0x0809_0000,
  gicr: 0x080a_0000,
}
/** Where its memory begins; how much there is, the header says. */
const ramBase = 0x4000_0000
/** Redistributors in the board's first region; the others are in a second one. */
const firstRegion = 123

/** What the board leaves out, so that what it refuses is refused here. */
const board = { oneOfN: false, messageSpis: false, invalidateRegisters: false, statusRegisters: false } as const
/**
 * A full queue is done in the access that gave it, as QEMU does. What is more than that goes on with reads of GITS_CREADR,
 * which are in the trace: a guest's that waits, or those that this package's own machine makes for one that sleeps.
 */
const itsOptions = { statusRegisters: false, slice: 32768 }
/** LPIs 8192 to 65535, which the board's Redistributors have with or without an ITS. */
const lpis = { intidBits: 16 }

/** GITS_BASER0 to GITS_BASER7. */
const baserFrom = 0x100
const baserEnd = 0x140

/** Initiators of devices that are kept: one for each DeviceID that sends messages. */
const mostDevices = 4096

const shownRegisters = [
  'ICC_PMR_EL1',
  'ICC_CTLR_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_BPR1_EL1',
  'ICC_RPR_EL1',
  'ICC_HPPIR1_EL1',
  'ICC_AP1R0_EL1',
] as const

const refusals: Readonly<Record<SysregOutcome, string>> = {
  [SysregOutcome.ok]: '',
  [SysregOutcome.undefined]: 'undefined',
  [SysregOutcome.trapEl3]: 'trapped to EL3',
}

export class GicV3Machine implements ReplayMachine {
  readonly description: MachineDescription
  readonly gic: GicV3
  readonly its: Its | undefined
  onOutput: ReplayMachine['onOutput'] = () => {}
  refused = ''
  high = 0

  readonly #bus = new Bus({})
  readonly #memory: TraceMemory
  /** Two for each CPU: Non-secure, Secure. */
  readonly #initiators: readonly Initiator[]
  readonly #devices = new Map<number, Initiator>()

  /**
   * @param wiring how the frames are put on the bus; both answer alike
   * @throws ConfigError for a description that no GICv3 can have
   */
  constructor(description: MachineDescription, wiring: Wiring = 'frame') {
    this.description = description
    const { cpus, intids, priorityBits, secure, virtualization, sleep } = description
    this.#memory = new TraceMemory({ base: ramBase, size: description.memoryMiB * 2 ** 20 })
    const regions = cpus > firstRegion ? [firstRegion, cpus - firstRegion] : [cpus]
    this.gic = new GicV3(
      {
        ...board,
        cpus,
        intids,
        priorityBits,
        security: secure,
        el2: virtualization,
        lpis,
        regions,
        sleep,
      },
      { memory: this.#memory },
    )
    const at = (region: Region) => bases[region] ?? 0
    this.#bus.register(...this.gic.frames.gicd.wire(at('gicd'), wiring))
    const redistributors = regions.map((_, i) => at('gicr') + i * firstRegion * REDISTRIBUTOR_STRIDE)
    this.#bus.register(...this.gic.wireRedistributors(redistributors, wiring))
    if (description.its) {
      this.its = new Its(itsOptions, { memory: this.#memory, targets: this.gic })
      this.#bus.register(...this.its.frames.control.wire(at('its'), wiring))
      this.#bus.register(...this.its.frames.translation.wire(at('itst'), wiring))
      const { devices, collections } = this.its.translation
      this.#memory.lendPagesTo([devices, collections])
    }
    this.#initiators = Array.from({ length: 2 * cpus }, (_, i) => cpuInitiator(i >> 1, { secure: i % 2 === 1 }))
    this.gic.onOutput = (cpu, line, level) => this.onOutput(cpu, line, level ? 1 : 0)
  }

  models(region: Region): boolean {
    return region === 'gicd' || region === 'gicr' || ((region === 'its' || region === 'itst') && this.its !== undefined)
  }

  /** ICC_* registers. Of the virtual CPU interface, ICH_* and ICV_*, there is nothing. */
  modelsRegister(register: string): boolean {
    return iccEncoding(register) !== undefined
  }

  read(event: AccessEvent): number {
    const value = this.#bus.read((bases[event.region] ?? 0) + event.offset, event.size, this.#by(event))
    this.high = this.#bus.high
    this.#note(this.#bus.outcome)
    // A read of GITS_CREADR may go on with commands, which write tables.
    this.#checkMemory(event.line)
    return value
  }

  write(event: AccessEvent): void {
    const address = (bases[event.region] ?? 0) + event.offset
    this.#note(this.#bus.write(address, event.size, event.low | 0, event.high | 0, this.#by(event)))
    if (event.region === 'its' && event.offset >= baserFrom && event.offset < baserEnd) this.#memory.tablesChanged()
    this.#checkMemory(event.line)
  }

  mrs(event: SystemRegisterEvent): number {
    this.#enter(event)
    const low = this.gic.readSysreg(event.cpu, iccEncoding(event.register) ?? 0)
    this.high = this.gic.sysregHigh
    this.refused = refusals[this.gic.sysregOutcome]
    return low
  }

  msr(event: SystemRegisterEvent): void {
    this.#enter(event)
    const encoding = iccEncoding(event.register) ?? 0
    this.refused = refusals[this.gic.writeSysreg(event.cpu, encoding, event.low | 0, event.high | 0)]
  }

  irq(event: InputEvent): void {
    const { cpu, intid } = event
    const fits = cpu === noCpu ? intid >= 32 : intid >= 16 && intid < 32
    if (!fits)
      throw new TraceError(event.line, `INTID ${intid} has no wire ${cpu === noCpu ? 'as an SPI' : 'as a PPI'}`)
    if (cpu === noCpu) this.gic.setSpi(intid, event.level === 1)
    else this.gic.setPpi(cpu, intid, event.level === 1)
  }

  mem(event: MemoryEvent): void {
    this.#memory.store(event.high * 2 ** 32 + event.low, event.bytes)
    this.#checkMemory(event.line)
  }

  reset(cpu: number): void {
    this.gic.resetCpu(cpu)
  }

  peek(event: AccessEvent | SystemRegisterEvent): number | undefined {
    if (event.kind === 'mrs' || event.kind === 'msr') {
      this.#enter(event)
      return this.#peekRegister(event.cpu, event.register)
    }
    if (event.kind !== 'read' || event.size === 8) return undefined
    const frame = this.#frame(event.region, event.offset)
    return frame?.peek(event.offset % frame.table.size, event.size, this.#by(event))
  }

  highestPending(cpu: number): number {
    const group1 = this.#peekRegister(cpu, 'ICC_HPPIR1_EL1') ?? 1023
    return group1 < 1020 || group1 > 1023 ? group1 : (this.#peekRegister(cpu, 'ICC_HPPIR0_EL1') ?? 1023)
  }

  describe(region: Region, offset: number, low: number, high: number): DecodedRegister | undefined {
    const table = this.#frame(region, offset)?.table
    if (table === undefined) return undefined
    const within = offset % table.size
    const found = table.at(within)
    return found && { name: found.name, row: found.row.name, fields: table.decode(within, low, high) }
  }

  describeRegister(register: string, low: number, high: number): DecodedRegister | undefined {
    const row = iccRegister(iccEncoding(register) ?? 0)
    return row && { name: register, row: register, fields: decode(row.fields, low, high) }
  }

  explain(intid: number, cpu: number): Explanation | undefined {
    const known = intid < this.description.intids || (intid >= 8192 && intid < this.gic.lpiEnd)
    return cpu < this.description.cpus && known ? this.gic.explain(intid, cpu) : undefined
  }

  hearMisuse(hear: (message: string) => void): void {
    const storms = new Storms(
      (intid, cpu) => hear(describeStorm(kindOf(intid), cpu)),
      (cpu, reason) => hear(describeInVain(cpu, reason)),
    )
    const listener = (event: GicEvent) => {
      storms.hear(event)
      if (event.kind === 'misuse') hear(`CPU ${event.cpu}: ${event.message}`)
      else if (event.kind === 'its-misuse') hear(`ITS: ${event.message}`)
      else if (event.kind === 'its-error') hear(`ITS: ${event.command}: ${event.name}: ${event.message}`)
      else if (event.kind === 'msi' && event.outcome !== 'delivered')
        hear(`ITS: the message ${event.deviceId}:${event.eventId} is lost: ${event.reason}`)
    }
    this.gic.listen(listener, { accesses: false })
    this.its?.events.listen(listener, false)
  }

  explainMessage(deviceId: number, eventId: number): MsiExplanation | undefined {
    if (this.its === undefined) return undefined
    const explained = explainMsi(this.its, deviceId, eventId)
    const gates = explained.gates.map((gate) => ({ ...gate, register: withoutLent(gate.register) }))
    return { ...explained, gates, closed: gates.find(({ open }) => !open), summary: withoutLent(explained.summary) }
  }

  state(): MachineState {
    const { gicd } = this.gic.frames
    const value = gicd.peek(0, 4, this.#strongest(0)) >>> 0
    return {
      control: { name: 'GICD_CTLR', value, fields: gicd.table.decode(0, value) },
      cpus: Array.from({ length: this.description.cpus }, (_, cpu) => this.#cpuState(cpu)),
      interrupts: interruptStates(this.gic, (cpu) => this.#strongest(cpu)),
    }
  }

  #cpuState(cpu: number): CpuState {
    const registers = shownRegisters.map((name) => {
      const value = this.#peekRegister(cpu, name) ?? 0
      return { name, value, fields: this.describeRegister(name, value, 0)?.fields ?? {} }
    })
    return { cpu, irq: this.gic.irq(cpu), fiq: this.gic.fiq(cpu), registers }
  }

  #peekRegister(cpu: number, register: string): number | undefined {
    const value = this.gic.peekSysreg(cpu, iccEncoding(register) ?? 0)
    return value === undefined ? undefined : Number(BigInt.asUintN(32, value))
  }

  #frame(region: Region, offset: number): AnyFrame | undefined {
    if (region === 'gicd') return this.gic.frames.gicd
    if (region === 'gicr') return this.gic.frames.gicr[Math.floor(offset / REDISTRIBUTOR_STRIDE)]
    if (region === 'its') return this.its?.frames.control
    return region === 'itst' ? this.its?.frames.translation : undefined
  }

  /**
   * A trace tells where a PE executes only as far as its accesses do: a register of EL2 or EL3 is accessed there, any other
   * one at EL1 of the Security state that the access names.
   */
  #enter({ cpu, register, security }: SystemRegisterEvent): void {
    const el = register.endsWith('_EL3') ? 3 : register.endsWith('_EL2') ? 2 : 1
    const secure = this.description.secure && (el === 3 || security === 's')
    const pe = this.gic.cpus[cpu]
    if (pe !== undefined && (pe.el !== el || pe.secure !== secure)) this.gic.setExecution(cpu, { el, secure })
  }

  #by(event: AccessEvent): Initiator {
    const cpu = this.#initiators[2 * event.cpu + (event.security === 's' ? 1 : 0)]
    // What a CPU stores to GITS_TRANSLATER has a DeviceID, too, where the trace gives one.
    return cpu === undefined || event.region === 'itst' ? this.#device(event.device) : cpu
  }

  #device(deviceId: number): Initiator {
    let device = this.#devices.get(deviceId)
    if (device === undefined) {
      device = deviceInitiator(deviceId)
      if (this.#devices.size < mostDevices) this.#devices.set(deviceId, device)
    }
    return device
  }

  #strongest(cpu: number): Initiator {
    return this.#initiators[2 * cpu + (this.description.secure ? 1 : 0)] ?? this.#device(0)
  }

  #note(outcome: Outcome): void {
    this.refused = outcome === Outcome.ok ? '' : (outcomeNames[outcome] ?? '')
  }

  #checkMemory(line: number): void {
    if (this.#memory.full) throw new TraceError(line, 'the trace fills more than 64 MiB of guest memory')
  }
}

function decode(fields: Fields, low: number, high: number): Record<string, number> {
  const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const found: Record<string, number> = {}
  for (const [name, { msb, lsb }] of Object.entries(fields))
    found[name] = Number((value >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n))
  return found
}
