/**
 * The events of a trace: everything that enters or leaves an interrupt controller, in the order in which it saw them.
 * Only the types and the error; the text form is in parse.ts and format.ts.
 */

import type { AccessSize } from '../mmio/access.ts'

export type { AccessSize }

/** The register frames that a trace names; an offset counts from the frame's base. */
export type Region = 'gicd' | 'gicc' | 'v2m' | 'gich' | 'gicv' | 'its' | 'itst' | 'gicr'

/**
 * The Security state of an access: `s` Secure, `n` Non-secure, and empty where the trace does not say, which is the
 * machine's only state, or Non-secure where it has two.
 */
export type SecurityState = '' | 's' | 'n'

/** Stands in the CPU field of a device's own access, and of an SPI's wire. */
export const noCpu = -1

interface Positioned {
  /** The line of the file it came from, from 1; 0 when it never was in a file. */
  line: number
}

/** A 64-bit value as two unsigned 32-bit numbers. */
interface Value {
  low: number
  high: number
}

/** A load or a store. Of a load, the value is what the recorded machine returned. */
export interface AccessEvent extends Positioned, Value {
  /** A load, or a store. */
  kind: 'read' | 'write'
  /** {@link noCpu} for a device's write, such as an MSI. */
  cpu: number
  /** As the trace has it. */
  security: SecurityState
  /** The frame. */
  region: Region
  /** From the frame's base, in bytes; in `gicr` Redistributors follow each other. */
  offset: number
  /** In bytes. */
  size: AccessSize
  /** The DeviceID that the interconnect gives a write to the ITS, 32 bits; 0 elsewhere. */
  device: number
}

/** A system register access by MRS or MSR, by the architecture's name. */
export interface SystemRegisterEvent extends Positioned, Value {
  /** A read (MRS), or a write (MSR). */
  kind: 'mrs' | 'msr'
  /** Who makes it. */
  cpu: number
  /** As the trace has it. */
  security: SecurityState
  /** By the architecture's name: `ICC_PMR_EL1`. */
  register: string
}

/** A change of an input wire. */
export interface InputEvent extends Positioned {
  /** An input wire. */
  kind: 'irq'
  /** The interrupt whose wire it is. */
  intid: number
  /** The owner of a PPI's wire; {@link noCpu} for an SPI's. */
  cpu: number
  /** The new level. */
  level: 0 | 1
}

/** The two outputs of a CPU interface. */
export type OutputSignal = 'irq' | 'fiq'

/** A change of an output of the recorded machine, caused by the nearest event before it that is not one of these. */
export interface OutputEvent extends Positioned {
  /** An output. */
  kind: 'out'
  /** Whose output it is. */
  cpu: number
  /** Which one. */
  signal: OutputSignal
  /** The new level. */
  level: 0 | 1
}

/** Bytes of guest memory that the next event makes the interrupt controller read. */
export interface MemoryEvent extends Positioned {
  /** Guest memory. */
  kind: 'mem'
  /** Bits 31:0 of the address, unsigned. */
  low: number
  /** Bits 63:32 of the address, unsigned. */
  high: number
  /** From that address on. */
  bytes: Uint8Array
}

/** A PE was powered on again: its CPU interface's system registers are at their reset values. */
export interface ResetEvent extends Positioned {
  /** A power-on. */
  kind: 'reset'
  /** The PE that was powered on. */
  cpu: number
}

/** One line of a trace. */
export type TraceEvent = AccessEvent | SystemRegisterEvent | InputEvent | OutputEvent | MemoryEvent | ResetEvent

/** A trace that cannot be used: what is wrong, and in which line. The message is one line of printable text. */
export class TraceError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'TraceError'
  /** From 1; 0 when it is about the whole file. */
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** A piece of a file as it may stand in a message: short, printable, on one line. */
export function quote(text: string): string {
  const limit = 40
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return `'${cut.replace(/[^\x20-\x7e…]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`
}
