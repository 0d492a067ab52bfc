/**
 * Scalar conversions between floating point and integers or fixed point in general registers, and FMOV between the register files
 * and from an immediate (DDI 0487, C4.1 "Conversion between floating-point and integer", "... and fixed-point", "Floating-point immediate").
 */

import { f32, f64, i32, i64, i64x2, lane } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { expandFloat, floatImmediate } from '../simd/immediate.ts'
import { readV } from '../simd/lanes.ts'
import { x } from '../text.ts'
import { Rounding } from './environment.ts'
import { argumentShift, exactCode, fixedArgument } from './exact.ts'
import {
  exactResult,
  flushIsHarmless,
  inexactIsKnown,
  native,
  readFloat,
  roundsNatively,
  typeOf,
  writeFloat,
} from './fast.ts'
import { floatName, Rd, Rn, sizeOf } from './scalar.ts'
import { rounded } from './scalar-round.ts'

const SF: Field = [31, 31]
const SCALE: Field = [15, 10]
const IMM8: Field = [20, 13]

const truncate = {
  2: { i32: [i32.trunc_sat_f32_s, i32.trunc_sat_f32_u], i64: [i64.trunc_sat_f32_s, i64.trunc_sat_f32_u] },
  3: { i32: [i32.trunc_sat_f64_s, i32.trunc_sat_f64_u], i64: [i64.trunc_sat_f64_s, i64.trunc_sat_f64_u] },
} as const

/** Writes the low doubleword or word of the v128 pushed to Xd or Wd. */
function setFromLane(e: Emitter, wide: boolean, push: () => void): void {
  e.setR(Rd, wide, () => {
    push()
    e.code.lane(wide ? lane.i64x2_extract : lane.i32x4_extract, 0)
  })
}

function toInteger(rounding: Rounding, unsigned: boolean) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const wide = e.fixed(SF) === 1
    const f = native[size]
    const [a, r] = [code.local(typeOf[size]), code.local(typeOf[size])]
    const push = (value: number) => (size === 3 ? code.f64(value) : code.f32(value))
    readFloat(e, Rn, size)
    code.set(a)
    rounded(e, size, a, rounding)
    code.tee(r)
    // In range (a NaN is not), exact or nothing new if not, and no flushing.
    push(unsigned ? 0 : -(2 ** (wide ? 63 : 31)))
    code.op(f.ge).get(r)
    push(2 ** ((wide ? 63 : 31) + (unsigned ? 1 : 0)))
    code.op(f.lt, i32.and)
    code.get(a).get(r).op(f.eq)
    inexactIsKnown(e)
    code.op(i32.or, i32.and)
    flushIsHarmless(e, size, [() => code.get(a)])
    code.op(i32.and).if()
    e.setR(Rd, wide, () => code.get(r).op(truncate[size][wide ? 'i64' : 'i32'][unsigned ? 1 : 0]))
    code.else()
    const shape = { from: size, to: wide ? 3 : 2, lanes: 1 } as const
    setFromLane(e, wide, () =>
      exactResult(e, () => code.i32(exactCode('toFixed', shape, fixedArgument(rounding, unsigned))), [
        () => readV(e, Rn, size === 3 ? 64 : 32),
      ]),
    )
    code.end()
    code.release(a, r)
  }
}

const convert = {
  2: { i32: [f32.convert_i32_s, f32.convert_i32_u], i64: [f32.convert_i64_s, f32.convert_i64_u] },
  3: { i32: [f64.convert_i32_s, f64.convert_i32_u], i64: [f64.convert_i64_s, f64.convert_i64_u] },
} as const

/** Pushes the integer operand in lane 0 of a v128. */
function integerLane(e: Emitter, wide: boolean): void {
  e.r(Rn, wide)
  if (!wide) e.code.op(i64.extend_i32_u)
  e.code.op(i64x2.splat)
}

