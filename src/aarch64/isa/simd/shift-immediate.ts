/**
 * Advanced SIMD shift by immediate, integer, vector and scalar (DDI 0487, C4.1 "Advanced SIMD shift by immediate", "Advanced SIMD
 * scalar shift by immediate"). The element size is the position of immh's highest set bit. Fixed-point conversions are elsewhere.
 */

import { i32, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import * as L from './lanes.ts'
import { Lanes, readV, type Size, type Width, writeV } from './lanes.ts'
import { type Narrowing, saturateNarrow } from './narrow.ts'
import { isScalar, operand, Q, Rd, Rn, SCALAR, widthOf } from './shape.ts'
import { laneShift } from './shift-register.ts'
import { narrowInto } from './three-different.ts'

const fields = 'Q:30 U:29 immh:22-19 immb:18-16 Rn:9-5 Rd:4-0'
const IMMH: Field = [22, 19]
const IMM: Field = [22, 16]

const noImmh0 = 'xxxxxxxxx0000xxxxxxxxxxxxxxxxxxx'
const noImmh8 = 'xxxxxxxxx1xxxxxxxxxxxxxxxxxxxxxx'
const no1D = 'x0x0xxxxx1xxxxxxxxxxxxxxxxxxxxxx'

const sizeFrom = (immh: number): Size => (31 - Math.clz32(immh)) as Size
const sizeOf = (e: Emitter): Size => sizeFrom(e.fixed(IMMH))

/** Pushes immh:immb - esize, the amount of a left shift: 0 to esize - 1. */
const left = (e: Emitter, size: Size) => (): void => {
  e.bits(IMM)
  e.code.i32(8 << size).op(i32.sub)
}

/** Pushes 2 * esize - immh:immb + adjust, the amount of a right shift: 1 to esize. */
const right =
  (e: Emitter, size: Size, adjust = 0) =>
  (): void => {
    e.code.i32((16 << size) + adjust)
    e.bits(IMM)
    e.code.op(i32.sub)
  }

/** a >> shift by one less and then by one, because wasm takes an amount of a whole lane for 0. */
export function shiftRight(k: Lanes, lanes: Size, signed: boolean, round: boolean, a: Push, lessOne: Push): Push {
  const opcode = (signed ? L.shrS : L.shrU)[lanes]
  const almost = k.keep(k.op(opcode, a, lessOne))
  const shifted = k.op(opcode, almost, k.i32(1))
  return round ? k.op(L.add[lanes], shifted, k.op(v128.and, almost, k.constant(lanes, 1n))) : shifted
}

type Kernel = (k: Lanes, size: Size, a: Push, d: Push) => Push
type Encoding = readonly [string, string]

const leftText = (word: number): number => bitsOf(word, IMM) - (8 << sizeFrom(bitsOf(word, IMMH)))
const rightText = (word: number): number => (16 << sizeFrom(bitsOf(word, IMMH))) - bitsOf(word, IMM)

/** Shifts whose lanes keep their size. */
function same(kernel: Kernel, encodings: readonly Encoding[], amount: (word: number) => number) {
  return group({
    fields,
    fp: true,
    split: [Q, IMMH],
    unallocated: [noImmh0, no1D],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const width = widthOf(e, size)
      const a = k.keep(() => readV(e, Rn, width))
      writeV(e, Rd, width, () => kernel(k, size, a, () => readV(e, Rd, width))())
      k.done()
    },
    text: (word, mnemonic) => {
      const size = sizeFrom(bitsOf(word, IMMH))
      return `${mnemonic} ${operand(word, Rd, size)}, ${operand(word, Rn, size)}, #${amount(word)}`
    },
    encodings,
  })
}

const rightBy =
  (signed: boolean, round: boolean, accumulate = false): Kernel =>
  (k, size, a, d) => {
    const shifted = shiftRight(k, size, signed, round, a, right(k.e, size, -1))
    return accumulate ? k.op(L.add[size], d, shifted) : shifted
  }

const leftBy: Kernel = (k, size, a) => k.op(L.shl[size], a, left(k.e, size))

/** Shift left and insert: the low bits of the destination stay. */
const leftInsert: Kernel = (k, size, a, d) => {
  const amount = k.keep(left(k.e, size), 'i32')
  const mask = k.op(L.shl[size], k.constant(size, -1n), amount)
  return k.select(k.keep(mask), k.op(L.shl[size], a, amount), d)
}

/** Shift right and insert: the high bits of the destination stay. */
const rightInsert: Kernel = (k, size, a, d) => {
  const lessOne = k.keep(right(k.e, size, -1), 'i32')
  const mask = k.keep(shiftRight(k, size, false, false, k.constant(size, -1n), lessOne))
  return k.select(mask, shiftRight(k, size, false, false, a, lessOne), d)
}

const saturatingLeft =
  (signed: boolean): Kernel =>
  (k, size, a) =>
  () => {
    k.e.cpu()
    a()
    left(k.e, size)()
    k.e.code.op(L.splat[0])
    k.e.call(laneShift({ signed, rounding: false, saturating: true }, size))
  }

/** Signed numbers to unsigned: negative ones saturate to zero first. */
const saturatingLeftUnsigned: Kernel = (k, size, a, d) => {
  const negative = k.keep(k.op(L.shrS[size], a, k.i32((8 << size) - 1)))
  k.saturatedIf(negative)
  return saturatingLeft(false)(k, size, k.op(v128.andnot, a, negative), d)
}

