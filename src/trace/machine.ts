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
  /** By the specification's names. */
  fields: Readonly<Record<string, number>>
}

/** An interrupt that is enabled, pending or active. */
export interface InterruptState {
  /** Its number. */
  intid: number
  /** The PE that it is private to; undefined for a shared one. */
  cpu: number | undefined
  /** In the Distributor or its Redistributor. */
  enabled: boolean
  /** By latch or level. */
  pending: boolean
  /** Acknowledged, and not deactivated. */
  active: boolean
  /** As Secure software sees it; 0 is the highest. */
  priority: number
  /** Where a shared one may go, as the architecture writes it. */
  route: string
}

/** One CPU's interface, as it is now. */
export interface CpuState {
  /** Its number. */
  cpu: number
  /** Level of its IRQ. */
  irq: boolean
  /** Level of its FIQ. */
  fiq: boolean
  /** The registers of its CPU interface. */
  registers: readonly { name: string; value: number; fields: Readonly<Record<string, number>> }[]
}

/** The interrupt controller, as it is now: for listings. */
export interface MachineState {
  /** The distributor's control register. */
  control: { name: string; value: number; fields: Readonly<Record<string, number>> }
  /** In the order of their numbers. */
  cpus: readonly CpuState[]
  /** In the order of their INTIDs. */
  interrupts: readonly InterruptState[]
}

/** An interrupt controller that the events of a trace can be put to. */
export interface ReplayMachine {
  /** What it is. */
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
  /** Carries out a store. */
  write(event: AccessEvent): void
  /** The low word of what the model answers. */
  mrs(event: SystemRegisterEvent): number
  /** Carries out a write of a system register. */
  msr(event: SystemRegisterEvent): void
  /** Gives an input wire a level. */
  irq(event: InputEvent): void
  /** Stores guest memory. */
  mem(event: MemoryEvent): void
  /** Puts a PE's CPU interface into its reset state. */
  reset(cpu: number): void

  /** What the load would answer now, with no effect; undefined where that cannot be said. */
  peek(event: AccessEvent | SystemRegisterEvent): number | undefined
  /** The most urgent INTID that is pending for the CPU; 1023 when none is. */
  highestPending(cpu: number): number
  /** The register at an offset, with the fields of a value; undefined where there is none. */
  describe(region: Region, offset: number, low: number, high: number): DecodedRegister | undefined
  /** The same of a system register. */
  describeRegister(register: string, low: number, high: number): DecodedRegister | undefined
  /** Undefined for an INTID or a CPU that this machine does not have. */
  explain(intid: number, cpu: number): Explanation | undefined
  /** Where a device's message goes, and why not; both numbers are unsigned 32-bit. Undefined where there is no ITS. */
  explainMessage(deviceId: number, eventId: number): MsiExplanation | undefined
  /** Tells from now on of each thing that the traffic does wrong, in a line. */
  hearMisuse?(hear: (message: string) => void): void
  /** As it is now. */
  state(): MachineState
}
