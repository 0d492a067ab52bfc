/**
 * What a replay needs of the interrupt controller that it drives. An interface only: gicv2-machine.ts puts this package's
 * own GIC behind it, a test puts a few lines behind it.
 */

import type { Explanation, MsiExplanation } from '../gic/index.ts'
import type { AccessEvent, InputEvent, MemoryEvent, OutputSignal, Region, SystemRegisterEvent } from './event.ts'
import type { MachineDescription } from './header.ts'

export type { Explanation, MsiExplanation }

/** A register by the architecture's name, with its fields as they are in a value. */
export interface DecodedRegister {
  /** As software writes it: `GICD_ISENABLER1`. */
  name: string
  /** As the table of all registers lists it: `GICD_ISENABLERn`. */
  row: string
  fields: Readonly<Record<string, number>>
}

/** An interrupt that is enabled, pending or active. */
export interface InterruptState {
  intid: number
  /** The PE that it is private to; undefined for a shared one. */
  cpu: number | undefined
  enabled: boolean
  pending: boolean
  active: boolean
  priority: number
  /** Where a shared one may go, as the architecture writes it. */
  route: string
}

export interface CpuState {
  cpu: number
  irq: boolean
  fiq: boolean
  /** The registers of its CPU interface. */
  registers: readonly { name: string; value: number; fields: Readonly<Record<string, number>> }[]
}

export interface MachineState {
  /** The distributor's control register. */
  control: { name: string; value: number; fields: Readonly<Record<string, number>> }
  cpus: readonly CpuState[]
  interrupts: readonly InterruptState[]
}

export interface ReplayMachine {
  readonly description: MachineDescription
  /** Bits 63:32 of the last read. */
  readonly high: number
  /** Why the last access was refused, in a word; empty when it was not. */
  readonly refused: string
  /** Called at each change of an output, while the call that causes it is still running. */
  onOutput: (cpu: number, signal: OutputSignal, level: 0 | 1) => void

  /** Whether the frame is there at all. An event of another one is counted, and not applied. */
  models(region: Region): boolean
  /** Whether the CPU interface's registers are system registers here, and this is one of them. */
  modelsRegister(register: string): boolean

  /** The low word of what the model answers to this load; its own recorded value is not looked at. */
  read(event: AccessEvent): number
  write(event: AccessEvent): void
  mrs(event: SystemRegisterEvent): number
  msr(event: SystemRegisterEvent): void
  irq(event: InputEvent): void
  /** Stores guest memory. */
  mem(event: MemoryEvent): void
  /** Puts a PE's CPU interface into its reset state. */
  reset(cpu: number): void

  /** What the load would answer now, with no effect; undefined where that cannot be said. */
  peek(event: AccessEvent | SystemRegisterEvent): number | undefined
  /** The most urgent INTID that is pending for the CPU; 1023 when none is. */
  highestPending(cpu: number): number
  describe(region: Region, offset: number, low: number, high: number): DecodedRegister | undefined
  describeRegister(register: string, low: number, high: number): DecodedRegister | undefined
  /** Undefined for an INTID or a CPU that this machine does not have. */
  explain(intid: number, cpu: number): Explanation | undefined
  /** Where a device's message goes, and why not; both numbers are unsigned 32-bit. Undefined where there is no ITS. */
  explainMessage(deviceId: number, eventId: number): MsiExplanation | undefined
  state(): MachineState
}
