/**
 * Scalar floating-point compare, conditional compare and conditional select (DDI 0487, C4.1 "Floating-point compare",
 * "Floating-point conditional compare", "Floating-point conditional select"). FPCompare gives NZCV; NaNs take the exact path.
 */

import { i32, i64, lane } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { readV } from '../simd/lanes.ts'
import { conditionNames } from '../text.ts'
import { exactCode } from './exact.ts'
import { exactResult, flushIsHarmless, isOrdered, native, readFloat, typeOf } from './fast.ts'
import { floatName, Rd, Rm, Rn, shapeOf, sizeOf } from './scalar.ts'

const COND: Field = [15, 12]
const NZCV: Field = [3, 0]

/** Pushes the flags of comparing Vn with Vm, or with zero; `signalAll` is the E forms' rule for quiet NaNs. */
function compare(e: Emitter, withZero: boolean, signalAll: boolean): Push {
  return () => {
    const { code } = e
    const size = sizeOf(e)
    const [a, b] = [code.local(typeOf[size]), code.local(typeOf[size])]
    readFloat(e, Rn, size)
    code.set(a)
    if (!withZero) readFloat(e, Rm, size)
    else if (size === 3) code.f64(0)
    else code.f32(0)
    code.set(b)
    isOrdered(e, size, () => code.get(a))
    isOrdered(e, size, () => code.get(b))
    code.op(i32.and)
    flushIsHarmless(e, size, [() => code.get(a), () => code.get(b)])
    code.op(i32.and).if('i32')
    code.i32(0b1000).i32(0b0110).i32(0b0010)
    code.get(a).get(b).op(native[size].eq).select()
    code.get(a).get(b).op(native[size].lt).select()
    code.else()
    const width = size === 3 ? 64 : 32
    const operands = [() => readV(e, Rn, width), ...(withZero ? [] : [() => readV(e, Rm, width)])]
    exactResult(e, () => code.i32(exactCode('compare', shapeOf(size), signalAll ? 1 : 0)), operands)
    code.lane(lane.i32x4_extract, 0)
    code.end()
    code.release(a, b)
  }
}

function compares(name: string, e: 0 | 1, withZero: boolean) {
  const rm = withZero ? '00000' : 'xxxxx'
  const opcode2 = `${e}${withZero ? 1 : 0}000`
  const suffix = withZero ? 'Z' : ''
  return group({
    fields: 'ftype:23-22 Rm:20-16 opcode2:4-0 Rn:9-5',
    fp: true,
    emit: (emitter) => emitter.setNzcv(compare(emitter, withZero, e === 1)),
    text: (word, mnemonic) => `${mnemonic} ${floatName(word, Rn)}, ${withZero ? '#0.0' : floatName(word, Rm)}`,
    encodings: [
      [`${name}_S${suffix}_floatcmp`, `00011110001${rm}001000xxxxx${opcode2}`],
      [`${name}_D${suffix}_floatcmp`, `00011110011${rm}001000xxxxx${opcode2}`],
    ],
  })
}

function conditionalCompares(name: string, e: 0 | 1) {
  return group({
    fields: 'ftype:23-22 Rm:20-16 cond:15-12 Rn:9-5 op:4 nzcv:3-0',
    fp: true,
    emit: (emitter) =>
      emitter.setNzcv(() => {
        const { code } = emitter
        emitter.condition(COND)
        code.if('i32')
        compare(emitter, false, e === 1)()
        code.else()
        emitter.bits(NZCV)
        code.end()
      }),
    text: (word, mnemonic) =>
      `${mnemonic} ${floatName(word, Rn)}, ${floatName(word, Rm)}, #${bitsOf(word, NZCV)}, ${conditionNames[bitsOf(word, COND)]}`,
    encodings: [
      [`${name}_S_floatccmp`, `00011110001xxxxxxxxx01xxxxx${e}xxxx`],
      [`${name}_D_floatccmp`, `00011110011xxxxxxxxx01xxxxx${e}xxxx`],
    ],
  })
}

const select = group({
  fields: 'ftype:23-22 Rm:20-16 cond:15-12 Rn:9-5 Rd:4-0',
  fp: true,
  emit: (e) => {
    const { code } = e
    const double = sizeOf(e) === 3
    const opcode = double ? i64.load : i32.load
    const value = () => {
      e.lane(Rn, opcode)
      e.lane(Rm, opcode)
      e.condition(COND)
      code.select()
    }
    if (double) e.setD(Rd, value)
    else e.setS(Rd, value)
  },
  text: (word, mnemonic) =>
    `${mnemonic} ${floatName(word, Rd)}, ${floatName(word, Rn)}, ${floatName(word, Rm)}, ${conditionNames[bitsOf(word, COND)]}`,
  encodings: [
    ['FCSEL_S_floatsel', '00011110001xxxxxxxxx11xxxxxxxxxx'],
    ['FCSEL_D_floatsel', '00011110011xxxxxxxxx11xxxxxxxxxx'],
  ],
})

export const rows: readonly Row[] = [
  compares('FCMP', 0, false),
  compares('FCMP', 0, true),
  compares('FCMPE', 1, false),
  compares('FCMPE', 1, true),
  conditionalCompares('FCCMP', 0),
  conditionalCompares('FCCMPE', 1),
  select,
].flat()
