/**
 * Advanced SIMD three same, integer and logical, vector and scalar (DDI 0487, C4.1 "Advanced SIMD three same", "Advanced SIMD
 * scalar three same"). Shifts by register and floating point have files of their own.
 */

import { v128 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import { group, type Row } from '../row.ts'
import * as A from './arithmetic.ts'
import * as L from './lanes.ts'
import { Lanes, readV, type Size, writeV } from './lanes.ts'
import {
  bytesText3,
  isScalar,
  no1D,
  noSize0,
  noSize1,
  noSize2,
  noSize3,
  Q,
  Rd,
  Rm,
  Rn,
  SIZE,
  sizeOf,
  text3,
  widthOf,
} from './shape.ts'

const fields = 'Q:30 U:29 size:23-22 Rm:20-16 Rn:9-5 Rd:4-0'

function binary(kernel: A.Binary, sizeFor: (e: Emitter) => Size = sizeOf) {
  return (e: Emitter): void => {
    const k = new Lanes(e)
    const size = sizeFor(e)
    const width = widthOf(e, size)
    const a = k.keep(() => readV(e, Rn, width))
    const b = k.keep(() => readV(e, Rm, width))
    writeV(e, Rd, width, () => kernel(k, size, a, b)())
    k.done()
  }
}

function ternary(kernel: A.Ternary, sizeFor: (e: Emitter) => Size = sizeOf) {
  return (e: Emitter): void => {
    const d = () => readV(e, Rd, widthOf(e, sizeFor(e)))
    binary((k, size, a, b) => kernel(k, size, a, b, d), sizeFor)(e)
  }
}

const bytes = (): Size => 0

interface Options {
  readonly unallocated?: readonly string[]
}

type Encoding = readonly [string, string]

function integer(kernel: A.Binary, encodings: readonly Encoding[], { unallocated = [] }: Options = {}) {
  return group({ fields, fp: true, split: [Q, SIZE], unallocated, emit: binary(kernel), text: text3, encodings })
}

function accumulating(kernel: A.Ternary, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [noSize3],
    emit: ternary(kernel),
    text: text3,
    encodings,
  })
}

/** The size field is part of the opcode: whole registers. */
function logical(kernel: A.Binary, encoding: Encoding) {
  return group({ fields, fp: true, split: [Q], emit: binary(kernel, bytes), text: bytesText3, encodings: [encoding] })
}

function logicalTernary(kernel: A.Ternary, encoding: Encoding) {
  return group({ fields, fp: true, split: [Q], emit: ternary(kernel, bytes), text: bytesText3, encodings: [encoding] })
}

const bySize =
  (opcodes: readonly [number, number, number, number], swap = false): A.Binary =>
  (k, size, a, b) =>
    swap ? k.op(opcodes[size], b, a) : k.op(opcodes[size], a, b)

const whole =
  (opcode: number): A.Binary =>
  (k, _size, a, b) =>
    k.op(opcode, a, b)

/** The lanes of b:a that a pairwise instruction puts first and second in each pair. */
function pairs(size: Size, q: number): [number[], number[]] {
  const lanes = (q ? 16 : 8) >> size
  const total = 16 >> size
  const concatenated = (i: number): number => (i < lanes ? i : total + i - lanes)
  const pick = (offset: number) =>
    Array.from({ length: total }, (_, i) => (i < lanes ? concatenated(2 * i + offset) : total - 1))
  return [pick(0), pick(1)]
}

/** Applies a kernel to neighbours of the concatenation of the two operands. */
export const pairwise =
  (kernel: A.Binary): A.Binary =>
  (k, size, a, b) => {
    const [first, second] = pairs(size, isScalar(k.e) ? 0 : k.e.fixed(Q))
    return kernel(k, size, k.keep(k.shuffle(size, a, b, first)), k.keep(k.shuffle(size, a, b, second)))
  }

const testBits: A.Binary = (k, size, a, b) => k.op(L.ne[size], k.op(v128.and, a, b), k.zero())

