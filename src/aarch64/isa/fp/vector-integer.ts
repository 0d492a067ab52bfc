/**
 * Advanced SIMD conversions between floating point and integers or fixed point in the same register, vector and scalar (DDI 0487,
 * C6 FCVTNS..FCVTAU, SCVTF, UCVTF "(vector, integer)" and "(vector, fixed-point)").
 */

import { f64, i32, i64, lane, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Lanes, readV, type Width } from '../simd/lanes.ts'
import { fpSizeOf, fpText2, noFp1D, operand, Q, Rd, Rn, SZ, widthOf } from '../simd/shape.ts'
import { Rounding } from './environment.ts'
import { argumentShift, exactCode, fixedArgument } from './exact.ts'
import { exactResult, type FpSize, inexactIsKnown, roundsNatively } from './fast.ts'
import { emitFloat, type Instruction, lanesOf, orderedLanes } from './vector.ts'

type Encoding = readonly [name: string, pattern: string]

/** Opcodes on four words, by signedness: 0 signed, 1 unsigned. */
const truncateWords = [0xfdf8, 0xfdf9] as const
const convertWords = [0xfdfa, 0xfdfb] as const
const truncateLong = [i64.trunc_sat_f64_s, i64.trunc_sat_f64_u] as const
const convertLong = [f64.convert_i64_s, f64.convert_i64_u] as const

/** Applies a scalar opcode to both doublewords. */
function doublewords(k: Lanes, v: Push, extract: number, opcode: number, replace: number): Push {
  return () => {
    const { code } = k.e
    code.v128([])
    for (let i = 0; i < 2; i++) {
      v()
      code.lane(extract, i).op(opcode).lane(replace, i)
    }
  }
}

/** The bits of a power of two, or of minus one, as a constant of every lane. */
function power(k: Lanes, size: FpSize, exponent: number, negative = false): Push {
  const biased = size === 3 ? BigInt(1023 + exponent) << 52n : BigInt(127 + exponent) << 23n
  return k.constant(size, negative ? biased | (1n << BigInt((8 << size) - 1)) : biased)
}

const roundLanes = {
  [Rounding.TIEEVEN]: lanesOf.nearest,
  [Rounding.POSINF]: lanesOf.ceil,
  [Rounding.NEGINF]: lanesOf.floor,
  [Rounding.ZERO]: lanesOf.trunc,
} as const

function toInteger(rounding: Rounding, unsigned: boolean): Instruction {
  const how = { operation: 'toFixed', argument: fixedArgument(rounding, unsigned) } as const
  if (rounding === Rounding.TIEAWAY || rounding === Rounding.ODD) return how
  const u = unsigned ? 1 : 0
  const integral = (k: Lanes, size: FpSize, a: Push): Push => k.op(roundLanes[rounding][size], a)
  return {
    ...how,
    native: (k, size, [a]) => {
      const r = k.keep(integral(k, size, a!))
      if (size === 2) return k.op(truncateWords[u], r)
      return doublewords(k, r, lane.f64x2_extract, truncateLong[u], lane.i64x2_replace)
    },
    trust: {
      // In range, and a NaN is in no range.
      lanes: (k, size, [a]) => {
        const r = k.keep(integral(k, size, a!))
        const bits = (8 << size) - 1 + u
        const least = unsigned ? k.zero() : power(k, size, bits, true)
        return k.op(v128.and, k.op(lanesOf.ge[size], r, least), k.op(lanesOf.lt[size], r, power(k, size, bits)))
      },
      state: inexactIsKnown,
    },
  }
}

function fromInteger(unsigned: boolean): Instruction {
  const u = unsigned ? 1 : 0
  return {
    operation: 'fromFixed',
    argument: fixedArgument(undefined, unsigned),
    native: (k, size, [a]) =>
      size === 2
        ? k.op(convertWords[u], a!)
        : doublewords(k, a!, lane.i64x2_extract, convertLong[u], lane.f64x2_replace),
    // Every integer converts to an ordinary number or zero.
    trust: { lanes: (k, size, _operands, r) => orderedLanes(k, size, r), state: roundsNatively, integers: true },
  }
}

