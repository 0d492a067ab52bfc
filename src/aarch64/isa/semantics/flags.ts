/**
 * How N, Z, C and V come about: AddWithCarry and the logical operations (DDI 0487, shared/functions/integer). Operands and result
 * are locals of the operation's width; the flags are kept packed, N Z C V in bits 3:0.
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'

/** Pushes N in bit 3 and Z in bit 2. */
function pushNZ(e: Emitter, wide: boolean, result: number): void {
  const { code } = e
  const type = wide ? i64 : i32
  code.get(result)
  if (wide) code.i64(63).op(i64.shr_u, i32.wrap_i64)
  else code.i32(31).op(i32.shr_u)
  code.i32(3).op(i32.shl)
  code.get(result).op(type.eqz).i32(2).op(i32.shl, i32.or)
}

/** Pushes the sign bit of what is on the stack, as i32. */
function signOf(e: Emitter, wide: boolean): void {
  if (wide) e.code.i64(63).op(i64.shr_u, i32.wrap_i64)
  else e.code.i32(31).op(i32.shr_u)
}

/** Pushes the flags of result = a + b. */
export function pushAddFlags(e: Emitter, wide: boolean, a: number, b: number, result: number): void {
  const { code } = e
  const type = wide ? i64 : i32
  pushNZ(e, wide, result)
  code.get(result).get(a).op(type.lt_u).i32(1).op(i32.shl, i32.or)
  code.get(a).get(result).op(type.xor).get(b).get(result).op(type.xor, type.and)
  signOf(e, wide)
  code.op(i32.or)
}

/** Pushes the flags of result = a - b. */
export function pushSubFlags(e: Emitter, wide: boolean, a: number, b: number, result: number): void {
  const { code } = e
  const type = wide ? i64 : i32
  pushNZ(e, wide, result)
  code.get(a).get(b).op(type.ge_u).i32(1).op(i32.shl, i32.or)
  code.get(a).get(b).op(type.xor).get(a).get(result).op(type.xor, type.and)
  signOf(e, wide)
  code.op(i32.or)
}

/** Pushes the flags of result = a + b + carry, where carry is an i32 local of 0 or 1. */
export function pushCarryFlags(e: Emitter, wide: boolean, a: number, b: number, carry: number, result: number): void {
  const { code } = e
  const type = wide ? i64 : i32
  pushNZ(e, wide, result)
  // With a carry in, a sum equal to a has wrapped too.
  code.get(result).get(a).op(type.lt_u)
  code.get(result).get(a).op(type.eq).get(carry).op(i32.and, i32.or)
  code.i32(1).op(i32.shl, i32.or)
  code.get(a).get(result).op(type.xor).get(b).get(result).op(type.xor, type.and)
  signOf(e, wide)
  code.op(i32.or)
}

/** Pushes the flags of a logical operation: C and V are 0. */
export function pushLogicalFlags(e: Emitter, wide: boolean, result: number): void {
  pushNZ(e, wide, result)
}
