/**
 * What generated code calls for instructions that are rare or long (`host.ts` declares it): exceptions, system registers, SYS, hints
 * and PSTATE. It takes no part in running a CPU, and memory accesses are in `access.ts`.
 */

import { isStepSet } from '../debug/enabled.ts'
import type { Field } from '../isa/fields.ts'
import { bitsOf } from '../isa/row.ts'
import { type Cpu, SCTLR, SLOT } from '../state/cpu.ts'
import type { Hooks } from '../state/hooks.ts'
import { EFFECT, EXCEPTION } from '../state/host.ts'
import { EXIT, STATE } from '../state/state.ts'
import { EC, exceptionReturn, takeSynchronous } from './exceptions.ts'
import { isReservedId } from './registers.ts'
import { type SysSurroundings, systemInstructionByKey } from './sys.ts'
import type { Surroundings, SystemRegister, Verdict } from './system-register.ts'

/** o0, op1, CRn, CRm, op2 of MRS, MSR and SYS; with the bit above, which is 1 in MRS and MSR, all of op0. */
const registerKey: Field = [19, 5]
const encoding: Field = [20, 5]
const Rt: Field = [4, 0]

/** ISS of a trapped MSR, MRS or SYS (EC 0x18). */
function trapSyndrome(word: number, read: boolean): number {
  return (
    (bitsOf(word, [20, 19]) << 20) |
    (bitsOf(word, [7, 5]) << 17) |
    (bitsOf(word, [18, 16]) << 14) |
    (bitsOf(word, [15, 12]) << 10) |
    (bitsOf(word, Rt) << 5) |
    (bitsOf(word, [11, 8]) << 1) |
    (read ? 1 : 0)
  )
}

/** What the functions work on. The lists are by CPU. */
export interface HostContext {
  readonly hooks: Hooks
  readonly cpus: readonly Cpu[]
  readonly registers: ReadonlyMap<number, SystemRegister>
  readonly surroundings: readonly Surroundings[]
  readonly sysSurroundings: readonly SysSurroundings[]
}

/** MRS with op0 3, op1 0 and CRn 0, whatever CRm, op2 and Rt are. */
const ID_SPACE = 0xffff_f000
const ID_READ = 0xd538_0000

export class HostFunctions {
  private readonly hooks: Hooks
  private readonly cpus: readonly Cpu[]
  private readonly registers: ReadonlyMap<number, SystemRegister>
  private readonly surroundings: readonly Surroundings[]
  private readonly sysSurroundings: readonly SysSurroundings[]

  constructor({ hooks, cpus, registers, surroundings, sysSurroundings }: HostContext) {
    this.hooks = hooks
    this.cpus = cpus
    this.registers = registers
    this.surroundings = surroundings
    this.sysSurroundings = sysSurroundings
  }

  private undefinedInstruction(cpu: Cpu, kind: 'instruction' | 'register', word: number): void {
    // Reads of the ID space at EL0 are emulated by kernels, as by Linux: nothing is missing.
    const emulated = kind === 'register' && cpu.el === 0 && (word & ID_SPACE) >>> 0 === ID_READ
    if (!emulated) this.hooks.unknown?.(cpu.index, kind, word >>> 0, cpu.quad(STATE.PC))
    takeSynchronous(cpu, EC.unknown, 0, cpu.quad(STATE.PC))
  }

  exception(cpu: Cpu, kind: number, immediate: number): void {
    const pc = cpu.quad(STATE.PC)
    const after = BigInt.asUintN(64, pc + 4n)
    if (kind === EXCEPTION.svc) {
      // A call has been executed when it is taken, so SPSR_EL1.SS is 0 (pseudocode SSAdvance); other exceptions keep PSTATE.SS.
      cpu.setWord(STATE.SS, 0)
      takeSynchronous(cpu, EC.svc64, immediate, after)
    } else if (kind === EXCEPTION.brk) takeSynchronous(cpu, EC.brk, immediate, pc)
    else if (kind === EXCEPTION.hvc || kind === EXCEPTION.smc) {
      if (cpu.el !== 0) {
        cpu.setQuad(STATE.PC, after)
        if (this.hooks.hypercall?.(cpu.index, kind === EXCEPTION.hvc ? 'hvc' : 'smc', immediate)) return
        cpu.setQuad(STATE.PC, pc)
      }
      takeSynchronous(cpu, EC.unknown, 0, pc)
    } else if (kind === EXCEPTION.fpAccess) takeSynchronous(cpu, EC.fpAccess, 0x1e00000, pc)
    else if (kind === EXCEPTION.spAlignment) {
      this.hooks.stackMisaligned?.(cpu.index, pc, cpu.quad(STATE.SP))
      takeSynchronous(cpu, EC.spAlignment, 0, pc)
    } else this.undefinedInstruction(cpu, 'instruction', immediate)
  }

