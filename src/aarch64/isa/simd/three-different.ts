/**
 * Advanced SIMD three different: long, wide and narrowing, vector and scalar (DDI 0487, C4.1 "Advanced SIMD three different",
 * "Advanced SIMD scalar three different"). With Q the second half of the narrow registers.
 */

import { lane } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import * as A from './arithmetic.ts'
import * as L from './lanes.ts'
import { Lanes, readV, type Size, type Width, writeV } from './lanes.ts'
import { multiply64, multiplyBytes } from './polynomial.ts'
import {
  isScalar,
  noSize0,
  noSize1,
  noSize2,
  noSize3,
  operand,
  Q,
  Rd,
  Rm,
  Rn,
  SCALAR,
  SIZE,
  sizeOf,
  vectorName,
} from './shape.ts'

const fields = 'Q:30 U:29 size:23-22 Rm:20-16 Rn:9-5 Rd:4-0'

/** From two registers of narrow lanes to wide ones; `upper` chooses the half, `d` is the old destination. */
type Long = (k: Lanes, size: Size, upper: boolean, a: Push, b: Push, d: Push) => Push

const extend = (k: Lanes, size: Size, upper: boolean, signed: boolean, v: Push): Push =>
  k.op((signed ? (upper ? L.extendHighS : L.extendLowS) : upper ? L.extendHighU : L.extendLowU)[size], v)

const product = (k: Lanes, size: Size, upper: boolean, signed: boolean, a: Push, b: Push): Push =>
  k.op((signed ? (upper ? L.multiplyHighS : L.multiplyLowS) : upper ? L.multiplyHighU : L.multiplyLowU)[size], a, b)

const wider = (size: Size): Size => (size + 1) as Size

export const multiplyLong =
  (signed: boolean): Long =>
  (k, size, upper, a, b) =>
    product(k, size, upper, signed, a, b)

export const multiplyAccumulateLong =
  (signed: boolean, subtract: boolean): Long =>
  (k, size, upper, a, b, d) =>
    k.op((subtract ? L.sub : L.add)[wider(size)], d, product(k, size, upper, signed, a, b))

export const saturatingMultiplyLong: Long = (k, size, upper, a, b) => A.doublingMultiplyLong(upper)(k, size, a, b)

/** The doubled product saturates by itself before the accumulation does. */
export const saturatingAccumulateLong =
  (subtract: boolean): Long =>
  (k, size, upper, a, b, d) => {
    const doubled = k.keep(saturatingMultiplyLong(k, size, upper, a, b, d))
    const old = k.keep(d)
    return (subtract ? A.saturatingSub : A.saturatingAdd)(true)(k, wider(size), old, doubled)
  }

const addLong =
  (signed: boolean, opcodes: typeof L.add): Long =>
  (k, size, upper, a, b) =>
    k.op(opcodes[wider(size)], extend(k, size, upper, signed, a), extend(k, size, upper, signed, b))

const differenceLong =
  (signed: boolean): Long =>
  (k, size, upper, a, b) => {
    const narrow = A.difference(signed)(k, size, a, b)
    return extend(k, size, upper, false, narrow)
  }

const differenceAccumulateLong =
  (signed: boolean): Long =>
  (k, size, upper, a, b, d) =>
    k.op(L.add[wider(size)], d, differenceLong(signed)(k, size, upper, a, b, d))

const polynomialLong: Long = (k, size, upper, a, b) => {
  if (size === 0) return multiplyBytes(k, extend(k, size, upper, false, a), extend(k, size, upper, false, b))
  const half = (v: Push) => {
    v()
    k.e.code.lane(lane.i64x2_extract, upper ? 1 : 0)
  }
  return () => {
    half(a)
    half(b)
    k.e.call(multiply64)
  }
}

