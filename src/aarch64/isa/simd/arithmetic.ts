/**
 * Lane arithmetic that Advanced SIMD has and WebAssembly has not, built from what WebAssembly has: halving, differences,
 * products of bytes, polynomial products, saturation with FPSR.QC. Kernels over whole registers; no encodings here.
 */

import { i8x16, i16x8, i32x4, i64x2, v128 } from '../../wasm/opcodes.ts'
import type { Push } from '../emitter.ts'
import type { Lanes, Size } from './lanes.ts'
import * as L from './lanes.ts'

/** A kernel: what it returns is pushed once, after everything that it emits. */
export type Unary = (k: Lanes, size: Size, a: Push) => Push
export type Binary = (k: Lanes, size: Size, a: Push, b: Push) => Push
/** `d` is the old value of the destination. */
export type Ternary = (k: Lanes, size: Size, a: Push, b: Push, d: Push) => Push

const half = (k: Lanes, size: Size, signed: boolean, a: Push): Push =>
  k.op((signed ? L.shrS : L.shrU)[size], a, k.i32(1))

/** (a + b) >> 1 without the carry: twice the common bits and the differing ones. */
export const halvingAdd =
  (signed: boolean): Binary =>
  (k, size, a, b) =>
    k.op(L.add[size], k.op(v128.and, a, b), half(k, size, signed, k.op(v128.xor, a, b)))

/** (a + b + 1) >> 1. */
export const roundingHalvingAdd =
  (signed: boolean): Binary =>
  (k, size, a, b) =>
    k.op(L.sub[size], k.op(v128.or, a, b), half(k, size, signed, k.op(v128.xor, a, b)))

/** (a - b) >> 1, keeping the borrow: a - b is (a ^ b) - 2 (~a & b). */
export const halvingSub =
  (signed: boolean): Binary =>
  (k, size, a, b) =>
    k.op(L.sub[size], half(k, size, signed, k.op(v128.xor, a, b)), k.op(v128.andnot, b, a))

/** |a - b|, modulo the element. */
export const difference =
  (signed: boolean): Binary =>
  (k, size, a, b) =>
    k.op(L.sub[size], k.op((signed ? L.maxS : L.maxU)[size], a, b), k.op((signed ? L.minS : L.minU)[size], a, b))

export const multiply: Binary = (k, size, a, b) => {
  if (size === 1) return k.op(i16x8.mul, a, b)
  if (size === 2) return k.op(i32x4.mul, a, b)
  // Bytes: the even lanes' products are the low bytes of 16-bit products, the odd lanes' are made from the high bytes.
  const high = (v: Push): Push => k.op(i16x8.shr_u, v, k.i32(8))
  const even = k.op(v128.and, k.op(i16x8.mul, a, b), k.constant(1, 0xffn))
  const odd = k.op(i16x8.shl, k.op(i16x8.mul, high(a), high(b)), k.i32(8))
  return k.op(v128.or, even, odd)
}

export const accumulate =
  (product: Binary, subtract = false): Ternary =>
  (k, size, a, b, d) =>
    k.op((subtract ? L.sub : L.add)[size], d, product(k, size, a, b))

/** Products of polynomials over {0, 1}, low byte: one partial product for each bit of b. */
export const polynomialMultiply: Binary = (k, _size, a, b) => {
  const partial = (bit: number): Push => {
    const chosen = k.op(i8x16.ne, k.op(v128.and, b, k.constant(0, 1n << BigInt(bit))), k.zero())
    return k.op(v128.and, k.op(i8x16.shl, a, k.i32(bit)), chosen)
  }
  let sum = partial(0)
  for (let bit = 1; bit < 8; bit++) sum = k.op(v128.xor, sum, partial(bit))
  return sum
}

// --- saturation ------------------------------------------------------------------------------------------------------

/** 0x7f.. where the lane of `like` is not negative, 0x80.. where it is. */
const saturatedLike = (k: Lanes, size: Size, like: Push): Push =>
  k.op(v128.xor, k.op(L.shrS[size], like, k.i32((8 << size) - 1)), k.not(k.signBits(size)))

