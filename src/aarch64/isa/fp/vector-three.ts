/**
 * Advanced SIMD three same, by element, pairwise and across lanes, floating point, vector and scalar (DDI 0487, C4.1 "Advanced SIMD
 * three same", "... vector x indexed element", "... scalar pairwise", "... across lanes"). Half precision (FEAT_FP16) is not implemented.
 */

import { lane, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { elementText, splatElement } from '../simd/by-element.ts'
import { Lanes, readV, type Width } from '../simd/lanes.ts'
import { fpSizeOf, fpText3, noFp1D, operand, Q, Rd, Rm, Rn, SZ, scalarName, widthOf } from '../simd/shape.ts'
import type { FpSize } from './fast.ts'
import { fused } from './scalar.ts'
import { emitFloat, type Instruction, lanesOf, trust } from './vector.ts'

const fields = 'Q:30 U:29 sz:22 Rm:20-16 Rn:9-5 Rd:4-0'
type Encoding = readonly [name: string, pattern: string]

const lanewise =
  (opcodes: { readonly 2: number; readonly 3: number }) =>
  (k: Lanes, size: FpSize, operands: readonly Push[]): Push =>
    k.op(opcodes[size], ...operands.slice(0, 2))

const add: Instruction = { operation: 'add', trust: trust.sum, native: lanewise(lanesOf.add) }
const sub: Instruction = { operation: 'sub', trust: trust.sum, native: lanewise(lanesOf.sub) }
const mul: Instruction = { operation: 'mul', trust: trust.product, native: lanewise(lanesOf.mul) }
const mulx: Instruction = { ...mul, operation: 'mulx' }
const div: Instruction = { operation: 'div', trust: trust.quotient, native: lanewise(lanesOf.div) }
const max: Instruction = { operation: 'max', trust: trust.order, native: lanewise(lanesOf.max) }
const min: Instruction = { operation: 'min', trust: trust.order, native: lanewise(lanesOf.min) }
const maxnm: Instruction = { ...max, operation: 'maxnm' }
const minnm: Instruction = { ...min, operation: 'minnm' }
const cmeq: Instruction = { operation: 'cmeq', trust: trust.order, native: lanewise(lanesOf.eq) }
const cmge: Instruction = { operation: 'cmge', trust: trust.order, native: lanewise(lanesOf.ge) }
const cmgt: Instruction = { operation: 'cmgt', trust: trust.order, native: lanewise(lanesOf.gt) }
const abd: Instruction = {
  operation: 'abd',
  trust: trust.sum,
  native: (k, size, operands) => k.op(lanesOf.abs[size], lanewise(lanesOf.sub)(k, size, operands)),
}

/** a * b + c for each lane, by the fused functions on scalars. */
function fusedLanes(k: Lanes, size: FpSize, a: Push, b: Push, c: Push): Push {
  const [extract, replace] =
    size === 3 ? [lane.f64x2_extract, lane.f64x2_replace] : [lane.f32x4_extract, lane.f32x4_replace]
  const scalars = size === 3 ? 2 : 4
  return () => {
    const { code } = k.e
    code.v128([])
    for (let i = 0; i < scalars; i++) {
      const at = (v: Push) => () => {
        v()
        code.lane(extract, i)
      }
      fused(k.e, size, at(a), at(b), at(c))
      // Trusted only where IXC is set already.
      code.drop().lane(replace, i)
    }
  }
}

const muladd: Instruction = {
  operation: 'muladd',
  trust: trust.sum,
  native: (k, size, [a, b, c]) => fusedLanes(k, size, a!, b!, c!),
}

const one = (size: FpSize, value: number): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  if (size === 3) view.setFloat64(0, value)
  else view.setFloat32(0, value)
  return size === 3 ? view.getBigUint64(0) : BigInt(view.getUint32(0))
}

/** 2 - a * b, and (3 - a * b) / 2: halving an ordinary number is exact. */
const recps: Instruction = {
  operation: 'recps',
  trust: trust.sum,
  native: (k, size, [a, b]) =>
    fusedLanes(k, size, k.keep(k.op(lanesOf.neg[size], a!)), b!, k.constant(size, one(size, 2))),
}
const rsqrts: Instruction = {
  operation: 'rsqrts',
  trust: trust.sum,
  native: (k, size, [a, b]) => {
    const sum = fusedLanes(k, size, k.keep(k.op(lanesOf.neg[size], a!)), b!, k.constant(size, one(size, 3)))
    return k.op(lanesOf.mul[size], sum, k.constant(size, one(size, 0.5)))
  },
}

