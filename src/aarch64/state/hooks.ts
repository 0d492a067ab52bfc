/**
 * What an embedder of CPUs may give them: what their outputs do, what HVC and SMC mean, and the system registers that are not the
 * CPU's own. Types only; memory and devices are behind `physical.ts`.
 */
import type { TimerName } from '../system/timer.ts'

/** System registers outside of the CPU, by encoding: op0, op1, CRn, CRm, op2 as in bits 20:5 of MRS and MSR, 16 bits. */
export interface ExternalRegisters {
  /** Upper half of a value read, left there by `read`. */
  high: number
  /** Whether there was such a register at this CPU's level, left there by `read`: without, the instruction is UNDEFINED. */
  known: boolean
  /** Lower half of the value, in `| 0` form. */
  read(cpu: number, encoding: number): number
  /** False: there is no such register, and the instruction is UNDEFINED. */
  write(cpu: number, encoding: number, low: number, high: number): boolean
}

export interface Hooks {
  /** A timer's output changed: PPI 30 is `physical`, PPI 27 is `virtual`. */
  timerOutput?(cpu: number, timer: TimerName, level: boolean): void
  /** The overflow interrupt of the Performance Monitors changed: PPI 23. */
  pmuOutput?(cpu: number, level: boolean): void
  /** HVC and SMC at EL1. X registers are read and written by `register`. False: the instruction is UNDEFINED. */
  hypercall?(cpu: number, conduit: 'hvc' | 'smc', immediate: number): boolean
  /** The system registers that the CPU does not have itself (ICC_*). */
  readonly systemRegisters?: ExternalRegisters
  /** An instruction was UNDEFINED because nothing has it or the system register that it names; for reports. `word` is the opcode. */
  unknown?(cpu: number, kind: 'instruction' | 'register', word: number, pc: bigint): void
  /** SP was no multiple of 16 where an instruction used it as a base, and SCTLR_EL1.SA or SA0 has that checked; for reports. */
  stackMisaligned?(cpu: number, pc: bigint, sp: bigint): void
  /** SEV, or an exclusive monitor's event: wake CPUs that are in WFE. The event registers are already set. */
  sendEvent?(cpu: number): void
}
