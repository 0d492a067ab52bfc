/**
 * Advanced SIMD two-register miscellaneous, integer, vector and scalar (DDI 0487, C4.1 "Advanced SIMD two-register miscellaneous",
 * "Advanced SIMD scalar two-register miscellaneous"): reversals, counts, comparisons with zero, narrowing, saturating negation.
 */

import { i8x16, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import * as A from './arithmetic.ts'
import * as L from './lanes.ts'
import { Lanes, readV, type Size, type Width, writeV } from './lanes.ts'
import { type Narrowing, saturateNarrow } from './narrow.ts'
import {
  bytesText2,
  isScalar,
  no1D,
  noSize1,
  noSize2,
  noSize3,
  operand,
  Q,
  Rd,
  Rn,
  SCALAR,
  SIZE,
  sizeOf,
  text2,
  widthOf,
} from './shape.ts'
import { narrowInto } from './three-different.ts'

const fields = 'Q:30 U:29 size:23-22 Rn:9-5 Rd:4-0'
const split = [Q, SIZE]

type Encoding = readonly [string, string]
/** `d` pushes the old destination. */
type Kernel = (k: Lanes, size: Size, a: Push, d: Push) => Push

function unary(kernel: Kernel, sizeFor: (e: Emitter) => Size) {
  return (e: Emitter): void => {
    const k = new Lanes(e)
    const size = sizeFor(e)
    const width = widthOf(e, size)
    const a = k.keep(() => readV(e, Rn, width))
    writeV(e, Rd, width, () => kernel(k, size, a, () => readV(e, Rd, width))())
    k.done()
  }
}

function integer(kernel: Kernel, encodings: readonly Encoding[], unallocated: readonly string[] = [no1D]) {
  return group({ fields, fp: true, split, unallocated, emit: unary(kernel, sizeOf), text: text2, encodings })
}

/** The size field is part of the opcode: bytes. */
function bytes(kernel: Kernel, encoding: Encoding) {
  return group({ fields, fp: true, split: [Q], emit: unary(kernel, () => 0), text: bytesText2, encodings: [encoding] })
}

/** Elements of `size` in reverse order within containers of `container` bytes. */
const reverse =
  (container: number): Kernel =>
  (k, size, a) => {
    const perContainer = container >> size
    const order = Array.from({ length: 16 >> size }, (_, i) => i ^ (perContainer - 1))
    return k.shuffle(size, a, a, order)
  }

const withZero =
  (opcodes: typeof L.eq, swap = false): Kernel =>
  (k, size, a) =>
    swap ? k.op(opcodes[size], k.zero(), a) : k.op(opcodes[size], a, k.zero())

function compareZero(kernel: Kernel, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split,
    unallocated: [no1D],
    emit: unary(kernel, sizeOf),
    text: (word, mnemonic) => `${text2(word, mnemonic)}, #0`,
    encodings,
  })
}

/** Sums of neighbours; the destination's lanes are twice as wide. */
function pairwiseLong(signed: boolean, accumulate: boolean, encoding: Encoding) {
  const sum = A.pairwiseLong(signed)
  return group({
    fields,
    fp: true,
    split,
    unallocated: [noSize3],
    emit: unary((k, size, a, d) => {
      const pairs = sum(k, size, a)
      return accumulate ? k.op(L.add[size + 1]!, d, pairs) : pairs
    }, sizeOf),
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      return `${mnemonic} ${operand(word, Rd, size + 1)}, ${operand(word, Rn, size)}`
    },
    encodings: [encoding],
  })
}

/** Extract narrow, plain or saturating. */
function narrowing(saturate: Narrowing | undefined, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split,
    unallocated: [noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const scalar = isScalar(e)
      const a = k.keep(() => readV(e, Rn, scalar ? ((16 << size) as Width) : 128))
      const value = k.keep(saturate ? saturateNarrow(k, size, saturate, a) : a)
      if (scalar) writeV(e, Rd, (8 << size) as Width, value)
      else narrowInto(e, k, size, value, 0)
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      const two = !bitsOf(word, SCALAR) && bitsOf(word, Q) ? '2' : ''
      return `${mnemonic}${two} ${operand(word, Rd, size)}, ${operand(word, Rn, size + 1, 1)}`
    },
    encodings,
  })
}

/** SHLL: extended and shifted by the width of the narrow element. */
const shiftLong = group({
  fields,
  fp: true,
  split,
  unallocated: [noSize3],
  emit: (e) => {
    const k = new Lanes(e)
    const size = sizeOf(e)
    const extended = k.op((e.fixed(Q) ? L.extendHighU : L.extendLowU)[size], () => e.q(Rn))
    e.setQ(Rd, k.op(L.shl[size + 1]!, extended, k.i32(8 << size)))
    k.done()
  },
  text: (word, mnemonic) => {
    const size = bitsOf(word, SIZE)
    const two = bitsOf(word, Q) ? '2' : ''
    return `${mnemonic}${two} ${operand(word, Rd, size + 1, 1)}, ${operand(word, Rn, size)}, #${8 << size}`
  },
  encodings: [['SHLL_asimdmisc_S', '0x101110xx100001001110xxxxxxxxxx']],
})