/** FPNeg and FPAbs of whole operands: sign bits, of NaNs too. */
const flipped = (k: Lanes, size: FpSize, v: Push): Push => k.op(v128.xor, v, k.signBits(size))
const magnitude = (k: Lanes, size: FpSize, v: Push): Push => k.op(v128.andnot, v, k.signBits(size))

interface Options {
  /** What happens to the operands before the operation. */
  readonly prepare?: (k: Lanes, size: FpSize, a: Push, b: Push) => readonly [Push, Push]
  /** The old destination is the third operand. */
  readonly accumulate?: boolean
}

function emit(how: Instruction, second: (e: Emitter, size: FpSize, width: Width) => void, options: Options) {
  return (e: Emitter): void => {
    const k = new Lanes(e)
    const size = fpSizeOf(e)
    const width = widthOf(e, size)
    const a = () => readV(e, Rn, width)
    const b = () => second(e, size, width)
    const [x, y] = options.prepare ? options.prepare(k, size, k.keep(a), k.keep(b)) : [a, b]
    const operands = [k.keep(x), k.keep(y)]
    if (options.accumulate) operands.push(k.keep(() => readV(e, Rd, width)))
    emitFloat(k, size, width, operands, how)
    k.done()
  }
}

const register = (e: Emitter, _size: FpSize, width: Width): void => readV(e, Rm, width)

function same(how: Instruction, encodings: readonly Encoding[], options: Options = {}) {
  return group({
    fields,
    fp: true,
    split: [Q, SZ],
    unallocated: [noFp1D],
    emit: emit(how, register, options),
    text: fpText3,
    encodings,
  })
}

/** Doublewords have no bit for L: it must be clear. */
const noLong = 'xxxxxxxxx11xxxxxxxxxxxxxxxxxxxxx'

function byElement(how: Instruction, encodings: readonly Encoding[], options: Options = {}) {
  return group({
    fields: 'Q:30 U:29 sz:22 L:21 M:20 Rm:19-16 H:11 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q, SZ],
    unallocated: [noFp1D, noLong],
    emit: emit(how, (e, size) => splatElement(e, size), options),
    text: (word, mnemonic) => {
      const size = 2 + bitsOf(word, SZ)
      return `${mnemonic} ${operand(word, Rd, size)}, ${operand(word, Rn, size)}, ${elementText(word, size)}`
    },
    encodings,
  })
}

/** Even and odd elements of the concatenation of the two operands, in the low lanes. */
function pairs(k: Lanes, size: FpSize, width: Width, a: Push, b: Push): readonly [Push, Push] {
  const lanes = width / (8 << size)
  const total = 16 >> size
  const pick = (odd: number) =>
    Array.from({ length: total }, (_, i) => {
      const from = 2 * i + odd
      return from < lanes ? from : from < 2 * lanes ? from - lanes + total : 0
    })
  return [k.shuffle(size, a, b, pick(0)), k.shuffle(size, a, b, pick(1))]
}

const pairwise = (how: Instruction, encoding: Encoding) =>
  same(how, [encoding], { prepare: (k, size, a, b) => pairs(k, size, widthOf(k.e, size), a, b) })

/** The two elements of a register, as a scalar. */
function scalarPair(how: Instruction, encoding: Encoding) {
  return group({
    fields: 'U:29 sz:22 Rn:9-5 Rd:4-0',
    fp: true,
    split: [SZ],
    emit: (e) => {
      const k = new Lanes(e)
      const size = fpSizeOf(e)
      const both = k.keep(() => e.q(Rn))
      const clear = (v: Push): Push =>
        k.shuffle(size, v, k.zero(), [0, ...Array.from({ length: (16 >> size) - 1 }, () => 16 >> size)])
      const first = k.keep(clear(both))
      const second = k.keep(clear(k.shuffle(size, both, both, size === 3 ? [1, 0] : [1, 0, 0, 0])))
      emitFloat(k, size, size === 3 ? 64 : 32, [first, second], how)
      k.done()
    },
    text: (word, mnemonic) => {
      const size = 2 + bitsOf(word, SZ)
      return `${mnemonic} ${scalarName(size, bitsOf(word, Rd))}, v${bitsOf(word, Rn)}.2${size === 3 ? 'd' : 's'}`
    },
    encodings: [encoding],
  })
}

