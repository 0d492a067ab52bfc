/**
 * Lane-wise WebAssembly by element size, and a small notation for it: a value is a function that pushes it, so that a kernel
 * reads as one expression. Index 0..3 of every table is `size` (8, 16, 32, 64 bits). It knows no instruction.
 */

import { STATE } from '../../state/state.ts'
import { i8x16, i16x8, i32, i32x4, i64, i64x2, lane, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'

export type Size = 0 | 1 | 2 | 3
type BySize = readonly [number, number, number, number]

const none = -1
export const add: BySize = [i8x16.add, i16x8.add, i32x4.add, i64x2.add]
export const sub: BySize = [i8x16.sub, i16x8.sub, i32x4.sub, i64x2.sub]
export const neg: BySize = [i8x16.neg, i16x8.neg, i32x4.neg, i64x2.neg]
export const abs: BySize = [i8x16.abs, i16x8.abs, i32x4.abs, i64x2.abs]
export const shl: BySize = [i8x16.shl, i16x8.shl, i32x4.shl, i64x2.shl]
export const shrS: BySize = [i8x16.shr_s, i16x8.shr_s, i32x4.shr_s, i64x2.shr_s]
export const shrU: BySize = [i8x16.shr_u, i16x8.shr_u, i32x4.shr_u, i64x2.shr_u]
export const eq: BySize = [i8x16.eq, i16x8.eq, i32x4.eq, i64x2.eq]
export const ne: BySize = [i8x16.ne, i16x8.ne, i32x4.ne, i64x2.ne]
export const gtS: BySize = [i8x16.gt_s, i16x8.gt_s, i32x4.gt_s, i64x2.gt_s]
export const geS: BySize = [i8x16.ge_s, i16x8.ge_s, i32x4.ge_s, i64x2.ge_s]
export const splat: BySize = [i8x16.splat, i16x8.splat, i32x4.splat, i64x2.splat]
// WebAssembly has no 64-bit form of these; `greaterUnsigned` below does without, and the others are unallocated there.
export const gtU: BySize = [i8x16.gt_u, i16x8.gt_u, i32x4.gt_u, none]
export const geU: BySize = [i8x16.ge_u, i16x8.ge_u, i32x4.ge_u, none]
export const minS: BySize = [i8x16.min_s, i16x8.min_s, i32x4.min_s, none]
export const minU: BySize = [i8x16.min_u, i16x8.min_u, i32x4.min_u, none]
export const maxS: BySize = [i8x16.max_s, i16x8.max_s, i32x4.max_s, none]
export const maxU: BySize = [i8x16.max_u, i16x8.max_u, i32x4.max_u, none]

/** From `size` to the next larger one, of the low or the high half of the lanes. */
export const extendLowS: BySize = [i16x8.extend_low_i8x16_s, i32x4.extend_low_i16x8_s, i64x2.extend_low_i32x4_s, none]
export const extendLowU: BySize = [i16x8.extend_low_i8x16_u, i32x4.extend_low_i16x8_u, i64x2.extend_low_i32x4_u, none]
export const extendHighS: BySize = [
  i16x8.extend_high_i8x16_s,
  i32x4.extend_high_i16x8_s,
  i64x2.extend_high_i32x4_s,
  none,
]
export const extendHighU: BySize = [
  i16x8.extend_high_i8x16_u,
  i32x4.extend_high_i16x8_u,
  i64x2.extend_high_i32x4_u,
  none,
]
export const multiplyLowS: BySize = [i16x8.extmul_low_i8x16_s, i32x4.extmul_low_i16x8_s, i64x2.extmul_low_i32x4_s, none]
export const multiplyLowU: BySize = [i16x8.extmul_low_i8x16_u, i32x4.extmul_low_i16x8_u, i64x2.extmul_low_i32x4_u, none]
export const multiplyHighS: BySize = [
  i16x8.extmul_high_i8x16_s,
  i32x4.extmul_high_i16x8_s,
  i64x2.extmul_high_i32x4_s,
  none,
]
export const multiplyHighU: BySize = [
  i16x8.extmul_high_i8x16_u,
  i32x4.extmul_high_i16x8_u,
  i64x2.extmul_high_i32x4_u,
  none,
]

/** Lane indices of a shuffle in bytes, from lane indices of `size`: 0.. in the first operand, then the second's. */
export function bytesOf(size: Size, lanes: readonly number[]): number[] {
  const width = 1 << size
  return lanes.flatMap((index) => Array.from({ length: width }, (_, byte) => index * width + byte))
}

/** Expressions over v128 values of one instruction. Locals that `keep` hands out live until `done`. */
export class Lanes {
  readonly e: Emitter
  private readonly kept: number[] = []

  constructor(e: Emitter) {
    this.e = e
  }

  op(opcode: number, ...operands: Push[]): Push {
    if (opcode === none) throw new Error('no such lane operation at this size')
    return () => {
      for (const push of operands) push()
      this.e.code.op(opcode)
    }
  }

  /** Evaluates now, once; the result may be used any number of times. */
  keep(push: Push, type: 'v128' | 'i64' | 'i32' | 'f64' | 'f32' = 'v128'): Push {
    const local = this.e.code.local(type)
    this.kept.push(local)
    push()
    this.e.code.set(local)
    return () => {
      this.e.code.get(local)
    }
  }

  done(): void {
    this.e.code.release(...this.kept.splice(0))
  }

  i32(value: number): Push {
    return () => {
      this.e.code.i32(value)
    }
  }

  /** The same bytes in every lane of `size`. */
  constant(size: Size, value: bigint): Push {
    const bytes = Array.from({ length: 16 }, (_, i) =>
      Number((BigInt.asUintN(8 << size, value) >> BigInt((i % (1 << size)) * 8)) & 0xffn),
    )
    return () => {
      this.e.code.v128(bytes)
    }
  }

  zero(): Push {
    return this.constant(3, 0n)
  }

  /** 1 in the lane's top bit alone: the smallest signed value. */
  signBits(size: Size): Push {
    return this.constant(size, 1n << BigInt((8 << size) - 1))
  }

  /** i8x16.shuffle by lanes of `size`. */
  shuffle(size: Size, a: Push, b: Push, lanes: readonly number[]): Push {
    return () => {
      a()
      b()
      this.e.code.shuffle(bytesOf(size, lanes))
    }
  }

  /** Lane by lane: a > b, unsigned, as a mask. */
  greaterUnsigned(size: Size, a: Push, b: Push): Push {
    if (size < 3) return this.op(gtU[size], a, b)
    const flipped = (v: Push) => this.op(v128.xor, v, this.signBits(3))
    return this.op(i64x2.gt_s, flipped(a), flipped(b))
  }

  select(mask: Push, ifSet: Push, ifClear: Push): Push {
    return this.op(v128.bitselect, ifSet, ifClear, mask)
  }

  not(a: Push): Push {
    return this.op(v128.not, a)
  }

  /** FPSR.QC is set if any bit of `mask` is (DDI 0487, C5.2 FPSR: cumulative saturation). */
  saturatedIf(mask: Push): void {
    const { e } = this
    e.setState(i32.store, STATE.FPSR, () => {
      e.state(i32.load, STATE.FPSR)
      mask()
      e.code.op(v128.any_true).i32(27).op(i32.shl, i32.or)
    })
  }
}

/** Bits of a register that an instruction uses: an element in a scalar instruction, a half or all of it in a vector one. */
export type Width = 8 | 16 | 32 | 64 | 128

/** Pushes the low `width` bits of Vn, zero-extended to a v128. */
export function readV(e: Emitter, field: Field, width: Width): void {
  const { code } = e
  if (width === 128) e.q(field)
  else if (width === 64) e.lane(field, v128.load64_zero)
  else if (width === 32) e.lane(field, v128.load32_zero)
  else {
    code.v128([])
    e.lane(field, width === 16 ? i32.load16_u : i32.load8_u)
    code.lane(width === 16 ? lane.i16x8_replace : lane.i8x16_replace, 0)
  }
}

/** Writes the low `width` bits of the v128 to Vd; the rest of Vd becomes zero. */
export function writeV(e: Emitter, field: Field, width: Width, push: Push): void {
  const { code } = e
  if (width === 128) {
    e.setQ(field, push)
    return
  }
  e.setD(field, () => {
    push()
    code.lane(lane.i64x2_extract, 0)
    if (width === 32) code.i64(0xffffffff).op(i64.and)
    if (width === 16) code.i64(0xffff).op(i64.and)
    if (width === 8) code.i64(0xff).op(i64.and)
  })
}
