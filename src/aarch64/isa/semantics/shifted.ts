/**
 * The shifted register operand that arithmetic and logical instructions share (DDI 0487 ShiftReg), and what its fields may hold.
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import { imm6, Rm, sf, shiftType } from '../fields.ts'

/** Pushes Rm shifted by imm6, where the amount is not known to be 0. */
export function pushShifted(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  e.r(Rm, wide)
  if (e.known(imm6) === 0) return
  e.bits(imm6)
  if (wide) code.op(i64.extend_i32_u)
  code.op([type.shl, type.shr_u, type.shr_s, type.rotr][e.fixed(shiftType)]!)
}

/** A shift by 0 is by far the most frequent: it gets a handler without the shift. */
export const unshifted = ['xxxxxxxx00xxxxxx000000xxxxxxxxxx']
/** imm6<5> must be 0 in the 32-bit forms. */
export const wideShift = ['0xxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx']