  /** Whether the access is allowed now; takes the exception when not. */
  private permitted(cpu: Cpu, register: SystemRegister, word: number, write: boolean): boolean {
    const { access, el0, fp, name } = register
    let verdict: Verdict = 'ok'
    if (access === (write ? 'ro' : 'wo')) verdict = 'undefined'
    else if (cpu.el === 0) {
      if (typeof el0 === 'function') verdict = el0(cpu, write)
      else if (el0 === undefined || (el0 === 'ro' && write)) verdict = 'undefined'
      else if (el0 === 'uct' && (cpu.word(SLOT.SCTLR_EL1) & SCTLR.UCT) === 0) verdict = 'trap'
    }
    // SP_EL0 is no register while it is the stack pointer.
    if (name === 'SP_EL0' && cpu.word(STATE.SPSEL) === 0) verdict = 'undefined'
    if (verdict === 'undefined') takeSynchronous(cpu, EC.unknown, 0, cpu.quad(STATE.PC))
    else if (verdict === 'trap') takeSynchronous(cpu, EC.system, trapSyndrome(word, !write), cpu.quad(STATE.PC))
    else if (fp && cpu.word(STATE.FP_TRAP)) takeSynchronous(cpu, EC.fpAccess, 0x1e00000, cpu.quad(STATE.PC))
    else return true
    return false
  }

  readRegister(cpu: Cpu, word: number): void {
    cpu.setWord(STATE.FAULT, 0)
    const key = bitsOf(word, registerKey)
    const register = this.registers.get(key)
    if (register) {
      if (!this.permitted(cpu, register, word, false)) {
        cpu.setWord(STATE.FAULT, 1)
        return
      }
      const { read, slot = STATE.ZERO } = register
      cpu.setQuad(STATE.VALUE, read ? read(this.surroundings[cpu.index]!) : cpu.quad(slot))
      if (register.timed) cpu.spendCounterRead()
      return
    }
    if (cpu.el !== 0) {
      if (isReservedId(key)) {
        cpu.setQuad(STATE.VALUE, 0n)
        return
      }
      const external = this.hooks.systemRegisters
      if (external !== undefined) {
        const low = external.read(cpu.index, bitsOf(word, encoding))
        if (external.known) {
          cpu.setWord(STATE.VALUE, low)
          cpu.setWord(STATE.VALUE + 4, external.high)
          return
        }
      }
    }
    this.undefinedInstruction(cpu, 'register', word)
    cpu.setWord(STATE.FAULT, 1)
  }

  writeRegister(cpu: Cpu, word: number): void {
    const register = this.registers.get(bitsOf(word, registerKey))
    if (register) {
      if (!this.permitted(cpu, register, word, true)) return
      cpu.nextInstruction()
      const value = cpu.quad(STATE.VALUE)
      if (register.write) register.write(this.surroundings[cpu.index]!, value)
      else if (register.slot !== undefined) cpu.setQuad(register.slot, value)
      this.unmasked(cpu)
      return
    }
    const external = this.hooks.systemRegisters
    if (
      external !== undefined &&
      cpu.el !== 0 &&
      external.write(cpu.index, bitsOf(word, encoding), cpu.word(STATE.VALUE) | 0, cpu.word(STATE.VALUE + 4) | 0)
    )
      cpu.nextInstruction()
    else this.undefinedInstruction(cpu, 'register', word)
  }

  externalRead(index: number, encoding: number): number {
    const external = this.hooks.systemRegisters!
    const low = external.read(index, encoding)
    const cpu = this.cpus[index]!
    if (external.known) cpu.setWord(STATE.VALUE + 4, external.high)
    else cpu.setWord(STATE.FAULT, 1)
    return low
  }

  externalWrite(index: number, encoding: number, low: number, high: number): number {
    return this.hooks.systemRegisters!.write(index, encoding, low, high) ? 1 : 0
  }

