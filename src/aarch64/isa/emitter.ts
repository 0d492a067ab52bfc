/**
 * What a semantic function emits through: operands of an instruction (a field of the run-time opcode, or a constant when the
 * tier knows it), registers, flags, memory, control. Everything pushes on or pops from the wasm stack; `set...` takes a function that
 * pushes the value. A semantic function must not assume a tier; this class must not know an instruction.
 */

import { STATE } from '../state/state.ts'
import type { Code } from '../wasm/code.ts'
import type { HostFunction, LibraryFunction, Module } from '../wasm/module.ts'
import { i32, i64, v128 } from '../wasm/opcodes.ts'
import type { Field } from './fields.ts'

export type Push = () => void

/** How one element of memory is read or written: the opcode names size, extension, and the type of the value. */
export interface Access {
  readonly bytes: 1 | 2 | 4 | 8
  readonly opcode: number
}

export interface AccessOptions {
  /** Uses the permissions of EL0 (LDTR, STTR). */
  readonly unprivileged?: boolean
  /** The whole access must be aligned whatever SCTLR_EL1.A says: exclusives, atomics, acquire and release. */
  readonly aligned?: boolean
  /** What SCTLR_EL1.A and Device memory require alignment to, in bytes, where that is not the size of an element. */
  readonly alignment?: number
  /** Read in order to be written at once: faults are those of a write (ESR_EL1.WnR). */
  readonly atomic?: boolean
}

export abstract class Emitter {
  readonly code: Code
  readonly module: Module
  /** Opcode bits that this piece of code may take for granted. */
  readonly mask: number
  readonly value: number

  constructor(code: Code, module: Module, mask: number, value: number) {
    this.code = code
    this.module = module
    this.mask = mask >>> 0
    this.value = value >>> 0
  }

  // --- operands ------------------------------------------------------------------------------------------------------

  /** The value of a field where it is known when code is emitted. */
  known([msb, lsb]: Field): number | undefined {
    const wanted = msb - lsb === 31 ? 0xffffffff : (((1 << (msb - lsb + 1)) - 1) << lsb) >>> 0
    if ((this.mask & wanted) >>> 0 !== wanted) return undefined
    return (this.value & wanted) >>> lsb
  }

  /** The value of a field that the row's pattern or its `split` fixes. */
  fixed(field: Field): number {
    const value = this.known(field)
    if (value === undefined) throw new Error(`bits ${field.join(':')} are not fixed: add them to the row's split`)
    return value
  }

  /** Pushes the opcode, as i32. */
  abstract word(): void

  /** Pushes a field as an unsigned i32, shifted left by `scale`. */
  bits(field: Field, scale = 0): void {
    const { code } = this
    const value = this.known(field)
    if (value !== undefined) {
      code.i32(value << scale)
      return
    }
    const [msb, lsb] = field
    const mask = ((1 << (msb - lsb + 1)) - 1) << scale
    this.word()
    if (lsb > scale) code.i32(lsb - scale).op(i32.shr_u)
    else if (lsb < scale) code.i32(scale - lsb).op(i32.shl)
    code.i32(mask).op(i32.and)
  }

  /** Pushes a field as a signed i32, shifted left by `scale`. */
  signedBits(field: Field, scale = 0): void {
    const { code } = this
    const [msb, lsb] = field
    const value = this.known(field)
    if (value !== undefined) {
      const width = msb - lsb + 1
      code.i32(((value << (32 - width)) >> (32 - width)) << scale)
      return
    }
    this.word()
    if (msb !== 31) code.i32(31 - msb).op(i32.shl)
    const shift = 31 - msb + lsb
    if (shift > scale) code.i32(shift - scale).op(i32.shr_s)
    else if (shift < scale) code.i32(scale - shift).op(i32.shl)
    if (scale > 0 && shift > 0) code.i32(-(1 << scale)).op(i32.and)
  }

  // --- CPU state -----------------------------------------------------------------------------------------------------

  /** Pushes the address of the CPU's state block: the first argument of library functions that touch state. */
  abstract cpu(): void

  /** Pushes a word of the state block: `e.state(i32.load, STATE.FPCR)`. */
  state(opcode: number, offset: number): void {
    this.cpu()
    this.code.memory(opcode, offset)
  }

  setState(opcode: number, offset: number, push: Push): void {
    this.cpu()
    push()
    this.code.memory(opcode, offset)
  }

  /** Calls a library function with what is on the stack. */
  call(callee: LibraryFunction | HostFunction): void {
    this.code.call(this.module.indexOf(callee))
  }