/** Right shifts of wide lanes into narrow ones; immh gives the narrow size. */
function narrowing(signed: boolean, round: boolean, saturate: Narrowing | undefined, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split: [Q, IMMH],
    unallocated: [noImmh0, noImmh8],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const wide = (size + 1) as Size
      const scalar = isScalar(e)
      const a = k.keep(() => readV(e, Rn, scalar ? ((16 << size) as Width) : 128))
      const shifted = shiftRight(k, wide, signed, round, a, right(e, size, -1))
      const value = k.keep(saturate ? saturateNarrow(k, size, saturate, shifted) : shifted)
      if (scalar) writeV(e, Rd, (8 << size) as Width, value)
      else narrowInto(e, k, size, value, 0)
      k.done()
    },
    text: (word, mnemonic) => {
      const size = sizeFrom(bitsOf(word, IMMH))
      const two = !bitsOf(word, SCALAR) && bitsOf(word, Q) ? '2' : ''
      return `${mnemonic}${two} ${operand(word, Rd, size)}, ${operand(word, Rn, size + 1, 1)}, #${rightText(word)}`
    },
    encodings,
  })
}

function lengthening(signed: boolean, encoding: Encoding) {
  return group({
    fields,
    fp: true,
    split: [Q, IMMH],
    unallocated: [noImmh0, noImmh8],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const upper = e.fixed(Q) === 1
      const opcodes = signed ? (upper ? L.extendHighS : L.extendLowS) : upper ? L.extendHighU : L.extendLowU
      e.setQ(
        Rd,
        k.op(
          L.shl[size + 1]!,
          k.op(opcodes[size], () => e.q(Rn)),
          left(e, size),
        ),
      )
      k.done()
    },
    text: (word, mnemonic) => {
      const size = sizeFrom(bitsOf(word, IMMH))
      const two = bitsOf(word, Q) ? '2' : ''
      return `${mnemonic}${two} ${operand(word, Rd, size + 1, 1)}, ${operand(word, Rn, size)}, #${leftText(word)}`
    },
    encodings: [encoding],
  })
}

/** The vector pattern of an instruction and its scalar one, which differ in bits 31:28 and, for 64 bits alone, in immh. */
const both = (name: string, u: 0 | 1, opcode: string, onlyD: boolean): readonly Encoding[] => [
  [`${name}_asimdshf_${kindOf(name)}`, `0x${u}011110xxxxxxx${opcode}1xxxxxxxxxx`],
  [`${name}_asisdshf_${kindOf(name)}`, `01${u}111110${onlyD ? '1xxxxxx' : 'xxxxxxx'}${opcode}1xxxxxxxxxx`],
]

/** Arm's names end in N for the narrowing shifts and in R for the others. */
const kindOf = (name: string): string => (/RN$|RUN$/.test(name) ? 'N' : 'R')

const toSigned: Narrowing = { from: 'signed', to: 'signed' }
const toUnsigned: Narrowing = { from: 'unsigned', to: 'unsigned' }
const signedToUnsigned: Narrowing = { from: 'signed', to: 'unsigned' }

export const rows: readonly Row[] = [
  same(rightBy(true, false), both('SSHR', 0, '00000', true), rightText),
  same(rightBy(false, false), both('USHR', 1, '00000', true), rightText),
  same(rightBy(true, false, true), both('SSRA', 0, '00010', true), rightText),
  same(rightBy(false, false, true), both('USRA', 1, '00010', true), rightText),
  same(rightBy(true, true), both('SRSHR', 0, '00100', true), rightText),
  same(rightBy(false, true), both('URSHR', 1, '00100', true), rightText),
  same(rightBy(true, true, true), both('SRSRA', 0, '00110', true), rightText),
  same(rightBy(false, true, true), both('URSRA', 1, '00110', true), rightText),
  same(rightInsert, both('SRI', 1, '01000', true), rightText),
  same(leftBy, both('SHL', 0, '01010', true), leftText),
  same(leftInsert, both('SLI', 1, '01010', true), leftText),
  same(saturatingLeftUnsigned, both('SQSHLU', 1, '01100', false), leftText),
  same(saturatingLeft(true), both('SQSHL', 0, '01110', false), leftText),
  same(saturatingLeft(false), both('UQSHL', 1, '01110', false), leftText),
  narrowing(false, false, undefined, [['SHRN_asimdshf_N', '0x0011110xxxxxxx100001xxxxxxxxxx']]),
  narrowing(false, true, undefined, [['RSHRN_asimdshf_N', '0x0011110xxxxxxx100011xxxxxxxxxx']]),
  narrowing(true, false, toSigned, both('SQSHRN', 0, '10010', false)),
  narrowing(true, true, toSigned, both('SQRSHRN', 0, '10011', false)),
  narrowing(false, false, toUnsigned, both('UQSHRN', 1, '10010', false)),
  narrowing(false, true, toUnsigned, both('UQRSHRN', 1, '10011', false)),
  narrowing(true, false, signedToUnsigned, both('SQSHRUN', 1, '10000', false)),
  narrowing(true, true, signedToUnsigned, both('SQRSHRUN', 1, '10001', false)),
  lengthening(true, ['SSHLL_asimdshf_L', '0x0011110xxxxxxx101001xxxxxxxxxx']),
  lengthening(false, ['USHLL_asimdshf_L', '0x1011110xxxxxxx101001xxxxxxxxxx']),
].flat()