export const rows: readonly Row[] = [
  integer(A.halvingAdd(true), [['SHADD_asimdsame_only', '0x001110xx1xxxxx000001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.halvingAdd(false), [['UHADD_asimdsame_only', '0x101110xx1xxxxx000001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.roundingHalvingAdd(true), [['SRHADD_asimdsame_only', '0x001110xx1xxxxx000101xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.roundingHalvingAdd(false), [['URHADD_asimdsame_only', '0x101110xx1xxxxx000101xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.halvingSub(true), [['SHSUB_asimdsame_only', '0x001110xx1xxxxx001001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.halvingSub(false), [['UHSUB_asimdsame_only', '0x101110xx1xxxxx001001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(
    A.saturatingAdd(true),
    [
      ['SQADD_asimdsame_only', '0x001110xx1xxxxx000011xxxxxxxxxx'],
      ['SQADD_asisdsame_only', '01011110xx1xxxxx000011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    A.saturatingAdd(false),
    [
      ['UQADD_asimdsame_only', '0x101110xx1xxxxx000011xxxxxxxxxx'],
      ['UQADD_asisdsame_only', '01111110xx1xxxxx000011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    A.saturatingSub(true),
    [
      ['SQSUB_asimdsame_only', '0x001110xx1xxxxx001011xxxxxxxxxx'],
      ['SQSUB_asisdsame_only', '01011110xx1xxxxx001011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    A.saturatingSub(false),
    [
      ['UQSUB_asimdsame_only', '0x101110xx1xxxxx001011xxxxxxxxxx'],
      ['UQSUB_asisdsame_only', '01111110xx1xxxxx001011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    bySize(L.gtS),
    [
      ['CMGT_asimdsame_only', '0x001110xx1xxxxx001101xxxxxxxxxx'],
      ['CMGT_asisdsame_only', '01011110111xxxxx001101xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    bySize(L.geS),
    [
      ['CMGE_asimdsame_only', '0x001110xx1xxxxx001111xxxxxxxxxx'],
      ['CMGE_asisdsame_only', '01011110111xxxxx001111xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    (k, size, a, b) => k.greaterUnsigned(size, a, b),
    [
      ['CMHI_asimdsame_only', '0x101110xx1xxxxx001101xxxxxxxxxx'],
      ['CMHI_asisdsame_only', '01111110111xxxxx001101xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    (k, size, a, b) => k.not(k.greaterUnsigned(size, b, a)),
    [
      ['CMHS_asimdsame_only', '0x101110xx1xxxxx001111xxxxxxxxxx'],
      ['CMHS_asisdsame_only', '01111110111xxxxx001111xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    testBits,
    [
      ['CMTST_asimdsame_only', '0x001110xx1xxxxx100011xxxxxxxxxx'],
      ['CMTST_asisdsame_only', '01011110111xxxxx100011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    bySize(L.eq),
    [
      ['CMEQ_asimdsame_only', '0x101110xx1xxxxx100011xxxxxxxxxx'],
      ['CMEQ_asisdsame_only', '01111110111xxxxx100011xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    bySize(L.add),
    [
      ['ADD_asimdsame_only', '0x001110xx1xxxxx100001xxxxxxxxxx'],
      ['ADD_asisdsame_only', '01011110111xxxxx100001xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(
    bySize(L.sub),
    [
      ['SUB_asimdsame_only', '0x101110xx1xxxxx100001xxxxxxxxxx'],
      ['SUB_asisdsame_only', '01111110111xxxxx100001xxxxxxxxxx'],
    ],
    { unallocated: [no1D] },
  ),
  integer(bySize(L.maxS), [['SMAX_asimdsame_only', '0x001110xx1xxxxx011001xxxxxxxxxx']], { unallocated: [noSize3] }),
  integer(bySize(L.maxU), [['UMAX_asimdsame_only', '0x101110xx1xxxxx011001xxxxxxxxxx']], { unallocated: [noSize3] }),
  integer(bySize(L.minS), [['SMIN_asimdsame_only', '0x001110xx1xxxxx011011xxxxxxxxxx']], { unallocated: [noSize3] }),
  integer(bySize(L.minU), [['UMIN_asimdsame_only', '0x101110xx1xxxxx011011xxxxxxxxxx']], { unallocated: [noSize3] }),
  integer(A.difference(true), [['SABD_asimdsame_only', '0x001110xx1xxxxx011101xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(A.difference(false), [['UABD_asimdsame_only', '0x101110xx1xxxxx011101xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  accumulating(A.accumulate(A.difference(true)), [['SABA_asimdsame_only', '0x001110xx1xxxxx011111xxxxxxxxxx']]),
  accumulating(A.accumulate(A.difference(false)), [['UABA_asimdsame_only', '0x101110xx1xxxxx011111xxxxxxxxxx']]),
  accumulating(A.accumulate(A.multiply), [['MLA_asimdsame_only', '0x001110xx1xxxxx100101xxxxxxxxxx']]),
  accumulating(A.accumulate(A.multiply, true), [['MLS_asimdsame_only', '0x101110xx1xxxxx100101xxxxxxxxxx']]),
  integer(A.multiply, [['MUL_asimdsame_only', '0x001110xx1xxxxx100111xxxxxxxxxx']], { unallocated: [noSize3] }),
  integer(A.polynomialMultiply, [['PMUL_asimdsame_only', '0x101110xx1xxxxx100111xxxxxxxxxx']], {
    unallocated: [noSize1, noSize2, noSize3],
  }),
  integer(pairwise(bySize(L.maxS)), [['SMAXP_asimdsame_only', '0x001110xx1xxxxx101001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(pairwise(bySize(L.maxU)), [['UMAXP_asimdsame_only', '0x101110xx1xxxxx101001xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(pairwise(bySize(L.minS)), [['SMINP_asimdsame_only', '0x001110xx1xxxxx101011xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(pairwise(bySize(L.minU)), [['UMINP_asimdsame_only', '0x101110xx1xxxxx101011xxxxxxxxxx']], {
    unallocated: [noSize3],
  }),
  integer(pairwise(bySize(L.add)), [['ADDP_asimdsame_only', '0x001110xx1xxxxx101111xxxxxxxxxx']], {
    unallocated: [no1D],
  }),
  integer(
    A.doublingMultiplyHigh(false),
    [
      ['SQDMULH_asimdsame_only', '0x001110xx1xxxxx101101xxxxxxxxxx'],
      ['SQDMULH_asisdsame_only', '01011110xx1xxxxx101101xxxxxxxxxx'],
    ],
    { unallocated: [noSize0, noSize3] },
  ),
  integer(
    A.doublingMultiplyHigh(true),
    [
      ['SQRDMULH_asimdsame_only', '0x101110xx1xxxxx101101xxxxxxxxxx'],
      ['SQRDMULH_asisdsame_only', '01111110xx1xxxxx101101xxxxxxxxxx'],
    ],
    { unallocated: [noSize0, noSize3] },
  ),
  logical(whole(v128.and), ['AND_asimdsame_only', '0x001110001xxxxx000111xxxxxxxxxx']),
  logical(whole(v128.andnot), ['BIC_asimdsame_only', '0x001110011xxxxx000111xxxxxxxxxx']),
  logical(whole(v128.or), ['ORR_asimdsame_only', '0x001110101xxxxx000111xxxxxxxxxx']),
  logical((k, _size, a, b) => k.op(v128.or, a, k.not(b)), ['ORN_asimdsame_only', '0x001110111xxxxx000111xxxxxxxxxx']),
  logical(whole(v128.xor), ['EOR_asimdsame_only', '0x101110001xxxxx000111xxxxxxxxxx']),
  logicalTernary((k, _size, a, b, d) => k.select(d, a, b), ['BSL_asimdsame_only', '0x101110011xxxxx000111xxxxxxxxxx']),
  logicalTernary((k, _size, a, b, d) => k.select(b, a, d), ['BIT_asimdsame_only', '0x101110101xxxxx000111xxxxxxxxxx']),
  logicalTernary((k, _size, a, b, d) => k.select(b, d, a), ['BIF_asimdsame_only', '0x101110111xxxxx000111xxxxxxxxxx']),
].flat()