/** Reduces four singles: pairs first, then the pair of results (DDI 0487, Reduce: halves are reduced and then combined). */
function across(how: Instruction, encoding: Encoding) {
  return group({
    fields: 'Rn:9-5 Rd:4-0',
    fp: true,
    emit: (e) => {
      const k = new Lanes(e)
      const all = k.keep(() => e.q(Rn))
      const none = k.zero()
      const step = (from: Push, first: number[], second: number[], width: Width) =>
        emitFloat(k, 2, width, [k.keep(k.shuffle(2, from, none, first)), k.keep(k.shuffle(2, from, none, second))], how)
      step(all, [0, 2, 4, 4], [1, 3, 4, 4], 64)
      const halves = k.keep(() => e.q(Rd))
      step(halves, [0, 4, 4, 4], [1, 4, 4, 4], 32)
      k.done()
    },
    text: (word, mnemonic) => `${mnemonic} s${bitsOf(word, Rd)}, v${bitsOf(word, Rn)}.4s`,
    encodings: [encoding],
  })
}

const absolute: Options = {
  prepare: (k, size, a, b) => [magnitude(k, size, a), magnitude(k, size, b)],
}
const subtract: Options = { accumulate: true, prepare: (k, size, a, b) => [flipped(k, size, a), b] }
const accumulate: Options = { accumulate: true }

