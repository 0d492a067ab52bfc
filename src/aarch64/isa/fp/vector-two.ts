/**
 * Advanced SIMD two-register miscellaneous, floating point, vector and scalar (DDI 0487, C4.1 "Advanced SIMD two-register
 * miscellaneous", "Advanced SIMD scalar two-register miscellaneous"): signs, roots, estimates, comparisons with zero, rounding,
 * conversion between formats. Integer conversions are in vector-integer.ts.
 */
import type { Emitter, Push } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Lanes, readV, writeV } from '../simd/lanes.ts'
import { fpSizeOf, fpText2, isScalar, noFp1D, operand, Q, Rd, Rn, SCALAR, SZ, widthOf } from '../simd/shape.ts'
import { Rounding } from './environment.ts'
import { exactCode, type OperationName, roundingArgument } from './exact.ts'
import { exactResult, type FpSize, roundsNatively, roundsToNearest } from './fast.ts'
import { emitFloat, type Instruction, lanesOf, orderedLanes, trust } from './vector.ts'

const fields = 'Q:30 U:29 sz:22 Rn:9-5 Rd:4-0'
type Encoding = readonly [name: string, pattern: string]

function emit(how: Instruction, prepare?: (k: Lanes, size: FpSize, a: Push) => readonly Push[]) {
  return (e: Emitter): void => {
    const k = new Lanes(e)
    const size = fpSizeOf(e)
    const width = widthOf(e, size)
    const a = k.keep(() => readV(e, Rn, width))
    emitFloat(k, size, width, prepare ? prepare(k, size, a).map((v) => k.keep(v)) : [a], how)
    k.done()
  }
}

function unary(how: Instruction, encodings: readonly Encoding[], unallocated: readonly string[] = [noFp1D]) {
  return group({ fields, fp: true, split: [Q, SZ], unallocated, emit: emit(how), text: fpText2, encodings })
}

/** Sign bits alone: no flags, NaNs like any other. */
function signs(opcodes: { readonly 2: number; readonly 3: number }, encoding: Encoding) {
  return group({
    fields,
    fp: true,
    split: [Q, SZ],
    unallocated: [noFp1D],
    emit: (e) => {
      const k = new Lanes(e)
      const size = fpSizeOf(e)
      const width = widthOf(e, size)
      writeV(
        e,
        Rd,
        width,
        k.op(opcodes[size], () => readV(e, Rn, width)),
      )
      k.done()
    },
    text: fpText2,
    encodings: [encoding],
  })
}

/** Comparisons with zero; `swap` puts the zero first, for less-than. */
function compareZero(
  operation: OperationName,
  opcodes: { readonly 2: number; readonly 3: number },
  swap: boolean,
  encodings: readonly Encoding[],
) {
  const how: Instruction = {
    operation,
    trust: trust.order,
    native: (k, size, operands) => k.op(opcodes[size], ...operands.slice(0, 2)),
  }
  return group({
    fields,
    fp: true,
    split: [Q, SZ],
    unallocated: [noFp1D],
    emit: emit(how, (k, _size, a) => (swap ? [k.zero(), a] : [a, k.zero()])),
    text: (word, mnemonic) => `${fpText2(word, mnemonic)}, #0.0`,
    encodings,
  })
}

/** To integral values. FPCR's rounding mode if none is given; `exact` raises Inexact. */
function round(rounding: Rounding | undefined, exact: boolean, encoding: Encoding) {
  const opcodes = {
    [Rounding.TIEEVEN]: lanesOf.nearest,
    [Rounding.POSINF]: lanesOf.ceil,
    [Rounding.NEGINF]: lanesOf.floor,
    [Rounding.ZERO]: lanesOf.trunc,
  } as const
  const argument = roundingArgument(rounding, exact)
  const mode = rounding ?? Rounding.TIEEVEN
  if (mode > Rounding.ZERO) return unary({ operation: 'rint', argument }, [encoding])
  return unary(
    {
      operation: 'rint',
      argument,
      native: (k, size, [a]) => k.op(opcodes[mode as 0 | 1 | 2 | 3][size], a!),
      trust: {
        lanes: (k, size, [a]) => orderedLanes(k, size, a!),
        ...(rounding === undefined ? { state: exact ? roundsNatively : roundsToNearest } : {}),
      },
    },
    [encoding],
  )
}

