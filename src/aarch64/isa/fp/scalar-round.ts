/**
 * Scalar rounding to integral values and conversion between formats (DDI 0487, C6 FRINTA..FRINTZ, FCVT). Also how wasm rounds a
 * float to an integral value in each mode, which the integer conversions share.
 */

import { STATE } from '../../state/state.ts'
import { f32, f64, i32 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Rounding } from './environment.ts'
import { exactCode, roundingArgument } from './exact.ts'
import {
  exactOnRegisters,
  type FpSize,
  flushIsHarmless,
  inexactIsKnown,
  isOrdered,
  isOrdinary,
  isZero,
  native,
  readFloat,
  roundsToNearest,
  typeOf,
  writeFloat,
} from './fast.ts'
import { floatName, Rd, Rn, shapeOf, sizeOf } from './scalar.ts'

/** Pushes the float in the local rounded to an integral value, with its sign. The mode is one of wasm's four, or ties away. */
export function rounded(e: Emitter, size: FpSize, a: number, rounding: Rounding): void {
  const { code } = e
  const f = native[size]
  if (rounding !== Rounding.TIEAWAY) {
    const opcodes = { [Rounding.TIEEVEN]: f.nearest, [Rounding.POSINF]: f.ceil, [Rounding.NEGINF]: f.floor }
    code.get(a).op(opcodes[rounding as 0 | 1 | 2] ?? f.trunc)
    return
  }
  // One more in magnitude if what truncation cuts off, which is exact, is a half or more.
  const whole = code.local(typeOf[size])
  const push = (value: number) => (size === 3 ? code.f64(value) : code.f32(value))
  code.get(a).op(f.trunc).tee(whole)
  push(1)
  code.get(a).op(f.copysign)
  push(0)
  code.get(a).get(whole).op(f.sub, f.abs)
  push(0.5)
  code.op(f.ge).select()
  // The sum of a negative zero and zero is positive: take the sign from the operand.
  code.op(f.add).get(a).op(f.copysign)
  code.release(whole)
}

/** `rounding` undefined: FPCR's. `exact`: raises Inexact. */
function roundToIntegral(rounding: Rounding | undefined, exact: boolean) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const [a, r] = [code.local(typeOf[size]), code.local(typeOf[size])]
    readFloat(e, Rn, size)
    code.set(a)
    rounded(e, size, a, rounding ?? Rounding.TIEEVEN)
    code.set(r)
    isOrdered(e, size, () => code.get(a))
    if (rounding === undefined) {
      roundsToNearest(e)
      code.op(i32.and)
    }
    flushIsHarmless(e, size, [() => code.get(a)])
    code.op(i32.and)
    if (exact) {
      code.get(a).get(r).op(native[size].eq)
      inexactIsKnown(e)
      code.op(i32.or, i32.and)
    }
    code.if()
    writeFloat(e, Rd, size, () => code.get(r))
    code.else()
    const argument = roundingArgument(rounding, exact)
    e.setQ(Rd, () => exactOnRegisters(e, exactCode('rint', shapeOf(size), argument), [Rn], size === 3 ? 64 : 32))
    code.end()
    code.release(a, r)
  }
}

const round = (name: string, rmode: string, emit: (e: Emitter) => void) =>
  group({
    fields: 'ftype:23-22 rmode:17-15 Rn:9-5 Rd:4-0',
    fp: true,
    emit,
    text: (word, mnemonic) => `${mnemonic} ${floatName(word, Rd)}, ${floatName(word, Rn)}`,
    encodings: [
      [`${name}_S_floatdp1`, `00011110001001${rmode}10000xxxxxxxxxx`],
      [`${name}_D_floatdp1`, `00011110011001${rmode}10000xxxxxxxxxx`],
    ],
  })

/** Single to double is exact, but for NaNs and flushed denormals. */
function promote(e: Emitter): void {
  const { code } = e
  const a = code.local('f32')
  readFloat(e, Rn, 2)
  code.set(a)
  isOrdered(e, 2, () => code.get(a))
  flushIsHarmless(e, 2, [() => code.get(a)])
  code.op(i32.and).if()
  writeFloat(e, Rd, 3, () => code.get(a).op(f64.promote_f32))
  code.else()
  convertExactly(e, 2, 3)
  code.end()
  code.release(a)
}

function demote(e: Emitter): void {
  const { code } = e
  const a = code.local('f64')
  const r = code.local('f32')
  readFloat(e, Rn, 3)
  code.tee(a).op(f32.demote_f64).set(r)
  isOrdinary(e, 2, () => code.get(r))
  isZero(e, 3, () => code.get(a))
  code.op(i32.or)
  roundsToNearest(e)
  code.op(i32.and)
  flushIsHarmless(e, 3, [() => code.get(a)])
  code.op(i32.and).if()
  writeFloat(e, Rd, 2, () => code.get(r))
  e.setState(i32.store, STATE.FPSR, () => {
    e.state(i32.load, STATE.FPSR)
    code.get(a).get(r).op(f64.promote_f32, f64.ne).i32(4).op(i32.shl, i32.or)
  })
  code.else()
  convertExactly(e, 3, 2)
  code.end()
  code.release(a, r)
}

function convertExactly(e: Emitter, from: 1 | 2 | 3, to: 1 | 2 | 3): void {
  const shape = { from, to, lanes: 1 } as const
  const width = ([0, 16, 32, 64] as const)[from] as 16 | 32 | 64
  e.setQ(Rd, () => exactOnRegisters(e, exactCode('convert', shape, roundingArgument(undefined)), [Rn], width))
}

const letter = { 1: 'h', 2: 's', 3: 'd' } as const

const convert = (name: string, pattern: string, from: 1 | 2 | 3, to: 1 | 2 | 3, emit: (e: Emitter) => void) =>
  group({
    fields: 'ftype:23-22 opc:16-15 Rn:9-5 Rd:4-0',
    fp: true,
    emit,
    text: (word, mnemonic) => `${mnemonic} ${letter[to]}${bitsOf(word, Rd)}, ${letter[from]}${bitsOf(word, Rn)}`,
    encodings: [[name, pattern]],
  })

const exactConvert = (name: string, pattern: string, from: 1 | 2 | 3, to: 1 | 2 | 3) =>
  convert(name, pattern, from, to, (e) => convertExactly(e, from, to))

export const rows: readonly Row[] = [
  round('FRINTN', '000', roundToIntegral(Rounding.TIEEVEN, false)),
  round('FRINTP', '001', roundToIntegral(Rounding.POSINF, false)),
  round('FRINTM', '010', roundToIntegral(Rounding.NEGINF, false)),
  round('FRINTZ', '011', roundToIntegral(Rounding.ZERO, false)),
  round('FRINTA', '100', roundToIntegral(Rounding.TIEAWAY, false)),
  round('FRINTX', '110', roundToIntegral(undefined, true)),
  round('FRINTI', '111', roundToIntegral(undefined, false)),
  convert('FCVT_DS_floatdp1', '0001111000100010110000xxxxxxxxxx', 2, 3, promote),
  convert('FCVT_SD_floatdp1', '0001111001100010010000xxxxxxxxxx', 3, 2, demote),
  exactConvert('FCVT_HS_floatdp1', '0001111000100011110000xxxxxxxxxx', 2, 1),
  exactConvert('FCVT_HD_floatdp1', '0001111001100011110000xxxxxxxxxx', 3, 1),
  exactConvert('FCVT_SH_floatdp1', '0001111011100010010000xxxxxxxxxx', 1, 2),
  exactConvert('FCVT_DH_floatdp1', '0001111011100010110000xxxxxxxxxx', 1, 3),
].flat()