function fromInteger(unsigned: boolean) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const wide = e.fixed(SF) === 1
    const opcode = convert[size][wide ? 'i64' : 'i32'][unsigned ? 1 : 0]
    const fast = () =>
      writeFloat(e, Rd, size, () => {
        e.r(Rn, wide)
        code.op(opcode)
      })
    if (size === 3 && !wide) {
      fast()
      return
    }
    // Integers that fit the significand are exact in any mode.
    const limit = size === 3 ? 2 ** 53 : 2 ** 24
    e.r(Rn, wide)
    if (wide)
      code
        .i64(unsigned ? 0 : limit)
        .op(i64.add)
        .i64(unsigned ? limit : 2 * limit)
        .op(i64.lt_u)
    else
      code
        .i32(unsigned ? 0 : limit)
        .op(i32.add)
        .i32(unsigned ? limit : 2 * limit)
        .op(i32.lt_u)
    roundsNatively(e)
    code.op(i32.or).if()
    fast()
    code.else()
    const shape = { from: wide ? 3 : 2, to: size, lanes: 1 } as const
    e.setQ(Rd, () =>
      exactResult(e, () => code.i32(exactCode('fromFixed', shape, fixedArgument(undefined, unsigned))), [
        () => integerLane(e, wide),
      ]),
    )
    code.end()
  }
}

/** Pushes the code of a fixed-point operation: 64 - scale fraction bits go into its argument. */
function fixedCode(e: Emitter, base: number): void {
  e.code.i32(64)
  e.bits(SCALE)
  e.code
    .op(i32.sub)
    .i32(argumentShift + 4)
    .op(i32.shl)
    .i32(base)
    .op(i32.or)
}

function toFixedPoint(unsigned: boolean) {
  return (e: Emitter): void => {
    const size = sizeOf(e)
    const wide = e.fixed(SF) === 1
    const shape = { from: size, to: wide ? 3 : 2, lanes: 1 } as const
    const base = exactCode('toFixed', shape, fixedArgument(Rounding.ZERO, unsigned))
    setFromLane(e, wide, () => exactResult(e, () => fixedCode(e, base), [() => readV(e, Rn, size === 3 ? 64 : 32)]))
  }
}

function fromFixedPoint(unsigned: boolean) {
  return (e: Emitter): void => {
    const size = sizeOf(e)
    const wide = e.fixed(SF) === 1
    const shape = { from: wide ? 3 : 2, to: size, lanes: 1 } as const
    const base = exactCode('fromFixed', shape, fixedArgument(undefined, unsigned))
    e.setQ(Rd, () => exactResult(e, () => fixedCode(e, base), [() => integerLane(e, wide)]))
  }
}

const toGeneral = (word: number, mnemonic: string): string =>
  `${mnemonic} ${x(word, Rd, bitsOf(word, SF))}, ${floatName(word, Rn)}`
const fromGeneral = (word: number, mnemonic: string): string =>
  `${mnemonic} ${floatName(word, Rd)}, ${x(word, Rn, bitsOf(word, SF))}`
const fbits = (word: number): string => `, #${64 - bitsOf(word, SCALE)}`

/** The four combinations of integer and float width. Arm puts the destination's letter first. */
function four(name: string, op: string, floatFirst: boolean, suffix: string, tail: string) {
  return (['0', '1'] as const).flatMap((sf) =>
    (['0', '1'] as const).map((type) => {
      const [integer, float] = [sf === '1' ? '64' : '32', type === '1' ? 'D' : 'S']
      const pair = floatFirst ? `${float}${integer}` : `${integer}${float}`
      return [`${name}_${pair}_${suffix}`, `${sf}00111100${type}${op}${tail}`] as const
    }),
  )
}

const integerFields = 'sf:31 ftype:23-22 rmode:20-19 opcode:18-16 Rn:9-5 Rd:4-0'

const integerOf = (name: string, rmodeOpcode: string, rounding: Rounding, unsigned: boolean) =>
  group({
    fields: integerFields,
    fp: true,
    emit: toInteger(rounding, unsigned),
    text: toGeneral,
    encodings: four(name, `1${rmodeOpcode}`, false, 'float2int', '000000xxxxxxxxxx'),
  })

const fixedFields = 'sf:31 ftype:23-22 rmode:20-19 opcode:18-16 scale:15-10 Rn:9-5 Rd:4-0'
/** A 32-bit register holds at most 32 fraction bits: scale<5> must be set. */
const noLongFraction = '0xxxxxxxxxxxxxxx0xxxxxxxxxxxxxxx'

const fixed = (name: string, rmodeOpcode: string, floatFirst: boolean, emit: (e: Emitter) => void) =>
  group({
    fields: fixedFields,
    fp: true,
    unallocated: [noLongFraction],
    emit,
    text: (word, mnemonic) => (floatFirst ? fromGeneral : toGeneral)(word, mnemonic) + fbits(word),
    encodings: four(name, `0${rmodeOpcode}`, floatFirst, 'float2fix', 'xxxxxxxxxxxxxxxx'),
  })