/** An exact operation that keeps the element size; nothing else is known of it. */
const exactOnly = (
  operation: OperationName,
  encodings: readonly Encoding[],
  argument = 0,
  unallocated?: readonly string[],
) => unary({ operation, argument }, encodings, unallocated)

/** The vector and the scalar form. */
const both = (name: string, u: 0 | 1, o2: 0 | 1, opcode: string): readonly Encoding[] => [
  [`${name}_asimdmisc_R`, `0x${u}01110${o2}x10000${opcode}10xxxxxxxxxx`],
  [`${name}_asisdmisc_R`, `01${u}11110${o2}x10000${opcode}10xxxxxxxxxx`],
]

// --- conversions that change the element size ------------------------------------------------------------------------

/** From the lower or (with Q) the upper half of Vn to elements twice as wide; sz gives half to single or single to double. */
const lengthen = group({
  fields,
  fp: true,
  split: [Q, SZ],
  emit: (e) => {
    const from = e.fixed(SZ) ? 2 : 1
    const k = new Lanes(e)
    const shape = { from, to: (from + 1) as 2 | 3, lanes: 8 >> from } as const
    const source = k.keep(() => e.q(Rn))
    const half = e.fixed(Q) ? k.shuffle(3, source, source, [1, 0]) : source
    e.setQ(Rd, () => exactResult(e, () => e.code.i32(exactCode('convert', shape, roundingArgument(undefined))), [half]))
    k.done()
  },
  text: (word, mnemonic) => {
    const from = 1 + bitsOf(word, SZ)
    const two = bitsOf(word, Q) ? '2' : ''
    return `${mnemonic}${two} ${operand(word, Rd, from + 1, 1)}, ${operand(word, Rn, from)}`
  },
  encodings: [['FCVTL_asimdmisc_L', '0x0011100x100001011110xxxxxxxxxx']],
})

/** To elements half as wide in the lower half of Vd, clearing the upper; with Q into the upper half, keeping the lower. */
function narrow(rounding: Rounding | undefined, encodings: readonly Encoding[]) {
  return group({
    fields,
    fp: true,
    split: [Q, SZ],
    emit: (e) => {
      const to = e.fixed(SZ) ? 2 : 1
      const k = new Lanes(e)
      const scalar = isScalar(e)
      const shape = { from: (to + 1) as 2 | 3, to, lanes: scalar ? 1 : 8 >> to } as const
      const result = k.keep(() =>
        exactResult(e, () => e.code.i32(exactCode('convert', shape, roundingArgument(rounding))), [() => e.q(Rn)]),
      )
      if (!scalar && e.fixed(Q))
        e.setQ(
          Rd,
          k.shuffle(3, () => e.q(Rd), result, [0, 2]),
        )
      else e.setQ(Rd, result)
      k.done()
    },
    text: (word, mnemonic) => {
      const to = 1 + bitsOf(word, SZ)
      const two = !bitsOf(word, SCALAR) && bitsOf(word, Q) ? '2' : ''
      return `${mnemonic}${two} ${operand(word, Rd, to)}, ${operand(word, Rn, to + 1, 1)}`
    },
    encodings,
  })
}

const noDouble = 'xxxxxxxxx1xxxxxxxxxxxxxxxxxxxxxx'

