/**
 * Products of polynomials over GF(2) (DDI 0487, shared/functions/vector PolynomialMult): bytes to halfwords, all lanes at once, and
 * 64 bits to 128 (FEAT_PMULL), one product. PMUL, which keeps the width, is not here.
 */

import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { i16x8, i64, lane, v128 } from '../../wasm/opcodes.ts'
import type { Push } from '../emitter.ts'
import type { Lanes } from './lanes.ts'

/** Eight products of bytes that are extended to 16 bits: the partial products of the bits of b, shifted in 16-bit lanes. */
export function multiplyBytes(k: Lanes, a: Push, b: Push): Push {
  const wideA = k.keep(a)
  const wideB = k.keep(b)
  const partial = (bit: number): Push => {
    const chosen = k.op(i16x8.ne, k.op(v128.and, wideB, k.constant(1, 1n << BigInt(bit))), k.zero())
    return k.op(v128.and, k.op(i16x8.shl, wideA, k.i32(bit)), chosen)
  }
  let sum = partial(0)
  for (let bit = 1; bit < 8; bit++) sum = k.op(v128.xor, sum, partial(bit))
  return sum
}

/** Every fourth bit from `first` on. */
const everyFourth = (first: number): bigint => 0x1111111111111111n << BigInt(first)

/**
 * 32 bits times 32, in i64. Of factors that keep every fourth bit alone, an ordinary product adds at most eight bits at a place: the
 * sum fits below the next place, and its lowest bit is what adding without carries gives.
 */
const multiply32: LibraryFunction = {
  name: 'polynomialMultiply32',
  parameters: ['i64', 'i64'],
  results: ['i64'],
  body: (code) => {
    const parts = [0, 1].map((factor) =>
      [0, 1, 2, 3].map((first) => {
        const part = code.local('i64')
        code
          .get(factor)
          .i64(BigInt.asIntN(64, everyFourth(first)))
          .op(i64.and)
          .set(part)
        return part
      }),
    )
    for (let place = 0; place < 4; place++) {
      for (let first = 0; first < 4; first++) {
        code
          .get(parts[0]![first]!)
          .get(parts[1]![(place - first) & 3]!)
          .op(i64.mul)
        if (first) code.op(i64.xor)
      }
      code.i64(BigInt.asIntN(64, everyFourth(place))).op(i64.and)
      if (place) code.op(i64.or)
    }
  },
}

/** 64 bits times 64: three products of halves (Karatsuba's). */
export const multiply64: LibraryFunction = {
  name: 'polynomialMultiply64',
  parameters: ['i64', 'i64'],
  results: ['v128'],
  body: (code, module) => {
    const multiply = module.indexOf(multiply32)
    const low = code.local('i64')
    const high = code.local('i64')
    const middle = code.local('i64')
    const lowHalf = (factor: number): Code => code.get(factor).i64(0xffffffffn).op(i64.and)
    const highHalf = (factor: number): Code => code.get(factor).i64(32).op(i64.shr_u)
    const sum = (factor: number): void => {
      lowHalf(factor)
      highHalf(factor).op(i64.xor)
    }
    lowHalf(0)
    lowHalf(1).call(multiply).set(low)
    highHalf(0)
    highHalf(1).call(multiply).set(high)
    sum(0)
    sum(1)
    code.call(multiply).get(low).op(i64.xor).get(high).op(i64.xor).set(middle)
    code.v128([])
    code.get(low).get(middle).i64(32).op(i64.shl, i64.xor).lane(lane.i64x2_replace, 0)
    code.get(high).get(middle).i64(32).op(i64.shr_u, i64.xor).lane(lane.i64x2_replace, 1)
  },
}