const fromIntegerOf = (name: string, opcode: string, unsigned: boolean) =>
  group({
    fields: integerFields,
    fp: true,
    emit: fromInteger(unsigned),
    text: fromGeneral,
    encodings: four(name, `1${opcode}`, true, 'float2int', '000000xxxxxxxxxx'),
  })

const move = (name: string, pattern: string, emit: (e: Emitter) => void, text: (word: number) => string) =>
  group({
    fields: integerFields,
    fp: true,
    emit,
    text: (word, m) => `${m} ${text(word)}`,
    encodings: [[name, pattern]],
  })

const wide = (word: number, field: Field) => x(word, field, bitsOf(word, SF))

const moves = [
  move(
    'FMOV_32S_float2int',
    '0001111000100110000000xxxxxxxxxx',
    (e) => e.setW(Rd, () => e.lane(Rn, i32.load)),
    (word) => `${wide(word, Rd)}, ${floatName(word, Rn)}`,
  ),
  move(
    'FMOV_S32_float2int',
    '0001111000100111000000xxxxxxxxxx',
    (e) => e.setS(Rd, () => e.w(Rn)),
    (word) => `${floatName(word, Rd)}, ${wide(word, Rn)}`,
  ),
  move(
    'FMOV_64D_float2int',
    '1001111001100110000000xxxxxxxxxx',
    (e) => e.setX(Rd, () => e.lane(Rn, i64.load)),
    (word) => `${wide(word, Rd)}, ${floatName(word, Rn)}`,
  ),
  move(
    'FMOV_D64_float2int',
    '1001111001100111000000xxxxxxxxxx',
    (e) => e.setD(Rd, () => e.x(Rn)),
    (word) => `${floatName(word, Rd)}, ${wide(word, Rn)}`,
  ),
  move(
    'FMOV_64VX_float2int',
    '1001111010101110000000xxxxxxxxxx',
    (e) => e.setX(Rd, () => e.lane(Rn, i64.load, 8)),
    (word) => `${wide(word, Rd)}, v${bitsOf(word, Rn)}.d[1]`,
  ),
  move(
    'FMOV_V64I_float2int',
    '1001111010101111000000xxxxxxxxxx',
    (e) => e.setLane(Rd, i64.store, 8, () => e.x(Rn)),
    (word) => `v${bitsOf(word, Rd)}.d[1], ${wide(word, Rn)}`,
  ),
]

const immediate = group({
  fields: 'ftype:23-22 imm8:20-13 Rd:4-0',
  fp: true,
  emit: (e) => {
    const double = sizeOf(e) === 3
    const value = () => expandFloat(e, () => e.bits(IMM8), double)
    if (double) e.setD(Rd, value)
    else e.setS(Rd, value)
  },
  text: (word, mnemonic) => `${mnemonic} ${floatName(word, Rd)}, #${floatImmediate(bitsOf(word, IMM8)).toFixed(8)}`,
  encodings: [
    ['FMOV_S_floatimm', '00011110001xxxxxxxx10000000xxxxx'],
    ['FMOV_D_floatimm', '00011110011xxxxxxxx10000000xxxxx'],
  ],
})

export const rows: readonly Row[] = [
  integerOf('FCVTNS', '00000', Rounding.TIEEVEN, false),
  integerOf('FCVTNU', '00001', Rounding.TIEEVEN, true),
  integerOf('FCVTPS', '01000', Rounding.POSINF, false),
  integerOf('FCVTPU', '01001', Rounding.POSINF, true),
  integerOf('FCVTMS', '10000', Rounding.NEGINF, false),
  integerOf('FCVTMU', '10001', Rounding.NEGINF, true),
  integerOf('FCVTZS', '11000', Rounding.ZERO, false),
  integerOf('FCVTZU', '11001', Rounding.ZERO, true),
  integerOf('FCVTAS', '00100', Rounding.TIEAWAY, false),
  integerOf('FCVTAU', '00101', Rounding.TIEAWAY, true),
  fromIntegerOf('SCVTF', '00010', false),
  fromIntegerOf('UCVTF', '00011', true),
  fixed('FCVTZS', '11000', false, toFixedPoint(false)),
  fixed('FCVTZU', '11001', false, toFixedPoint(true)),
  fixed('SCVTF', '00010', true, fromFixedPoint(false)),
  fixed('UCVTF', '00011', true, fromFixedPoint(true)),
  moves.flat(),
  immediate,
].flat()
