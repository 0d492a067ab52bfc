/**
 * Advanced SIMD vector x indexed element, integer, vector and scalar (DDI 0487, C4.1 "Advanced SIMD vector x indexed element",
 * "Advanced SIMD scalar x indexed element"): the three-register kernels with one element in every lane of the second operand.
 */

import { STATE } from '../../state/state.ts'
import { i32, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import * as A from './arithmetic.ts'
import { Lanes, readV, writeV } from './lanes.ts'
import { element, noSize0, noSize3, operand, Q, Rd, Rn, SIZE, sizeOf, widthOf } from './shape.ts'
import {
  emitLong,
  longText,
  multiplyAccumulateLong,
  multiplyLong,
  saturatingAccumulateLong,
  saturatingMultiplyLong,
} from './three-different.ts'

const fields = 'Q:30 U:29 size:23-22 L:21 M:20 Rm:19-16 H:11 Rn:9-5 Rd:4-0'
const H: Field = [11, 11]
const L: Field = [21, 21]
const LM: Field = [21, 20]
const Rm4: Field = [19, 16]
const Rm5: Field = [20, 16]

const loadSplat = { 1: v128.load16_splat, 2: v128.load32_splat, 3: v128.load64_splat } as const

/** Pushes the indexed element in every lane. Halfwords use M as part of the index, so their register is one of V0 to V15. */
export function splatElement(e: Emitter, size: 1 | 2 | 3): void {
  const { code } = e
  e.vAddress(size === 1 ? Rm4 : Rm5)
  if (size === 3) e.bits(H, 3)
  else {
    e.bits(H, 3)
    e.bits(size === 1 ? LM : L, size)
    code.op(i32.or)
  }
  code.op(i32.add).memory(loadSplat[size], STATE.V)
}

/** `v3.h[5]`. */
export function elementText(word: number, size: number): string {
  const h = bitsOf(word, H)
  if (size === 1) return `v${bitsOf(word, Rm4)}.h[${(h << 2) | bitsOf(word, LM)}]`
  const index = size === 3 ? h : (h << 1) | bitsOf(word, L)
  return `v${bitsOf(word, Rm5)}.${element(size)}[${index}]`
}

type Encoding = readonly [string, string]
type Kernel = (k: Lanes, size: 1 | 2, a: Push, b: Push, d: Push) => Push

/** Same-size multiplies. In a scalar instruction the other lanes hold the element times nothing: zero. */
function same(kernel: Kernel, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [noSize0, noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e) as 1 | 2
      const width = widthOf(e, size)
      const a = k.keep(() => readV(e, Rn, width))
      const b = k.keep(() => splatElement(e, size))
      writeV(e, Rd, width, () => kernel(k, size, a, b, () => readV(e, Rd, width))())
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      return `${mnemonic} ${operand(word, Rd, size)}, ${operand(word, Rn, size)}, ${elementText(word, size)}`
    },
    encodings,
  })
}

function long(kernel: Parameters<typeof emitLong>[1], encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [noSize0, noSize3],
    emit: (e) => emitLong(e, kernel, () => splatElement(e, sizeOf(e) as 1 | 2)),
    text: (word, mnemonic) => longText(word, mnemonic, (size) => elementText(word, size)),
    encodings,
  })
}

export const rows: readonly Row[] = [
  same((k, size, a, b) => A.multiply(k, size, a, b), [['MUL_asimdelem_R', '0x001111xxxxxxxx1000x0xxxxxxxxxx']]),
  same(
    (k, size, a, b, d) => A.accumulate(A.multiply)(k, size, a, b, d),
    [['MLA_asimdelem_R', '0x101111xxxxxxxx0000x0xxxxxxxxxx']],
  ),
  same(
    (k, size, a, b, d) => A.accumulate(A.multiply, true)(k, size, a, b, d),
    [['MLS_asimdelem_R', '0x101111xxxxxxxx0100x0xxxxxxxxxx']],
  ),
  same(A.doublingMultiplyHigh(false), [
    ['SQDMULH_asimdelem_R', '0x001111xxxxxxxx1100x0xxxxxxxxxx'],
    ['SQDMULH_asisdelem_R', '01011111xxxxxxxx1100x0xxxxxxxxxx'],
  ]),
  same(A.doublingMultiplyHigh(true), [
    ['SQRDMULH_asimdelem_R', '0x001111xxxxxxxx1101x0xxxxxxxxxx'],
    ['SQRDMULH_asisdelem_R', '01011111xxxxxxxx1101x0xxxxxxxxxx'],
  ]),
  long(multiplyAccumulateLong(true, false), [['SMLAL_asimdelem_L', '0x001111xxxxxxxx0010x0xxxxxxxxxx']]),
  long(multiplyAccumulateLong(false, false), [['UMLAL_asimdelem_L', '0x101111xxxxxxxx0010x0xxxxxxxxxx']]),
  long(multiplyAccumulateLong(true, true), [['SMLSL_asimdelem_L', '0x001111xxxxxxxx0110x0xxxxxxxxxx']]),
  long(multiplyAccumulateLong(false, true), [['UMLSL_asimdelem_L', '0x101111xxxxxxxx0110x0xxxxxxxxxx']]),
  long(multiplyLong(true), [['SMULL_asimdelem_L', '0x001111xxxxxxxx1010x0xxxxxxxxxx']]),
  long(multiplyLong(false), [['UMULL_asimdelem_L', '0x101111xxxxxxxx1010x0xxxxxxxxxx']]),
  long(saturatingAccumulateLong(false), [
    ['SQDMLAL_asimdelem_L', '0x001111xxxxxxxx0011x0xxxxxxxxxx'],
    ['SQDMLAL_asisdelem_L', '01011111xxxxxxxx0011x0xxxxxxxxxx'],
  ]),
  long(saturatingAccumulateLong(true), [
    ['SQDMLSL_asimdelem_L', '0x001111xxxxxxxx0111x0xxxxxxxxxx'],
    ['SQDMLSL_asisdelem_L', '01011111xxxxxxxx0111x0xxxxxxxxxx'],
  ]),
  long(saturatingMultiplyLong, [
    ['SQDMULL_asimdelem_L', '0x001111xxxxxxxx1011x0xxxxxxxxxx'],
    ['SQDMULL_asisdelem_L', '01011111xxxxxxxx1011x0xxxxxxxxxx'],
  ]),
].flat()
