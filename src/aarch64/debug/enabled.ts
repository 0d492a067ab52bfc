/**
 * Whether debug exceptions are enabled (DDI 0487 D2.4), and what an exception return makes of PSTATE.SS. Functions of registers; they
 * take no exception and know neither breakpoints nor watchpoints.
 */
import { type Cpu, SLOT } from '../state/cpu.ts'

/** Bits of MDSCR_EL1. */
export const MDSCR = { SS: 1, TDCC: 1 << 12, KDE: 1 << 13, MDE: 1 << 15 } as const

const OSLK = 2
/** PSTATE.D, in DAIF. */
const D = 8

/** The OS Lock or the OS Double Lock (pseudocode DoubleLockStatus) holds all debug exceptions back but for BRK's. */
export function isLocked(cpu: Cpu): boolean {
  return (
    (cpu.word(SLOT.OSLSR_EL1) & OSLK) !== 0 ||
    ((cpu.word(SLOT.OSDLR_EL1) & 1) !== 0 && (cpu.word(SLOT.DBGPRCR_EL1) & 1) === 0)
  )
}

/** Pseudocode AArch64.GenerateDebugExceptionsFrom, with EL1 as the target; `daif` is that of the state that is asked about. */
export function generatesDebugExceptions(cpu: Cpu, el: number, daif: number): boolean {
  if (isLocked(cpu)) return false
  return el === 0 || ((cpu.word(SLOT.MDSCR_EL1) & MDSCR.KDE) !== 0 && (daif & D) === 0)
}

/** Whether software step is on, at whatever level; one look, for paths that most guests take without it. */
export function isStepSet(cpu: Cpu): boolean {
  return (cpu.word(SLOT.MDSCR_EL1) & MDSCR.SS) !== 0
}

/** PSTATE.SS after an exception return from the present state to `el` (pseudocode DebugExceptionReturnSS), while software step is on. */
export function returnedStep(cpu: Cpu, spsr: number, el: number, daif: number): number {
  if (generatesDebugExceptions(cpu, cpu.el, daif)) return 0
  return generatesDebugExceptions(cpu, el, (spsr >>> 6) & 15) ? (spsr >>> 21) & 1 : 0
}