const laneSign = (k: Lanes, size: Size, v: Push): Push => k.op(L.shrS[size], v, k.i32((8 << size) - 1))

export const saturatingAdd =
  (signed: boolean): Binary =>
  (k, size, a, b) => {
    const sum = k.keep(k.op(L.add[size], a, b))
    if (!signed) {
      const over = k.keep(k.greaterUnsigned(size, a, sum))
      k.saturatedIf(over)
      return k.op(v128.or, sum, over)
    }
    const over = k.keep(laneSign(k, size, k.op(v128.and, k.op(v128.xor, a, sum), k.op(v128.xor, b, sum))))
    k.saturatedIf(over)
    return k.select(over, saturatedLike(k, size, a), sum)
  }

export const saturatingSub =
  (signed: boolean): Binary =>
  (k, size, a, b) => {
    const rest = k.keep(k.op(L.sub[size], a, b))
    if (!signed) {
      const under = k.keep(k.greaterUnsigned(size, b, a))
      k.saturatedIf(under)
      return k.op(v128.andnot, rest, under)
    }
    const over = k.keep(laneSign(k, size, k.op(v128.and, k.op(v128.xor, a, b), k.op(v128.xor, a, rest))))
    k.saturatedIf(over)
    return k.select(over, saturatedLike(k, size, a), rest)
  }

/** Unsigned number added to a signed accumulator, saturating as signed (SUQADD): d + a. */
export const addUnsignedToSigned: Binary = (k, size, a, d) => {
  const sum = k.keep(k.op(L.add[size], d, a))
  // Without overflow the sum is not below d; with it, it is 2^n less than it should be, and a is below 2^n.
  const over = k.keep(k.op(L.gtS[size], d, sum))
  k.saturatedIf(over)
  return k.select(over, k.not(k.signBits(size)), sum)
}

/** Signed number added to an unsigned accumulator, saturating as unsigned (USQADD): d + a. */
export const addSignedToUnsigned: Binary = (k, size, a, d) => {
  const sum = k.keep(k.op(L.add[size], d, a))
  const negative = k.keep(laneSign(k, size, a))
  const over = k.keep(k.op(v128.andnot, k.greaterUnsigned(size, d, sum), negative))
  const under = k.keep(k.op(v128.and, k.greaterUnsigned(size, sum, d), negative))
  k.saturatedIf(k.op(v128.or, over, under))
  return k.op(v128.andnot, k.op(v128.or, sum, over), under)
}

export const saturatingAbs: Unary = (k, size, a) => {
  const lowest = k.keep(k.op(L.eq[size], a, k.signBits(size)))
  k.saturatedIf(lowest)
  // |lowest| is lowest again, and adding the mask (-1) makes it the largest number.
  return k.op(L.add[size], k.op(L.abs[size], a), lowest)
}

export const saturatingNeg: Unary = (k, size, a) => {
  const lowest = k.keep(k.op(L.eq[size], a, k.signBits(size)))
  k.saturatedIf(lowest)
  return k.op(L.add[size], k.op(L.neg[size], a), lowest)
}

/** Both operands are the smallest number: the only product of a doubling multiply that saturates. */
const bothLowest = (k: Lanes, size: Size, a: Push, b: Push): Push =>
  k.op(v128.and, k.op(L.eq[size], a, k.signBits(size)), k.op(L.eq[size], b, k.signBits(size)))