  // --- general registers ---------------------------------------------------------------------------------------------

  /** Pushes the address of an indexed slot, less the returned constant, which belongs in the access's offset. */
  protected slot(field: Field, log2: number): number {
    this.cpu()
    const value = this.known(field)
    if (value !== undefined) return value << log2
    this.bits(field, log2)
    this.code.op(i32.add)
    return 0
  }

  /** Pushes Xn as i64; register 31 is zero. */
  x(field: Field): void {
    if (this.known(field) === 31) this.code.i64(0)
    else {
      const offset = this.slot(field, 3)
      this.code.memory(i64.load, STATE.X + offset)
    }
  }

  /** Pushes Wn as i32. */
  w(field: Field): void {
    if (this.known(field) === 31) this.code.i32(0)
    else {
      const offset = this.slot(field, 3)
      this.code.memory(i32.load, STATE.X + offset)
    }
  }

  /** Writes Xd (an i64); register 31 discards it. */
  setX(field: Field, push: Push): void {
    const known = this.known(field)
    if (known === 31) {
      push()
      this.code.drop()
      return
    }
    const offset = this.slot(field, 3)
    push()
    this.code.memory(i64.store, STATE.X + offset)
    if (known === undefined) this.setState(i64.store, STATE.ZERO, () => this.code.i64(0))
  }

  /** Writes X0 to X30 by number: the link register of BL, the second register of a pair. */
  setRegister(register: number, push: Push): void {
    this.setState(i64.store, STATE.X + 8 * register, push)
  }

  /** Pushes the register `odd` (0 or 1) after an even-numbered one: CASP. Register 30 is followed by XZR. */
  xOdd(field: Field, odd: number): void {
    const offset = this.slot(field, 3)
    this.code.memory(i64.load, STATE.X + 8 * odd + offset)
  }

  setXOdd(field: Field, odd: number, push: Push): void {
    const offset = this.slot(field, 3)
    push()
    this.code.memory(i64.store, STATE.X + 8 * odd + offset)
    this.setState(i64.store, STATE.ZERO, () => this.code.i64(0))
  }

  /** Writes Wd (an i32): the upper half becomes zero. */
  setW(field: Field, push: Push): void {
    this.setX(field, () => {
      push()
      this.code.op(i64.extend_i32_u)
    })
  }

  /** Pushes Xn (i64) or Wn (i32) by the width of the operation. */
  r(field: Field, sf: number | boolean): void {
    if (sf) this.x(field)
    else this.w(field)
  }

  setR(field: Field, sf: number | boolean, push: Push): void {
    if (sf) this.setX(field, push)
    else this.setW(field, push)
  }

  /** As `slot`, where register 31 is the stack pointer. */
  private stackSlot(field: Field): number {
    const { code } = this
    const value = this.known(field)
    this.cpu()
    if (value !== undefined) return (value === 31 ? 32 : value) << 3
    const index = code.local('i32')
    this.bits(field)
    code.tee(index).get(index).i32(1).op(i32.add).i32(5).op(i32.shr_u, i32.add).i32(3).op(i32.shl, i32.add)
    code.release(index)
    return 0
  }

  /** Pushes Xn or SP as i64. */
  xsp(field: Field): void {
    const offset = this.stackSlot(field)
    this.code.memory(i64.load, STATE.X + offset)
  }

  wsp(field: Field): void {
    const offset = this.stackSlot(field)
    this.code.memory(i32.load, STATE.X + offset)
  }

  setXsp(field: Field, push: Push): void {
    const offset = this.stackSlot(field)
    push()
    this.code.memory(i64.store, STATE.X + offset)
  }

  rsp(field: Field, sf: number | boolean): void {
    if (sf) this.xsp(field)
    else this.wsp(field)
  }

  setRsp(field: Field, sf: number | boolean, push: Push): void {
    this.setXsp(field, () => {
      push()
      if (!sf) this.code.op(i64.extend_i32_u)
    })
  }

  // --- SIMD and FP registers -----------------------------------------------------------------------------------------

  /**
   * Pushes the address of Vn less STATE.V: `vAddress(Rn); code.memory(i32.load16_u, STATE.V + 2 * lane)`. With `plus`, of the
   * register that many after it, modulo 32.
   */
  vAddress(field: Field, plus = 0): void {
    const { code } = this
    const known = this.known(field)
    this.cpu()
    if (known !== undefined) {
      const offset = ((known + plus) & 31) << 4
      if (offset) code.i32(offset).op(i32.add)
      return
    }
    this.bits(field, 4)
    if (plus)
      code
        .i32(plus << 4)
        .op(i32.add)
        .i32(0x1f0)
        .op(i32.and)
    code.op(i32.add)
  }