/** Emits a long instruction whose second operand `pushB` pushes: a register, or an element in every lane. */
export function emitLong(e: Emitter, kernel: Long, pushB: (width: Width) => void): void {
  const k = new Lanes(e)
  const size = sizeOf(e)
  const scalar = isScalar(e)
  const upper = !scalar && e.fixed(Q) === 1
  const narrow: Width = scalar ? ((8 << size) as Width) : upper ? 128 : 64
  const wide: Width = scalar ? ((16 << size) as Width) : 128
  const a = k.keep(() => readV(e, Rn, narrow))
  const b = k.keep(() => pushB(narrow))
  writeV(e, Rd, wide, () => kernel(k, size, upper, a, b, () => readV(e, Rd, wide))())
  k.done()
}

/** `smull2 v0.4s, v1.8h, v2.8h`, with the last operand as given. */
export function longText(word: number, mnemonic: string, last: (size: number) => string): string {
  const size = bitsOf(word, SIZE)
  const two = !bitsOf(word, SCALAR) && bitsOf(word, Q) ? '2' : ''
  return `${mnemonic}${two} ${operand(word, Rd, size + 1, 1)}, ${operand(word, Rn, size)}, ${last(size)}`
}

type Encoding = readonly [string, string]

function long(kernel: Long, encodings: readonly Encoding[], unallocated = [noSize3], optional: Row['optional'] = []) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated,
    optional,
    emit: (e) => emitLong(e, kernel, (width) => readV(e, Rm, width)),
    text: (word, mnemonic) => longText(word, mnemonic, (size) => operand(word, Rm, size)),
    encodings,
  })
}

/** Wide first operand, narrow second one. */
function wide(signed: boolean, opcodes: typeof L.add, encoding: Encoding) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const b = extend(k, size, e.fixed(Q) === 1, signed, () => e.q(Rm))
      e.setQ(
        Rd,
        k.op(opcodes[wider(size)], () => e.q(Rn), b),
      )
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      const name = (field: Field) => vectorName(bitsOf(word, field), size + 1, 1)
      return `${mnemonic}${bitsOf(word, Q) ? '2' : ''} ${name(Rd)}, ${name(Rn)}, ${operand(word, Rm, size)}`
    },
    encodings: [encoding],
  })
}

/** The high halves of sums or differences of wide lanes, into the half of Vd that Q selects. */
function highNarrow(opcodes: typeof L.add, round: boolean, encoding: Encoding) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const sum = k.op(
        opcodes[wider(size)],
        () => e.q(Rn),
        () => e.q(Rm),
      )
      const rounded = k.op(L.add[wider(size)], sum, k.constant(wider(size), 1n << BigInt((8 << size) - 1)))
      const value = k.keep(round ? rounded : sum)
      narrowInto(e, k, size, value, 1)
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      const name = (field: Field) => vectorName(bitsOf(word, field), size + 1, 1)
      return `${mnemonic}${bitsOf(word, Q) ? '2' : ''} ${operand(word, Rd, size)}, ${name(Rn)}, ${name(Rm)}`
    },
    encodings: [encoding],
  })
}

/**
 * Writes one half of each wide lane (0 the low, 1 the high one) to the lower half of Vd, clearing the upper; with Q to
 * the upper half, keeping the lower.
 */
export function narrowInto(e: Emitter, k: Lanes, size: Size, value: Push, part: 0 | 1): void {
  const count = 8 >> size
  const total = 16 >> size
  const picked = Array.from({ length: count }, (_, i) => 2 * i + part)
  if (e.fixed(Q)) {
    const lower = Array.from({ length: count }, (_, i) => total + i)
    e.setQ(
      Rd,
      k.shuffle(size, value, () => e.q(Rd), [...lower, ...picked]),
    )
  } else {
    e.setQ(Rd, k.shuffle(size, value, k.zero(), [...picked, ...Array.from({ length: count }, () => total)]))
  }
}