/** High half of the doubled product, truncated or rounded (SQDMULH, SQRDMULH); 16 and 32 bits. */
export const doublingMultiplyHigh =
  (round: boolean): Binary =>
  (k, size, a, b) => {
    const lowest = k.keep(bothLowest(k, size, a, b))
    k.saturatedIf(lowest)
    if (size === 1 && round) return k.op(i16x8.q15mulr_sat_s, a, b)
    const wide = (size + 1) as Size
    const bits = 8 << size
    const part = (opcode: number): Push => {
      const product = k.op(opcode, a, b)
      const rounded = round ? k.op(L.add[wide], product, k.constant(wide, 1n << BigInt(bits - 2))) : product
      return k.op(L.shrS[wide], rounded, k.i32(bits - 1))
    }
    const count = 16 >> size
    const even = Array.from({ length: count }, (_, i) => 2 * i)
    const high = k.shuffle(size, part(L.multiplyLowS[size]), part(L.multiplyHighS[size]), even)
    // 2^(n-1) in the saturated lanes: less one is the largest number.
    return k.op(L.add[size], high, lowest)
  }

/** The doubled product of `size` lanes at twice the size, from the low or the high half (SQDMULL). */
export const doublingMultiplyLong =
  (upper: boolean): Binary =>
  (k, size, a, b) => {
    const wide = (size + 1) as Size
    const product = k.keep(k.op((upper ? L.multiplyHighS : L.multiplyLowS)[size], a, b))
    const doubled = k.keep(k.op(L.add[wide], product, product))
    // Products are at most 2^(2n-2); doubled, only that one changes sign.
    const over = k.keep(k.op(L.eq[wide], doubled, k.signBits(wide)))
    k.saturatedIf(over)
    return k.op(L.add[wide], doubled, over)
  }

// --- counting --------------------------------------------------------------------------------------------------------

/** Spreads the highest set bit of each lane downwards: all ones below and including it. */
function smear(k: Lanes, size: Size, a: Push): Push {
  let v = k.keep(a)
  for (let shift = 1; shift < 8 << size; shift *= 2) {
    v = k.keep(k.op(v128.or, v, k.op(L.shrU[size], v, k.i32(shift))))
  }
  return v
}

/** Set bits of each lane, summed from those of its bytes. */
function populationCount(k: Lanes, size: Size, a: Push): Push {
  let count = k.op(i8x16.popcnt, a)
  if (size >= 1) count = k.op(i16x8.extadd_pairwise_i8x16_u, count)
  if (size >= 2) count = k.op(i32x4.extadd_pairwise_i16x8_u, count)
  return count
}

/** Leading zero bits of each lane; up to 32 bits. */
export const countLeadingZeros: Unary = (k, size, a) => populationCount(k, size, k.not(smear(k, size, a)))

/** Leading bits that equal the sign bit, not counting it. */
export const countLeadingSigns: Unary = (k, size, a) => {
  const folded = k.op(v128.xor, a, laneSign(k, size, a))
  // One fewer than the leading zeros of the folded value, whose top bit is always zero.
  return k.op(L.sub[size], countLeadingZeros(k, size, folded), k.constant(size, 1n))
}

/** The eight bits of each byte in reverse: nibbles by table, then swapped. */
export const reverseBits: Unary = (k, _size, a) => {
  const table = (scale: number): Push => {
    const reversed = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15].map((nibble) => nibble * scale)
    return () => {
      k.e.code.v128(reversed)
    }
  }
  const low = k.op(i8x16.swizzle, table(16), k.op(v128.and, a, k.constant(0, 0x0fn)))
  const high = k.op(i8x16.swizzle, table(1), k.op(i8x16.shr_u, a, k.i32(4)))
  return k.op(v128.or, low, high)
}

/** Sums of neighbours at twice the size. */
export const pairwiseLong =
  (signed: boolean): Unary =>
  (k, size, a) => {
    if (size === 0) return k.op(signed ? i16x8.extadd_pairwise_i8x16_s : i16x8.extadd_pairwise_i8x16_u, a)
    if (size === 1) return k.op(signed ? i32x4.extadd_pairwise_i16x8_s : i32x4.extadd_pairwise_i16x8_u, a)
    const shift = signed ? i64x2.shr_s : i64x2.shr_u
    const even = k.op(shift, k.op(i64x2.shl, a, k.i32(32)), k.i32(32))
    return k.op(i64x2.add, even, k.op(shift, a, k.i32(32)))
  }
