/**
 * What a conformance vector needs of the GIC that it is put to: a list of steps in, one result a step out.
 * Independent of any model: the targets beside this file are this package's own GIC and QEMU's, through a guest agent.
 */

/** The register frames that a step can address; offsets are from the frame's base, as in a trace. */
export type Region = 'gicd' | 'gicc' | 'v2m' | 'gicr' | 'its' | 'itst'

/** The width of an access in bytes. */
export type AccessSize = 1 | 2 | 4 | 8

export type Step =
  /** A load by `cpu`. `secure` chooses the security state of the access where the target has two; Non-secure unless given. */
  | { op: 'read'; cpu: number; region: Region; offset: number; size: AccessSize; secure?: boolean }
  | {
      op: 'write'
      cpu: number
      region: Region
      offset: number
      size: AccessSize
      value: number | bigint
      secure?: boolean
    }
  /** The level of an SPI's input wire; INTID 32 and up. */
  | { op: 'spi'; intid: number; level: 0 | 1 }
  /** The level of a CPU's own PPI wire; INTID 16 to 31. */
  | { op: 'ppi'; intid: number; cpu: number; level: 0 | 1 }
  /** Samples every CPU's outputs: in the result, bit 2n is CPU n's FIQ and bit 2n+1 its IRQ. */
  | { op: 'lines' }
  /**
   * A system register access by the architecture's name, as in `ICC_IAR1_EL1`. With two Security states one that is named
   * `_EL1` is made at EL1, in the Security state given (Non-secure unless it is), and any other at EL3.
   */
  | { op: 'mrs'; cpu: number; register: string; secure?: boolean }
  | { op: 'msr'; cpu: number; register: string; value: number | bigint; secure?: boolean }
  /** Guest memory, for tables and command queues: little-endian 64-bit words at an address. */
  | { op: 'store'; address: number; words: readonly bigint[] }
  | { op: 'load'; address: number }

export type Status =
  | 'ok'
  /** An external abort (the access reached no device, or was refused by one). */
  | 'abort'
  /** A system register that is UNDEFINED here. */
  | 'undefined'

/** `value` is what a read returned, and 0 for every other step and for every failed one. */
export interface Result {
  status: Status
  value: bigint
}

export interface TargetConfig {
  version: 2 | 3
  /** PEs; the first has affinity 0. */
  cpus: number
  /** Two Security states: a GICv2 with the Security Extensions, a GICv3 that comes up with GICD_CTLR.DS = 0. */
  security: boolean
  /** An ITS, and LPIs; GICv3 only. */
  its: boolean
}

export interface GicTarget {
  readonly name: string
  readonly config: TargetConfig
  /** Takes the steps in order and resolves to as many results. Rejects only when the target itself is lost. */
  run(steps: readonly Step[]): Promise<Result[]>
  /** Back to the state of a cold reset, with every input wire low. */
  reset(): Promise<void>
  close(): Promise<void>
}