export const rows: readonly Row[] = [
  long(addLong(true, L.add), [['SADDL_asimddiff_L', '0x001110xx1xxxxx000000xxxxxxxxxx']]),
  long(addLong(false, L.add), [['UADDL_asimddiff_L', '0x101110xx1xxxxx000000xxxxxxxxxx']]),
  long(addLong(true, L.sub), [['SSUBL_asimddiff_L', '0x001110xx1xxxxx001000xxxxxxxxxx']]),
  long(addLong(false, L.sub), [['USUBL_asimddiff_L', '0x101110xx1xxxxx001000xxxxxxxxxx']]),
  wide(true, L.add, ['SADDW_asimddiff_W', '0x001110xx1xxxxx000100xxxxxxxxxx']),
  wide(false, L.add, ['UADDW_asimddiff_W', '0x101110xx1xxxxx000100xxxxxxxxxx']),
  wide(true, L.sub, ['SSUBW_asimddiff_W', '0x001110xx1xxxxx001100xxxxxxxxxx']),
  wide(false, L.sub, ['USUBW_asimddiff_W', '0x101110xx1xxxxx001100xxxxxxxxxx']),
  highNarrow(L.add, false, ['ADDHN_asimddiff_N', '0x001110xx1xxxxx010000xxxxxxxxxx']),
  highNarrow(L.add, true, ['RADDHN_asimddiff_N', '0x101110xx1xxxxx010000xxxxxxxxxx']),
  highNarrow(L.sub, false, ['SUBHN_asimddiff_N', '0x001110xx1xxxxx011000xxxxxxxxxx']),
  highNarrow(L.sub, true, ['RSUBHN_asimddiff_N', '0x101110xx1xxxxx011000xxxxxxxxxx']),
  long(differenceAccumulateLong(true), [['SABAL_asimddiff_L', '0x001110xx1xxxxx010100xxxxxxxxxx']]),
  long(differenceAccumulateLong(false), [['UABAL_asimddiff_L', '0x101110xx1xxxxx010100xxxxxxxxxx']]),
  long(differenceLong(true), [['SABDL_asimddiff_L', '0x001110xx1xxxxx011100xxxxxxxxxx']]),
  long(differenceLong(false), [['UABDL_asimddiff_L', '0x101110xx1xxxxx011100xxxxxxxxxx']]),
  long(multiplyAccumulateLong(true, false), [['SMLAL_asimddiff_L', '0x001110xx1xxxxx100000xxxxxxxxxx']]),
  long(multiplyAccumulateLong(false, false), [['UMLAL_asimddiff_L', '0x101110xx1xxxxx100000xxxxxxxxxx']]),
  long(multiplyAccumulateLong(true, true), [['SMLSL_asimddiff_L', '0x001110xx1xxxxx101000xxxxxxxxxx']]),
  long(multiplyAccumulateLong(false, true), [['UMLSL_asimddiff_L', '0x101110xx1xxxxx101000xxxxxxxxxx']]),
  long(multiplyLong(true), [['SMULL_asimddiff_L', '0x001110xx1xxxxx110000xxxxxxxxxx']]),
  long(multiplyLong(false), [['UMULL_asimddiff_L', '0x101110xx1xxxxx110000xxxxxxxxxx']]),
  long(
    polynomialLong,
    [['PMULL_asimddiff_L', '0x001110xx1xxxxx111000xxxxxxxxxx']],
    [noSize1, noSize2],
    [[noSize3, 'FEAT_PMULL']],
  ),
  long(
    saturatingAccumulateLong(false),
    [
      ['SQDMLAL_asimddiff_L', '0x001110xx1xxxxx100100xxxxxxxxxx'],
      ['SQDMLAL_asisddiff_only', '01011110xx1xxxxx100100xxxxxxxxxx'],
    ],
    [noSize0, noSize3],
  ),
  long(
    saturatingAccumulateLong(true),
    [
      ['SQDMLSL_asimddiff_L', '0x001110xx1xxxxx101100xxxxxxxxxx'],
      ['SQDMLSL_asisddiff_only', '01011110xx1xxxxx101100xxxxxxxxxx'],
    ],
    [noSize0, noSize3],
  ),
  long(
    saturatingMultiplyLong,
    [
      ['SQDMULL_asimddiff_L', '0x001110xx1xxxxx110100xxxxxxxxxx'],
      ['SQDMULL_asisddiff_only', '01011110xx1xxxxx110100xxxxxxxxxx'],
    ],
    [noSize0, noSize3],
  ),
].flat()
