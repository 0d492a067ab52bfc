/**
 * When WebAssembly's own arithmetic gives the bits and the flags that Arm's would (the "hardfloat" conditions), and the way to the
 * exact path when it does not. Wasm rounds to nearest even, never flushes, and tells no flags: so FPCR must ask for that or it must not
 * matter, and what an operation would raise must be nothing, or Inexact. NaN results always take the exact path.
 */

import { STATE } from '../../state/state.ts'
import { f32, f64, i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { readV, type Width } from '../simd/lanes.ts'
import { FPCR, FPSR } from './environment.ts'
import { exactly } from './exact.ts'

/** 2 single, 3 double: the element size of SIMD encodings. */
export type FpSize = 2 | 3
export const native = { 2: f32, 3: f64 } as const
export const typeOf = { 2: 'f32', 3: 'f64' } as const

/** Pushes 1 if FPCR rounds to nearest. */
export function roundsToNearest(e: Emitter): void {
  e.state(i32.load, STATE.FPCR)
  e.code.i32(FPCR.RMode).op(i32.and, i32.eqz)
}

/** Pushes 1 if FPCR rounds to nearest and FPSR.IXC is set: results that are ordinary numbers are right. */
export function roundsNatively(e: Emitter): void {
  e.state(i32.load, STATE.FPCR)
  e.code.i32(FPCR.RMode).op(i32.and)
  e.state(i32.load, STATE.FPSR)
  e.code.i32(-1).op(i32.xor).i32(FPSR.IXC).op(i32.and, i32.or, i32.eqz)
}

/** Pushes FPCR.FZ. */
export function flushes(e: Emitter): void {
  e.state(i32.load, STATE.FPCR)
  e.code.i32(24).op(i32.shr_u).i32(1).op(i32.and)
}

/** Pushes 1 if the number is denormal: its magnitude, doubled to drop the sign, less one, is below that of the last one. */
function isDenormal(e: Emitter, size: FpSize, push: Push): void {
  push()
  if (size === 2) e.code.op(i32.reinterpret_f32).i32(1).op(i32.shl).i32(1).op(i32.sub).i32(0x00ffffff).op(i32.lt_u)
  else {
    e.code.op(i64.reinterpret_f64).i64(1).op(i64.shl).i64(1).op(i64.sub).i64(0x001fffffffffffffn).op(i64.lt_u)
  }
}

/** Pushes 1 if FPCR.FZ is clear, or none of the operands is one that it would flush. Results are the caller's care. */
export function flushIsHarmless(e: Emitter, size: FpSize, operands: readonly Push[]): void {
  const { code } = e
  flushes(e)
  code.if('i32')
  for (const [index, push] of operands.entries()) {
    isDenormal(e, size, push)
    if (index) code.op(i32.or)
  }
  code.op(i32.eqz).else().i32(1).end()
}

/** Pushes 1 if FPSR.IXC is set: one more inexact result changes nothing. */
export function inexactIsKnown(e: Emitter): void {
  e.state(i32.load, STATE.FPSR)
  e.code.i32(4).op(i32.shr_u).i32(1).op(i32.and)
}

/**
 * Pushes 1 if the number is finite and above the smallest normal one in magnitude. That one itself is left out: a result
 * may have become it by rounding, and tininess is detected before rounding.
 */
export function isOrdinary(e: Emitter, size: FpSize, push: Push): void {
  push()
  if (size === 2) {
    e.code.op(i32.reinterpret_f32).i32(1).op(i32.shl).i32(0x01000001).op(i32.sub).i32(0xfdffffff).op(i32.lt_u)
  } else {
    const smallest = 0x0020000000000001n
    e.code.op(i64.reinterpret_f64).i64(1).op(i64.shl).i64(smallest).op(i64.sub)
    e.code.i64(0xffe0000000000000n - smallest).op(i64.lt_u)
  }
}

/** Pushes 1 if the number is not a NaN. */
export function isOrdered(e: Emitter, size: FpSize, push: Push): void {
  push()
  push()
  e.code.op(native[size].eq)
}

export function isZero(e: Emitter, size: FpSize, push: Push): void {
  push()
  if (size === 2) e.code.f32(0).op(f32.eq)
  else e.code.f64(0).op(f64.eq)
}

/** Pushes the low element of a register as a float. */
export function readFloat(e: Emitter, field: Field, size: FpSize): void {
  e.lane(field, native[size].load)
}

/** Writes a float to the low element of Vd and zero to the rest. Not for NaNs made by wasm: their bits are anyone's. */
export function writeFloat(e: Emitter, field: Field, size: FpSize, push: Push): void {
  if (size === 3) {
    e.setD(field, () => {
      push()
      e.code.op(i64.reinterpret_f64)
    })
  } else {
    e.setS(field, () => {
      push()
      e.code.op(i32.reinterpret_f32)
    })
  }
}

/** Pushes the v128 result of an exact operation on up to three v128 operands. */
export function exactResult(e: Emitter, code: Push, operands: readonly Push[]): void {
  e.cpu()
  code()
  for (let i = 0; i < 3; i++) {
    const operand = operands[i]
    if (operand) operand()
    else e.code.v128([])
  }
  e.call(exactly)
}

/** As `exactResult` on the low elements of registers. */
export function exactOnRegisters(e: Emitter, code: number, registers: readonly Field[], width: Width): void {
  exactResult(
    e,
    () => e.code.i32(code),
    registers.map((field) => () => readV(e, field, width)),
  )
}
