/**
 * What a conformance vector needs of the GIC that it is put to: a list of steps in, one result a step out.
 * Independent of any model: the targets beside this file are this package's own GIC and QEMU's, through a guest agent.
 */

/** The register frames that a step can address; offsets are from the frame's base, as in a trace. */
export type Region = 'gicd' | 'gicc' | 'v2m' | 'gicr' | 'its' | 'itst'

/** The width of an access in bytes. */
export type AccessSize = 1 | 2 | 4 | 8

/** Where a system register access is made by a PE with EL3: its Exception level, and what SCR_EL3 says then. */
export interface Execution {
  /** The Exception level. */
  el: 1 | 3
  /** SCR_EL3.NS: at EL1 its Security state, at EL3 which of two banked registers it reaches. */
  ns: boolean
  /** SCR_EL3.FIQ and SCR_EL3.IRQ: such interrupts, and the registers about them, are EL3's. 0 unless given. */
  fiq?: boolean
  /** SCR_EL3.IRQ. */
  irq?: boolean
}

/** One thing that is done to a target. */
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
   * A system register access by the architecture's name, as in `ICC_IAR1_EL1` or `ISR_EL1`. With two Security states it is
   * made where `at` says; without that, one that is named `_EL1` at EL1, in the Security state given (Non-secure unless it
   * is), and any other at EL3 with SCR_EL3.NS 0. With one Security state there is no EL3, and neither counts.
   */
  | { op: 'mrs'; cpu: number; register: string; secure?: boolean; at?: Execution }
  | { op: 'msr'; cpu: number; register: string; value: number | bigint; secure?: boolean; at?: Execution }
  /** Guest memory, for tables and command queues: little-endian 64-bit words at an address. */
  | { op: 'store'; address: number; words: readonly bigint[] }
  | { op: 'load'; address: number }

/** What an access came to. */
export type Status =
  | 'ok'
  /** An external abort (the access reached no device, or was refused by one). */
  | 'abort'
  /** A system register that is UNDEFINED here. */
  | 'undefined'
  /** A system register access that traps to EL3. */
  | 'trap'
  /** Nothing was accessed: an interrupt that SCR_EL3 routes to EL3 was signalled, and is taken there whatever masks say. */
  | 'taken'

/** `value` is what a read returned, and 0 for every other step and for every failed one. */
export interface Result {
  /** What the access came to. */
  status: Status
  /** What was read; 0 where nothing was. */
  value: bigint
}

/** What a target is configured to be. */
export interface TargetConfig {
  /** The architecture version. */
  version: 2 | 3
  /** PEs; the first has affinity 0. */
  cpus: number
  /** Two Security states: a GICv2 with the Security Extensions, a GICv3 that comes up with GICD_CTLR.DS = 0. */
  security: boolean
  /** An ITS, and LPIs; GICv3 only. */
  its: boolean
  /** PEs with EL2 beside EL3; GICv3 with two Security states only. */
  el2?: boolean
}

/** In few words: `EL3, SCR_EL3 NS FIQ`. */
export function describeExecution({ el, ns, fiq, irq }: Execution): string {
  const bits = [ns ? ' NS' : '', fiq ? ' FIQ' : '', irq ? ' IRQ' : ''].join('')
  return `EL${el}, SCR_EL3${bits === '' ? ' 0' : bits}`
}

/** Where the access of a step is made that names a system register, with two Security states. */
export function executionOf(step: Extract<Step, { op: 'mrs' | 'msr' }>): Execution {
  if (step.at !== undefined) return step.at
  return step.register.endsWith('_EL1') ? { el: 1, ns: step.secure !== true } : { el: 3, ns: false }
}

/** A GIC under test: takes steps, and answers each. */
export interface GicTarget {
  /** For people. */
  readonly name: string
  /** What it is. */
  readonly config: TargetConfig
  /** Takes the steps in order and resolves to as many results. Rejects only when the target itself is lost. */
  run(steps: readonly Step[]): Promise<Result[]>
  /** Back to the state of a cold reset, with every input wire low. */
  reset(): Promise<void>
  /** Ends whatever it runs. */
  close(): Promise<void>
}