export const rows: readonly Row[] = [
  signs(lanesOf.abs, ['FABS_asimdmisc_R', '0x0011101x100000111110xxxxxxxxxx']),
  signs(lanesOf.neg, ['FNEG_asimdmisc_R', '0x1011101x100000111110xxxxxxxxxx']),
  unary({ operation: 'sqrt', trust: trust.sum, native: (k, size, [a]) => k.op(lanesOf.sqrt[size], a!) }, [
    ['FSQRT_asimdmisc_R', '0x1011101x100001111110xxxxxxxxxx'],
  ]),
  compareZero('cmgt', lanesOf.gt, false, [
    ['FCMGT_asimdmisc_FZ', '0x0011101x100000110010xxxxxxxxxx'],
    ['FCMGT_asisdmisc_FZ', '010111101x100000110010xxxxxxxxxx'],
  ]),
  compareZero('cmge', lanesOf.ge, false, [
    ['FCMGE_asimdmisc_FZ', '0x1011101x100000110010xxxxxxxxxx'],
    ['FCMGE_asisdmisc_FZ', '011111101x100000110010xxxxxxxxxx'],
  ]),
  compareZero('cmeq', lanesOf.eq, false, [
    ['FCMEQ_asimdmisc_FZ', '0x0011101x100000110110xxxxxxxxxx'],
    ['FCMEQ_asisdmisc_FZ', '010111101x100000110110xxxxxxxxxx'],
  ]),
  compareZero('cmge', lanesOf.ge, true, [
    ['FCMLE_asimdmisc_FZ', '0x1011101x100000110110xxxxxxxxxx'],
    ['FCMLE_asisdmisc_FZ', '011111101x100000110110xxxxxxxxxx'],
  ]),
  compareZero('cmgt', lanesOf.gt, true, [
    ['FCMLT_asimdmisc_FZ', '0x0011101x100000111010xxxxxxxxxx'],
    ['FCMLT_asisdmisc_FZ', '010111101x100000111010xxxxxxxxxx'],
  ]),
  round(Rounding.TIEEVEN, false, ['FRINTN_asimdmisc_R', '0x0011100x100001100010xxxxxxxxxx']),
  round(Rounding.NEGINF, false, ['FRINTM_asimdmisc_R', '0x0011100x100001100110xxxxxxxxxx']),
  round(Rounding.POSINF, false, ['FRINTP_asimdmisc_R', '0x0011101x100001100010xxxxxxxxxx']),
  round(Rounding.ZERO, false, ['FRINTZ_asimdmisc_R', '0x0011101x100001100110xxxxxxxxxx']),
  round(Rounding.TIEAWAY, false, ['FRINTA_asimdmisc_R', '0x1011100x100001100010xxxxxxxxxx']),
  round(undefined, true, ['FRINTX_asimdmisc_R', '0x1011100x100001100110xxxxxxxxxx']),
  round(undefined, false, ['FRINTI_asimdmisc_R', '0x1011101x100001100110xxxxxxxxxx']),
  exactOnly('recpe', both('FRECPE', 0, 1, '11101')),
  exactOnly('rsqrte', both('FRSQRTE', 1, 1, '11101')),
  exactOnly('recpx', [['FRECPX_asisdmisc_R', '010111101x100001111110xxxxxxxxxx']]),
  exactOnly('urecpe', [['URECPE_asimdmisc_R', '0x0011101x100001110010xxxxxxxxxx']], 0, [noDouble]),
  exactOnly('ursqrte', [['URSQRTE_asimdmisc_R', '0x1011101x100001110010xxxxxxxxxx']], 0, [noDouble]),
  lengthen,
  narrow(undefined, [['FCVTN_asimdmisc_N', '0x0011100x100001011010xxxxxxxxxx']]),
  narrow(Rounding.ODD, [
    ['FCVTXN_asimdmisc_N', '0x10111001100001011010xxxxxxxxxx'],
    ['FCVTXN_asisdmisc_N', '0111111001100001011010xxxxxxxxxx'],
  ]),
].flat()