function integer(name: string, u: 0 | 1, o2: 0 | 1, opcode: string, how: Instruction) {
  return group({
    fields: 'Q:30 U:29 sz:22 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q, SZ],
    unallocated: [noFp1D],
    emit: (e: Emitter) => {
      const k = new Lanes(e)
      const size = fpSizeOf(e)
      const width = widthOf(e, size)
      emitFloat(k, size, width, [k.keep(() => readV(e, Rn, width))], how)
      k.done()
    },
    text: fpText2,
    encodings: [
      [`${name}_asimdmisc_R`, `0x${u}01110${o2}x10000${opcode}10xxxxxxxxxx`],
      [`${name}_asisdmisc_R`, `01${u}11110${o2}x10000${opcode}10xxxxxxxxxx`],
    ],
  })
}

const IMMH: Field = [22, 19]
const IMM: Field = [22, 16]
/** immh below 4 is a byte, or a half-precision form (FEAT_FP16); 1D is no vector. */
const noSmall = 'xxxxxxxxx00xxxxxxxxxxxxxxxxxxxxx'

function fixedPoint(
  operation: 'toFixed' | 'fromFixed',
  rounding: Rounding | undefined,
  unsigned: boolean,
  encodings: readonly Encoding[],
) {
  return group({
    fields: 'Q:30 U:29 immh:22-19 immb:18-16 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q, SZ],
    unallocated: [noSmall, noFp1D],
    emit: (e) => {
      const size = fpSizeOf(e)
      const width: Width = widthOf(e, size)
      const shape = { from: size, to: size, lanes: width / (8 << size) } as const
      const base = exactCode(operation, shape, fixedArgument(rounding, unsigned))
      // fbits is 2 * esize - immh:immb.
      const code = () => {
        e.code.i32(16 << size)
        e.bits(IMM)
        e.code
          .op(i32.sub)
          .i32(argumentShift + 4)
          .op(i32.shl)
          .i32(base)
          .op(i32.or)
      }
      e.setQ(Rd, () => exactResult(e, code, [() => readV(e, Rn, width)]))
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, IMMH) & 8 ? 3 : 2
      return `${mnemonic} ${operand(word, Rd, size)}, ${operand(word, Rn, size)}, #${(16 << size) - bitsOf(word, IMM)}`
    },
    encodings,
  })
}

export const rows: readonly Row[] = [
  integer('FCVTNS', 0, 0, '11010', toInteger(Rounding.TIEEVEN, false)),
  integer('FCVTNU', 1, 0, '11010', toInteger(Rounding.TIEEVEN, true)),
  integer('FCVTMS', 0, 0, '11011', toInteger(Rounding.NEGINF, false)),
  integer('FCVTMU', 1, 0, '11011', toInteger(Rounding.NEGINF, true)),
  integer('FCVTAS', 0, 0, '11100', toInteger(Rounding.TIEAWAY, false)),
  integer('FCVTAU', 1, 0, '11100', toInteger(Rounding.TIEAWAY, true)),
  integer('FCVTPS', 0, 1, '11010', toInteger(Rounding.POSINF, false)),
  integer('FCVTPU', 1, 1, '11010', toInteger(Rounding.POSINF, true)),
  integer('FCVTZS', 0, 1, '11011', toInteger(Rounding.ZERO, false)),
  integer('FCVTZU', 1, 1, '11011', toInteger(Rounding.ZERO, true)),
  integer('SCVTF', 0, 0, '11101', fromInteger(false)),
  integer('UCVTF', 1, 0, '11101', fromInteger(true)),
  fixedPoint('toFixed', Rounding.ZERO, false, [
    ['FCVTZS_asimdshf_C', '0x0011110xxxxxxx111111xxxxxxxxxx'],
    ['FCVTZS_asisdshf_C', '010111110xxxxxxx111111xxxxxxxxxx'],
  ]),
  fixedPoint('toFixed', Rounding.ZERO, true, [
    ['FCVTZU_asimdshf_C', '0x1011110xxxxxxx111111xxxxxxxxxx'],
    ['FCVTZU_asisdshf_C', '011111110xxxxxxx111111xxxxxxxxxx'],
  ]),
  fixedPoint('fromFixed', undefined, false, [
    ['SCVTF_asimdshf_C', '0x0011110xxxxxxx111001xxxxxxxxxx'],
    ['SCVTF_asisdshf_C', '010111110xxxxxxx111001xxxxxxxxxx'],
  ]),
  fixedPoint('fromFixed', undefined, true, [
    ['UCVTF_asimdshf_C', '0x1011110xxxxxxx111001xxxxxxxxxx'],
    ['UCVTF_asisdshf_C', '011111110xxxxxxx111001xxxxxxxxxx'],
  ]),
].flat()
