/**
 * Taking exceptions to EL1 and returning from them (DDI 0487 D1.10, D1.11): the one place where PSTATE, SPSR, ELR, ESR, FAR and the
 * vector are changed together. It does not decide whether an exception is due.
 */
import { isStepSet, returnedStep } from '../debug/enabled.ts'
import { type Cpu, SCTLR, SLOT } from '../state/cpu.ts'
import { STATE } from '../state/state.ts'

/** Exception classes, ESR_EL1.EC. */
export const EC = {
  unknown: 0x00,
  wfx: 0x01,
  fpAccess: 0x07,
  illegalState: 0x0e,
  svc64: 0x15,
  hvc64: 0x16,
  smc64: 0x17,
  system: 0x18,
  instructionLower: 0x20,
  instructionSame: 0x21,
  pcAlignment: 0x22,
  dataLower: 0x24,
  dataSame: 0x25,
  spAlignment: 0x26,
  serror: 0x2f,
  breakpointLower: 0x30,
  stepLower: 0x32,
  watchpointLower: 0x34,
  brk: 0x3c,
} as const

/** Offsets of the kinds of exceptions in a vector table. */
export const VECTOR = { synchronous: 0x000, irq: 0x080, fiq: 0x100, serror: 0x180 } as const

/** The vector of EL1 that the current state takes an exception to. */
function vector(cpu: Cpu, kind: number): bigint {
  const from = cpu.el === 0 ? 0x400 : cpu.word(STATE.SPSEL) ? 0x200 : 0x000
  return BigInt.asUintN(64, (cpu.quad(SLOT.VBAR_EL1) & ~0x7ffn) + BigInt(from + kind))
}

/** Enters EL1 at a vector; `link` becomes ELR_EL1. `unfinished`: an instruction was begun, and did not retire because of it. */
export function enterException(cpu: Cpu, kind: number, link: bigint, unfinished = false): void {
  cpu.boundaries?.taken(unfinished)
  const target = vector(cpu, kind)
  cpu.setQuad(SLOT.SPSR_EL1, BigInt(cpu.pstate))
  cpu.setQuad(SLOT.ELR_EL1, link)
  cpu.setWord(STATE.DAIF, 15)
  cpu.setWord(STATE.IL, 0)
  cpu.setWord(STATE.SS, 0)
  cpu.exceptions++
  if (cpu.panImplemented && (cpu.word(SLOT.SCTLR_EL1) & SCTLR.SPAN) === 0) cpu.setWord(STATE.PAN, 1)
  cpu.setMode(1, 1)
  cpu.setQuad(STATE.PC, target)
  cpu.boundaries?.entered()
}

/** Exceptions that come after an instruction, or before the next one has begun. */
const between: ReadonlySet<number> = new Set([
  EC.svc64,
  EC.illegalState,
  ...[EC.breakpointLower, EC.stepLower].flatMap((lower) => [lower, lower + 1]),
])

/** A synchronous exception with its syndrome. IL is always 1: every A64 instruction is 32 bits. */
export function takeSynchronous(cpu: Cpu, ec: number, iss: number, link: bigint): void {
  const syndrome = ((ec << 26) | 0x02000000 | iss) >>> 0
  cpu.setQuad(SLOT.ESR_EL1, BigInt(syndrome))
  cpu.row.taken(syndrome, link, cpu.quad(SLOT.FAR_EL1))
  enterException(cpu, VECTOR.synchronous, link, !between.has(ec))
}

/** Of the exceptions that have a class for each EL they come from: `ec` is that of a lower one, and the next is that of the same. */
export function takeFrom(cpu: Cpu, ec: number, iss: number): void {
  takeSynchronous(cpu, cpu.el === 0 ? ec : ec + 1, iss, cpu.quad(STATE.PC))
}

/** An abort, watchpoint or alignment fault, which sets FAR_EL1 too. */
export function takeAbort(cpu: Cpu, ec: number, iss: number, farLow: number, farHigh: number): void {
  cpu.setWord(SLOT.FAR_EL1, farLow)
  cpu.setWord(SLOT.FAR_EL1 + 4, farHigh)
  if (ec === EC.pcAlignment) takeSynchronous(cpu, ec, iss, cpu.quad(STATE.PC))
  else takeFrom(cpu, ec, iss)
}

/** An unmasked IRQ, FIQ or SError is taken if there is one. The next instruction is at STATE.PC. */
export function takePending(cpu: Cpu): boolean {
  const due = cpu.word(STATE.LINES) & ~cpu.word(STATE.DAIF)
  if ((due & 7) === 0) return false
  // An SError interrupt has a syndrome, which says no more here than what it is; IRQ and FIQ have none.
  if ((due & 3) === 0) cpu.setQuad(SLOT.ESR_EL1, BigInt(((EC.serror << 26) | 0x02000000) >>> 0))
  const link = cpu.quad(STATE.PC)
  cpu.interrupt.taken(due & 1 ? 'fiq' : due & 2 ? 'irq' : undefined, link)
  enterException(cpu, due & 1 ? VECTOR.fiq : due & 2 ? VECTOR.irq : VECTOR.serror, link)
  return true
}

/** Whether SPSR names a state that this CPU can return to from EL1: AArch64, EL1 or EL0, and SP_EL0 at EL0. */
function legal(mode: number): boolean {
  return mode === 0b00000 || mode === 0b00100 || mode === 0b00101
}

/** ERET. An illegal return keeps the mode and sets PSTATE.IL (DDI 0487 D1.11.4). */
export function exceptionReturn(cpu: Cpu): void {
  cpu.boundaries?.returning()
  const spsr = cpu.word(SLOT.SPSR_EL1)
  const target = cpu.quad(SLOT.ELR_EL1)
  const mode = spsr & 31
  cpu.setWord(
    STATE.SS,
    isStepSet(cpu) ? returnedStep(cpu, spsr, legal(mode) ? (mode >>> 2) & 3 : cpu.el, cpu.word(STATE.DAIF)) : 0,
  )
  cpu.row.returned()
  cpu.interrupt.returned()
  // NZCV, DAIF and PAN come from SPSR_EL1 whether the return is legal or not (pseudocode SetPSTATEFromPSR).
  cpu.setStatus(spsr)
  if (!cpu.panImplemented) cpu.setWord(STATE.PAN, 0)
  cpu.setWord(STATE.MONITOR_SIZE, 0)
  cpu.setWord(STATE.EVENT, 1)
  if (legal(mode)) cpu.setMode((spsr >>> 2) & 3, spsr & 1)
  else {
    cpu.setWord(STATE.IL, 1)
    cpu.update()
  }
  cpu.setQuad(STATE.PC, target)
  cpu.boundaries?.returned()
}