export const rows: readonly Row[] = [
  same(maxnm, [['FMAXNM_asimdsame_only', '0x0011100x1xxxxx110001xxxxxxxxxx']]),
  same(muladd, [['FMLA_asimdsame_only', '0x0011100x1xxxxx110011xxxxxxxxxx']], accumulate),
  same(add, [['FADD_asimdsame_only', '0x0011100x1xxxxx110101xxxxxxxxxx']]),
  same(mulx, [
    ['FMULX_asimdsame_only', '0x0011100x1xxxxx110111xxxxxxxxxx'],
    ['FMULX_asisdsame_only', '010111100x1xxxxx110111xxxxxxxxxx'],
  ]),
  same(cmeq, [
    ['FCMEQ_asimdsame_only', '0x0011100x1xxxxx111001xxxxxxxxxx'],
    ['FCMEQ_asisdsame_only', '010111100x1xxxxx111001xxxxxxxxxx'],
  ]),
  same(max, [['FMAX_asimdsame_only', '0x0011100x1xxxxx111101xxxxxxxxxx']]),
  same(recps, [
    ['FRECPS_asimdsame_only', '0x0011100x1xxxxx111111xxxxxxxxxx'],
    ['FRECPS_asisdsame_only', '010111100x1xxxxx111111xxxxxxxxxx'],
  ]),
  same(minnm, [['FMINNM_asimdsame_only', '0x0011101x1xxxxx110001xxxxxxxxxx']]),
  same(muladd, [['FMLS_asimdsame_only', '0x0011101x1xxxxx110011xxxxxxxxxx']], subtract),
  same(sub, [['FSUB_asimdsame_only', '0x0011101x1xxxxx110101xxxxxxxxxx']]),
  same(min, [['FMIN_asimdsame_only', '0x0011101x1xxxxx111101xxxxxxxxxx']]),
  same(rsqrts, [
    ['FRSQRTS_asimdsame_only', '0x0011101x1xxxxx111111xxxxxxxxxx'],
    ['FRSQRTS_asisdsame_only', '010111101x1xxxxx111111xxxxxxxxxx'],
  ]),
  same(mul, [['FMUL_asimdsame_only', '0x1011100x1xxxxx110111xxxxxxxxxx']]),
  same(cmge, [
    ['FCMGE_asimdsame_only', '0x1011100x1xxxxx111001xxxxxxxxxx'],
    ['FCMGE_asisdsame_only', '011111100x1xxxxx111001xxxxxxxxxx'],
  ]),
  same(
    cmge,
    [
      ['FACGE_asimdsame_only', '0x1011100x1xxxxx111011xxxxxxxxxx'],
      ['FACGE_asisdsame_only', '011111100x1xxxxx111011xxxxxxxxxx'],
    ],
    absolute,
  ),
  same(div, [['FDIV_asimdsame_only', '0x1011100x1xxxxx111111xxxxxxxxxx']]),
  same(abd, [
    ['FABD_asimdsame_only', '0x1011101x1xxxxx110101xxxxxxxxxx'],
    ['FABD_asisdsame_only', '011111101x1xxxxx110101xxxxxxxxxx'],
  ]),
  same(cmgt, [
    ['FCMGT_asimdsame_only', '0x1011101x1xxxxx111001xxxxxxxxxx'],
    ['FCMGT_asisdsame_only', '011111101x1xxxxx111001xxxxxxxxxx'],
  ]),
  same(
    cmgt,
    [
      ['FACGT_asimdsame_only', '0x1011101x1xxxxx111011xxxxxxxxxx'],
      ['FACGT_asisdsame_only', '011111101x1xxxxx111011xxxxxxxxxx'],
    ],
    absolute,
  ),
  pairwise(maxnm, ['FMAXNMP_asimdsame_only', '0x1011100x1xxxxx110001xxxxxxxxxx']),
  pairwise(add, ['FADDP_asimdsame_only', '0x1011100x1xxxxx110101xxxxxxxxxx']),
  pairwise(max, ['FMAXP_asimdsame_only', '0x1011100x1xxxxx111101xxxxxxxxxx']),
  pairwise(minnm, ['FMINNMP_asimdsame_only', '0x1011101x1xxxxx110001xxxxxxxxxx']),
  pairwise(min, ['FMINP_asimdsame_only', '0x1011101x1xxxxx111101xxxxxxxxxx']),
  scalarPair(maxnm, ['FMAXNMP_asisdpair_only_SD', '011111100x110000110010xxxxxxxxxx']),
  scalarPair(add, ['FADDP_asisdpair_only_SD', '011111100x110000110110xxxxxxxxxx']),
  scalarPair(max, ['FMAXP_asisdpair_only_SD', '011111100x110000111110xxxxxxxxxx']),
  scalarPair(minnm, ['FMINNMP_asisdpair_only_SD', '011111101x110000110010xxxxxxxxxx']),
  scalarPair(min, ['FMINP_asisdpair_only_SD', '011111101x110000111110xxxxxxxxxx']),
  across(maxnm, ['FMAXNMV_asimdall_only_SD', '0110111000110000110010xxxxxxxxxx']),
  across(max, ['FMAXV_asimdall_only_SD', '0110111000110000111110xxxxxxxxxx']),
  across(minnm, ['FMINNMV_asimdall_only_SD', '0110111010110000110010xxxxxxxxxx']),
  across(min, ['FMINV_asimdall_only_SD', '0110111010110000111110xxxxxxxxxx']),
  byElement(
    muladd,
    [
      ['FMLA_asimdelem_R_SD', '0x0011111xxxxxxx0001x0xxxxxxxxxx'],
      ['FMLA_asisdelem_R_SD', '010111111xxxxxxx0001x0xxxxxxxxxx'],
    ],
    accumulate,
  ),
  byElement(
    muladd,
    [
      ['FMLS_asimdelem_R_SD', '0x0011111xxxxxxx0101x0xxxxxxxxxx'],
      ['FMLS_asisdelem_R_SD', '010111111xxxxxxx0101x0xxxxxxxxxx'],
    ],
    subtract,
  ),
  byElement(mul, [
    ['FMUL_asimdelem_R_SD', '0x0011111xxxxxxx1001x0xxxxxxxxxx'],
    ['FMUL_asisdelem_R_SD', '010111111xxxxxxx1001x0xxxxxxxxxx'],
  ]),
  byElement(mulx, [
    ['FMULX_asimdelem_R_SD', '0x1011111xxxxxxx1001x0xxxxxxxxxx'],
    ['FMULX_asisdelem_R_SD', '011111111xxxxxxx1001x0xxxxxxxxxx'],
  ]),
].flat()