  /** Ends the run when an interrupt, or a Software Step exception, may be taken now. */
  private unmasked(cpu: Cpu): void {
    if (cpu.word(STATE.LINES) & ~cpu.word(STATE.DAIF) & 15) cpu.limit(0)
  }

  systemInstruction(cpu: Cpu, word: number): void {
    // Bits 20:19 are 01, so the key's o0 bit is that of op0 1.
    const instruction = (word >>> 21) & 1 ? undefined : systemInstructionByKey.get(bitsOf(word, registerKey))
    if (!instruction) {
      this.undefinedInstruction(cpu, 'register', word)
      return
    }
    if (cpu.el === 0) {
      const verdict = instruction.el0?.(cpu) ?? 'undefined'
      if (verdict === 'trap') {
        takeSynchronous(cpu, EC.system, trapSyndrome(word, false), cpu.quad(STATE.PC))
        return
      }
      if (verdict === 'undefined') {
        this.undefinedInstruction(cpu, 'register', word)
        return
      }
    }
    cpu.setWord(STATE.FAULT, 0)
    instruction.run(this.sysSurroundings[cpu.index]!, cpu.word(STATE.VALUE), cpu.word(STATE.VALUE + 4))
    if (cpu.word(STATE.FAULT) === 0) cpu.nextInstruction()
  }

  effect(cpu: Cpu, kind: number, word: number): void {
    if (kind === EFFECT.eret) {
      if (cpu.el === 0) this.undefinedInstruction(cpu, 'instruction', word)
      else {
        exceptionReturn(cpu)
        if (cpu.word(STATE.IL) || isStepSet(cpu)) cpu.limit(0)
        this.unmasked(cpu)
      }
      return
    }
    if (kind === EFFECT.pstate) {
      this.statusImmediate(cpu, word)
      return
    }
    this.hint(cpu, bitsOf(word, [11, 5]))
  }

  /** The hints that do something: YIELD, WFE, WFI, SEV, SEVL are 1 to 5. */
  private hint(cpu: Cpu, kind: number): void {
    if (kind === 2 || kind === 3) {
      const wfe = kind === 2
      const due = wfe ? cpu.word(STATE.EVENT) !== 0 : (cpu.word(STATE.LINES) & 7) !== 0
      if (!due && cpu.el === 0 && (cpu.word(SLOT.SCTLR_EL1) & (wfe ? SCTLR.nTWE : SCTLR.nTWI)) === 0) {
        takeSynchronous(cpu, EC.wfx, 0x1e00000 | (wfe ? 1 : 0), cpu.quad(STATE.PC))
        return
      }
      cpu.nextInstruction()
      if (wfe) cpu.setWord(STATE.EVENT, 0)
      if (!due) cpu.exit(wfe ? EXIT.wfe : EXIT.wfi)
      return
    }
    cpu.nextInstruction()
    if (kind === 1) cpu.exit(EXIT.yield)
    else if (kind === 5) cpu.setWord(STATE.EVENT, 1)
    else if (kind === 4) {
      for (const other of this.cpus) other.setWord(STATE.EVENT, 1)
      this.hooks.sendEvent?.(cpu.index)
    }
  }

  /** MSR (immediate): SPSel, PAN, DAIFSet, DAIFClr. */
  private statusImmediate(cpu: Cpu, word: number): void {
    const op1 = bitsOf(word, [18, 16])
    const op2 = bitsOf(word, [7, 5])
    const value = bitsOf(word, [11, 8])
    if (op1 === 3 && (op2 === 6 || op2 === 7)) {
      if (cpu.el === 0 && (cpu.word(SLOT.SCTLR_EL1) & SCTLR.UMA) === 0) {
        takeSynchronous(cpu, EC.system, trapSyndrome(word, false), cpu.quad(STATE.PC))
        return
      }
      const daif = cpu.word(STATE.DAIF)
      cpu.setWord(STATE.DAIF, op2 === 6 ? daif | value : daif & ~value)
    } else if (op1 === 0 && op2 === 5 && cpu.el !== 0) cpu.setMode(cpu.el, value & 1)
    else if (op1 === 0 && op2 === 4 && cpu.el !== 0 && cpu.panImplemented) {
      cpu.setWord(STATE.PAN, value & 1)
      cpu.update()
    } else {
      this.undefinedInstruction(cpu, 'instruction', word)
      return
    }
    cpu.nextInstruction()
    this.unmasked(cpu)
  }
}