  /** Pushes all of Vn as v128. */
  q(field: Field): void {
    this.vAddress(field)
    this.code.memory(v128.load, STATE.V)
  }

  /** Pushes part of Vn: `e.lane(Rn, i64.load, 8)`. */
  lane(field: Field, opcode: number, byte = 0): void {
    this.vAddress(field)
    this.code.memory(opcode, STATE.V + byte)
  }

  /** Writes part of Vd and leaves the rest: `e.setLane(Rd, i32.store8, 3, push)`. */
  setLane(field: Field, opcode: number, byte: number, push: Push): void {
    this.vAddress(field)
    push()
    this.code.memory(opcode, STATE.V + byte)
  }

  /** Writes all of Vd (a v128). */
  setQ(field: Field, push: Push): void {
    this.vAddress(field)
    push()
    this.code.memory(v128.store, STATE.V)
  }

  /** Writes the low 64 bits of Vd (an i64); the rest becomes zero. */
  setD(field: Field, push: Push): void {
    const { code } = this
    const address = code.local('i32')
    this.vAddress(field)
    code.tee(address)
    push()
    code.memory(i64.store, STATE.V)
    code
      .get(address)
      .i64(0)
      .memory(i64.store, STATE.V + 8)
    code.release(address)
  }

  /** Writes the low 32 bits or fewer of Vd (an i32 that is already zero-extended from the element); the rest becomes zero. */
  setS(field: Field, push: Push): void {
    this.setD(field, () => {
      push()
      this.code.op(i64.extend_i32_u)
    })
  }

  // --- flags ---------------------------------------------------------------------------------------------------------

  /** Pushes N Z C V as an i32, bits 3:0. */
  nzcv(): void {
    this.state(i32.load, STATE.NZCV)
  }

  setNzcv(push: Push): void {
    this.setState(i32.store, STATE.NZCV, push)
  }

  /** Pushes 1 when the condition in the field holds, else 0. */
  abstract condition(field: Field): void

  // --- program counter and control -----------------------------------------------------------------------------------

  /** Pushes the address of this instruction, as i64. */
  abstract pc(): void

  /** Ends the instruction with a jump to the i64 address pushed. Nothing may be emitted after it. */
  abstract jump(push: Push): void

  /** Ends the instruction with a jump by the i32 byte offset pushed, taken when the i32 condition is not 0. */
  abstract jumpRelative(offset: Push, condition?: Push): void

  /** Abandons the instruction when STATE.FAULT was set by the host function just called. */
  abstract leaveOnFault(): void

  /** Leaves generated code: PC was set by the host function just called. Nothing may be emitted after it at this nesting level. */
  abstract leave(): void

  /** Puts the address of this instruction in STATE.PC, for a host function. */
  savePc(): void {
    this.setState(i64.store, STATE.PC, () => this.pc())
  }

  /** Takes the exception `kind` (a value of EXCEPTION) with the i32 pushed, and leaves. Nothing may be emitted after it at this nesting level. */
  abstract raise(kind: number, immediate: Push): void

  /** Ends the instruction in the host, by effect() with `kind` and the opcode. Nothing may be emitted after it at this nesting level. */
  abstract effect(kind: number): void

  /** The instruction is UNDEFINED, and is abandoned. Nothing may be emitted after it at this nesting level. */
  abstract undefined(): void

  // --- memory --------------------------------------------------------------------------------------------------------

  /** Pushes Xn or SP as the base of an access; SP must be aligned (SCTLR_EL1.SA, SA0), or the instruction is abandoned. */
  abstract base(field: Field): void

  /**
   * Reads consecutive elements from the virtual address in the i64 local `address` into `targets` (locals of the opcode's type).
   * On a fault the instruction is abandoned, so read before writing any register.
   */
  abstract loads(access: Access, address: number, targets: readonly number[], options?: AccessOptions): void

  /** Writes the locals `sources` to consecutive elements. On a fault the instruction is abandoned. */
  abstract stores(access: Access, address: number, sources: readonly number[], options?: AccessOptions): void

  /** Goes on when the i64 local `address` is one of memory that may be read and is at hand, else does what `slow` emits. */
  whereReadable(_address: number, slow: Push): void {
    slow()
  }

  /** Zeroes the aligned 64 bytes at the i64 local `address` when that is memory at hand, else does what `slow` emits. */
  zeroBlock(_address: number, slow: Push): void {
    slow()
  }
}