export const rows: readonly Row[] = [
  integer(reverse(8), [['REV64_asimdmisc_R', '0x001110xx100000000010xxxxxxxxxx']], [noSize3]),
  integer(reverse(4), [['REV32_asimdmisc_R', '0x101110xx100000000010xxxxxxxxxx']], [noSize2, noSize3]),
  integer(reverse(2), [['REV16_asimdmisc_R', '0x001110xx100000000110xxxxxxxxxx']], [noSize1, noSize2, noSize3]),
  pairwiseLong(true, false, ['SADDLP_asimdmisc_P', '0x001110xx100000001010xxxxxxxxxx']),
  pairwiseLong(false, false, ['UADDLP_asimdmisc_P', '0x101110xx100000001010xxxxxxxxxx']),
  pairwiseLong(true, true, ['SADALP_asimdmisc_P', '0x001110xx100000011010xxxxxxxxxx']),
  pairwiseLong(false, true, ['UADALP_asimdmisc_P', '0x101110xx100000011010xxxxxxxxxx']),
  integer(A.addUnsignedToSigned, [
    ['SUQADD_asimdmisc_R', '0x001110xx100000001110xxxxxxxxxx'],
    ['SUQADD_asisdmisc_R', '01011110xx100000001110xxxxxxxxxx'],
  ]),
  integer(A.addSignedToUnsigned, [
    ['USQADD_asimdmisc_R', '0x101110xx100000001110xxxxxxxxxx'],
    ['USQADD_asisdmisc_R', '01111110xx100000001110xxxxxxxxxx'],
  ]),
  integer(A.countLeadingSigns, [['CLS_asimdmisc_R', '0x001110xx100000010010xxxxxxxxxx']], [noSize3]),
  integer(A.countLeadingZeros, [['CLZ_asimdmisc_R', '0x101110xx100000010010xxxxxxxxxx']], [noSize3]),
  integer(
    (k, _size, a) => k.op(i8x16.popcnt, a),
    [['CNT_asimdmisc_R', '0x001110xx100000010110xxxxxxxxxx']],
    [noSize1, noSize2, noSize3],
  ),
  bytes((k, _size, a) => k.op(v128.not, a), ['NOT_asimdmisc_R', '0x10111000100000010110xxxxxxxxxx']),
  bytes(A.reverseBits, ['RBIT_asimdmisc_R', '0x10111001100000010110xxxxxxxxxx']),
  integer(A.saturatingAbs, [
    ['SQABS_asimdmisc_R', '0x001110xx100000011110xxxxxxxxxx'],
    ['SQABS_asisdmisc_R', '01011110xx100000011110xxxxxxxxxx'],
  ]),
  integer(A.saturatingNeg, [
    ['SQNEG_asimdmisc_R', '0x101110xx100000011110xxxxxxxxxx'],
    ['SQNEG_asisdmisc_R', '01111110xx100000011110xxxxxxxxxx'],
  ]),
  compareZero(withZero(L.gtS), [
    ['CMGT_asimdmisc_Z', '0x001110xx100000100010xxxxxxxxxx'],
    ['CMGT_asisdmisc_Z', '0101111011100000100010xxxxxxxxxx'],
  ]),
  compareZero(withZero(L.geS), [
    ['CMGE_asimdmisc_Z', '0x101110xx100000100010xxxxxxxxxx'],
    ['CMGE_asisdmisc_Z', '0111111011100000100010xxxxxxxxxx'],
  ]),
  compareZero(withZero(L.eq), [
    ['CMEQ_asimdmisc_Z', '0x001110xx100000100110xxxxxxxxxx'],
    ['CMEQ_asisdmisc_Z', '0101111011100000100110xxxxxxxxxx'],
  ]),
  compareZero(withZero(L.geS, true), [
    ['CMLE_asimdmisc_Z', '0x101110xx100000100110xxxxxxxxxx'],
    ['CMLE_asisdmisc_Z', '0111111011100000100110xxxxxxxxxx'],
  ]),
  compareZero(withZero(L.gtS, true), [
    ['CMLT_asimdmisc_Z', '0x001110xx100000101010xxxxxxxxxx'],
    ['CMLT_asisdmisc_Z', '0101111011100000101010xxxxxxxxxx'],
  ]),
  integer(
    (k, size, a) => k.op(L.abs[size], a),
    [
      ['ABS_asimdmisc_R', '0x001110xx100000101110xxxxxxxxxx'],
      ['ABS_asisdmisc_R', '0101111011100000101110xxxxxxxxxx'],
    ],
  ),
  integer(
    (k, size, a) => k.op(L.neg[size], a),
    [
      ['NEG_asimdmisc_R', '0x101110xx100000101110xxxxxxxxxx'],
      ['NEG_asisdmisc_R', '0111111011100000101110xxxxxxxxxx'],
    ],
  ),
  narrowing(undefined, [['XTN_asimdmisc_N', '0x001110xx100001001010xxxxxxxxxx']]),
  narrowing({ from: 'signed', to: 'signed' }, [
    ['SQXTN_asimdmisc_N', '0x001110xx100001010010xxxxxxxxxx'],
    ['SQXTN_asisdmisc_N', '01011110xx100001010010xxxxxxxxxx'],
  ]),
  narrowing({ from: 'unsigned', to: 'unsigned' }, [
    ['UQXTN_asimdmisc_N', '0x101110xx100001010010xxxxxxxxxx'],
    ['UQXTN_asisdmisc_N', '01111110xx100001010010xxxxxxxxxx'],
  ]),
  narrowing({ from: 'signed', to: 'unsigned' }, [
    ['SQXTUN_asimdmisc_N', '0x101110xx100001001010xxxxxxxxxx'],
    ['SQXTUN_asisdmisc_N', '01111110xx100001001010xxxxxxxxxx'],
  ]),
  shiftLong,
].flat()
