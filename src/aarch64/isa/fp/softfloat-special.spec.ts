/**
 * NaNs, infinities, zeros, denormals and the estimates: single cases that can be checked by hand against the pseudocode of
 * DDI 0487 (shared/functions/float). Rounding of ordinary numbers has its own spec.
 */
import { expect, it } from 'vitest'
import { FPCR, FPSR, FpEnvironment, Rounding } from './environment.ts'
import { double, half, single } from './format.ts'
import {
  fpAdd,
  fpDiv,
  fpMul,
  fpMulAdd,
  fpMulX,
  fpRecipStepFused,
  fpRSqrtStepFused,
  fpSqrt,
  fpSub,
} from './softfloat-arithmetic.ts'
import { fpCompare, fpCompareEQ, fpCompareGE, fpMax, fpMaxNum, fpMin, fpMinNum } from './softfloat-compare.ts'
import { fixedToFP, fpConvert, fpRoundInt, fpToFixed } from './softfloat-convert.ts'
import {
  fpRecipEstimate,
  fpRecpX,
  fpRSqrtEstimate,
  unsignedRecipEstimate,
  unsignedRSqrtEstimate,
} from './softfloat-estimate.ts'

const inf = 0x7f800000n
const minusInf = 0xff800000n
const one = 0x3f800000n
const two = 0x40000000n
const minusZero = 0x80000000n
const qnan = 0x7fc01234n
const snan = 0xff801234n
const defaultNaN = 0x7fc00000n
const tiny = 0x00000001n
const max = 0x7f7fffffn

/** Result and FPSR of one operation. */
function run(operation: (env: FpEnvironment) => bigint | boolean | number, fpcr = 0): [string, number] {
  const env = new FpEnvironment(fpcr)
  const result = operation(env)
  return [typeof result === 'boolean' ? String(result) : result.toString(16), env.fpsr]
}

it('a signaling NaN wins over an earlier quiet one, is quietened and is invalid (FPProcessNaNs)', () => {
  expect(run((e) => fpAdd(single, qnan, snan, e))).toEqual(['ffc01234', FPSR.IOC])
  expect(run((e) => fpAdd(single, snan, 0x7f805678n, e))).toEqual(['ffc01234', FPSR.IOC])
  expect(run((e) => fpMul(single, one, qnan, e))).toEqual(['7fc01234', 0])
  expect(run((e) => fpMul(single, 0xffc00001n, qnan, e))).toEqual(['ffc00001', 0])
})

it('FPCR.DN replaces every NaN result by the positive default NaN (FPProcessNaN)', () => {
  expect(run((e) => fpAdd(single, qnan, one, e), FPCR.DN)).toEqual(['7fc00000', 0])
  expect(run((e) => fpSub(double, 0xfff0000000000001n, 0n, e), FPCR.DN)).toEqual(['7ff8000000000000', FPSR.IOC])
})

it('a subtraction does not negate the NaN of its second operand (FPSub)', () => {
  expect(run((e) => fpSub(single, one, qnan, e))).toEqual(['7fc01234', 0])
})

it('infinity minus infinity, zero times infinity, 0/0, inf/inf and the root of a negative are invalid', () => {
  const invalid = [defaultNaN.toString(16), FPSR.IOC]
  expect(run((e) => fpAdd(single, inf, minusInf, e))).toEqual(invalid)
  expect(run((e) => fpSub(single, inf, inf, e))).toEqual(invalid)
  expect(run((e) => fpMul(single, inf, minusZero, e))).toEqual(invalid)
  expect(run((e) => fpDiv(single, 0n, minusZero, e))).toEqual(invalid)
  expect(run((e) => fpDiv(single, minusInf, inf, e))).toEqual(invalid)
  expect(run((e) => fpSqrt(single, 0xbf800000n, e))).toEqual(invalid)
  expect(run((e) => fpSqrt(single, minusInf, e))).toEqual(invalid)
})

it('infinities and signed zeros otherwise follow IEEE 754', () => {
  expect(run((e) => fpAdd(single, inf, one, e))).toEqual(['7f800000', 0])
  expect(run((e) => fpSub(single, one, inf, e))).toEqual(['ff800000', 0])
  expect(run((e) => fpDiv(single, one, minusInf, e))).toEqual(['80000000', 0])
  expect(run((e) => fpDiv(single, minusInf, 0n, e))).toEqual(['ff800000', 0])
  expect(run((e) => fpSqrt(single, minusZero, e))).toEqual(['80000000', 0])
  expect(run((e) => fpAdd(single, minusZero, minusZero, e))).toEqual(['80000000', 0])
  expect(run((e) => fpAdd(single, minusZero, 0n, e))).toEqual(['0', 0])
  expect(run((e) => fpAdd(single, minusZero, 0n, e), Rounding.NEGINF << 22)).toEqual(['80000000', 0])
  expect(run((e) => fpSub(single, one, one, e), Rounding.NEGINF << 22)).toEqual(['80000000', 0])
})

it('a number divided by zero is an infinity with Divide by Zero (FPDiv)', () => {
  expect(run((e) => fpDiv(single, one, minusZero, e))).toEqual(['ff800000', FPSR.DZC])
})

it('FPCR.FZ flushes inputs with Input Denormal, outputs with Underflow and no Inexact (FPUnpack, FPRound)', () => {
  expect(run((e) => fpAdd(single, tiny, tiny, e), FPCR.FZ)).toEqual(['0', FPSR.IDC])
  expect(run((e) => fpMul(single, 0x80800000n, 0x3f000000n, e), FPCR.FZ)).toEqual(['80000000', FPSR.UFC])
  expect(run((e) => fpMul(single, 0x00800000n, 0x3f000000n, e))).toEqual(['400000', 0])
  expect(run((e) => fpDiv(single, one, tiny, e), FPCR.FZ)).toEqual(['7f800000', FPSR.IDC | FPSR.DZC])
})

it('tininess is detected before rounding: a result that rounds up to the smallest normal underflows (FPRound)', () => {
  // (1 - 2^-24) * 2^-126 lies halfway between the largest denormal and 2^-126.
  expect(run((e) => fpMul(single, 0x3f7fffffn, 0x00800000n, e))).toEqual(['800000', FPSR.UFC | FPSR.IXC])
  expect(run((e) => fpMul(single, 0x3f7fffffn, 0x00800000n, e), FPCR.FZ)).toEqual(['0', FPSR.UFC])
})

it('overflow goes to infinity or the largest number as the rounding mode says (FPRound)', () => {
  const flags = FPSR.OFC | FPSR.IXC
  const negative = max | 0x80000000n
  expect(run((e) => fpAdd(single, max, max, e))).toEqual(['7f800000', flags])
  expect(run((e) => fpAdd(single, max, max, e), Rounding.ZERO << 22)).toEqual(['7f7fffff', flags])
  expect(run((e) => fpAdd(single, max, max, e), Rounding.NEGINF << 22)).toEqual(['7f7fffff', flags])
  expect(run((e) => fpAdd(single, negative, negative, e), Rounding.NEGINF << 22)).toEqual(['ff800000', flags])
})

it('a fused multiply-add looks at the addend first and lets inf * 0 hide a quiet NaN addend only (FPMulAdd)', () => {
  expect(run((e) => fpMulAdd(single, qnan, 0x7fc00001n, one, e))).toEqual(['7fc01234', 0])
  expect(run((e) => fpMulAdd(single, qnan, inf, 0n, e))).toEqual(['7fc00000', FPSR.IOC])
  expect(run((e) => fpMulAdd(single, snan, inf, 0n, e))).toEqual(['ffc01234', FPSR.IOC])
  expect(run((e) => fpMulAdd(single, one, inf, 0n, e))).toEqual(['7fc00000', FPSR.IOC])
  expect(run((e) => fpMulAdd(single, minusInf, inf, one, e))).toEqual(['7fc00000', FPSR.IOC])
  expect(run((e) => fpMulAdd(single, minusInf, one, one, e))).toEqual(['ff800000', 0])
  expect(run((e) => fpMulAdd(single, minusZero, minusZero, one, e))).toEqual(['80000000', 0])
  expect(run((e) => fpMulAdd(single, 0n, minusZero, one, e))).toEqual(['0', 0])
})

it('FPMulX of zero and infinity is two with the sign of the product and no flag', () => {
  expect(run((e) => fpMulX(single, 0n, minusInf, e))).toEqual(['c0000000', 0])
  expect(run((e) => fpMulX(double, 0n, 0x7ff0000000000000n, e))).toEqual(['4000000000000000', 0])
})

it('the step instructions return 2.0 and 1.5 for zero times infinity, and negate the first NaN', () => {
  expect(run((e) => fpRecipStepFused(single, 0n, inf, e))).toEqual(['40000000', 0])
  expect(run((e) => fpRSqrtStepFused(single, 0n, inf, e))).toEqual(['3fc00000', 0])
  expect(run((e) => fpRecipStepFused(single, qnan, one, e))).toEqual(['ffc01234', 0])
  expect(run((e) => fpRecipStepFused(single, inf, one, e))).toEqual(['ff800000', 0])
})

it('FPCompare is unordered for NaNs; a quiet one is invalid only when all signal', () => {
  expect(run((e) => fpCompare(single, qnan, one, e, false))).toEqual(['3', 0])
  expect(run((e) => fpCompare(single, qnan, one, e, true))).toEqual(['3', FPSR.IOC])
  expect(run((e) => fpCompare(single, snan, one, e, false))).toEqual(['3', FPSR.IOC])
  expect(run((e) => fpCompare(single, minusZero, 0n, e, true))).toEqual(['6', 0])
  expect(run((e) => fpCompare(single, minusInf, one, e, true))).toEqual(['8', 0])
  expect(run((e) => fpCompare(single, 0xbf800000n, 0xc0000000n, e, true))).toEqual(['2', 0])
  expect(run((e) => fpCompare(single, tiny, 0n, e, true), FPCR.FZ)).toEqual(['6', FPSR.IDC])
  expect(run((e) => fpCompareEQ(single, qnan, qnan, e))).toEqual(['false', 0])
  expect(run((e) => fpCompareGE(single, qnan, qnan, e))).toEqual(['false', FPSR.IOC])
})

it('maximum and minimum order the zeros, and the number forms prefer a number to a quiet NaN only', () => {
  expect(run((e) => fpMax(single, minusZero, 0n, e))).toEqual(['0', 0])
  expect(run((e) => fpMin(single, 0n, minusZero, e))).toEqual(['80000000', 0])
  expect(run((e) => fpMax(single, one, qnan, e))).toEqual(['7fc01234', 0])
  expect(run((e) => fpMaxNum(single, one, qnan, e))).toEqual(['3f800000', 0])
  expect(run((e) => fpMinNum(single, qnan, inf, e))).toEqual(['7f800000', 0])
  expect(run((e) => fpMinNum(single, qnan, snan, e))).toEqual(['ffc01234', FPSR.IOC])
  expect(run((e) => fpMaxNum(single, qnan, 0x7fc00001n, e))).toEqual(['7fc01234', 0])
  expect(run((e) => fpMax(single, tiny, minusZero, e), FPCR.FZ)).toEqual(['0', FPSR.IDC])
})

it('a NaN converts with its sign and leading fraction, quietened; FPCR.DN drops both (FPConvertNaN)', () => {
  expect(run((e) => fpConvert(single, double, snan, e))).toEqual(['fff8024680000000', FPSR.IOC])
  expect(run((e) => fpConvert(double, single, 0xfff8024680000000n, e))).toEqual(['ffc01234', 0])
  expect(run((e) => fpConvert(half, single, 0x7c01n, e))).toEqual(['7fc02000', FPSR.IOC])
  expect(run((e) => fpConvert(half, single, 0xfe01n, e), FPCR.DN)).toEqual(['7fc00000', 0])
})

it('alternative half precision has no NaN, no infinity, one more binade, and saturates as invalid (FPConvert, FPRound)', () => {
  expect(run((e) => fpConvert(half, single, 0x7c00n, e), FPCR.AHP)).toEqual(['47800000', 0])
  expect(run((e) => fpConvert(single, half, 0xffc00001n, e), FPCR.AHP)).toEqual(['8000', FPSR.IOC])
  expect(run((e) => fpConvert(single, half, minusInf, e), FPCR.AHP)).toEqual(['ffff', FPSR.IOC])
  expect(run((e) => fpConvert(single, half, 0x48000000n, e), FPCR.AHP)).toEqual(['7fff', FPSR.IOC])
  expect(run((e) => fpConvert(single, half, 0x477fe000n, e))).toEqual(['7bff', 0])
  expect(run((e) => fpConvert(single, half, 0x47800000n, e))).toEqual(['7c00', FPSR.OFC | FPSR.IXC])
})

it('FPCR.FZ leaves half-precision denormals alone in conversions (FPUnpackCV, FPRoundCV)', () => {
  expect(run((e) => fpConvert(half, single, 0x0001n, e), FPCR.FZ)).toEqual(['33800000', 0])
  expect(run((e) => fpConvert(single, half, 0x33800000n, e), FPCR.FZ)).toEqual(['1', 0])
})

it('round to odd sets the last bit of an inexact result and never reaches infinity (FCVTXN)', () => {
  const odd = (e: FpEnvironment, op: bigint) => fpConvert(double, single, op, e, Rounding.ODD)
  expect(run((e) => odd(e, 0x3ff0000000000001n))).toEqual(['3f800001', FPSR.IXC])
  expect(run((e) => odd(e, 0x7fefffffffffffffn))).toEqual(['7f7fffff', FPSR.OFC | FPSR.IXC])
})

it('integer conversions of NaNs, infinities and negatives are invalid and saturate (FPToFixed)', () => {
  const convert = (op: bigint, unsigned: boolean) =>
    run((e) => fpToFixed(single, op, 0, unsigned, 32, Rounding.ZERO, e))
  expect(convert(qnan, false)).toEqual(['0', FPSR.IOC])
  expect(convert(inf, false)).toEqual(['7fffffff', FPSR.IOC])
  expect(convert(minusInf, false)).toEqual(['80000000', FPSR.IOC])
  expect(convert(minusInf, true)).toEqual(['0', FPSR.IOC])
  expect(convert(0xbf000000n, true)).toEqual(['0', FPSR.IXC])
  expect(run((e) => fpToFixed(single, tiny, 0, false, 32, Rounding.POSINF, e), FPCR.FZ)).toEqual(['0', FPSR.IDC])
  expect(run((e) => fpToFixed(single, tiny, 0, false, 32, Rounding.POSINF, e))).toEqual(['1', FPSR.IXC])
})

it('the integer zero converts to plus zero in every mode (FixedToFP)', () => {
  expect(run((e) => fixedToFP(single, 0n, 5, false, 64, Rounding.NEGINF, e))).toEqual(['0', 0])
})

it('rounding to integral handles NaNs, infinities and flushed denormals (FPRoundInt)', () => {
  expect(run((e) => fpRoundInt(single, snan, Rounding.ZERO, false, e))).toEqual(['ffc01234', FPSR.IOC])
  expect(run((e) => fpRoundInt(single, minusInf, Rounding.ZERO, false, e))).toEqual(['ff800000', 0])
  expect(run((e) => fpRoundInt(single, tiny, Rounding.POSINF, true, e), FPCR.FZ)).toEqual(['0', FPSR.IDC])
})

it('the reciprocal estimate follows the table function and its special cases (FPRecipEstimate)', () => {
  // 1.0: fraction 0, scaled 256; (2^19 DIV 513 + 1) DIV 2 = 511: result exponent 126, fraction 0xff.
  expect(run((e) => fpRecipEstimate(single, one, e))).toEqual(['3f7f8000', 0])
  expect(run((e) => fpRecipEstimate(single, two, e))).toEqual(['3eff8000', 0])
  expect(run((e) => fpRecipEstimate(single, minusZero, e))).toEqual(['ff800000', FPSR.DZC])
  expect(run((e) => fpRecipEstimate(single, minusInf, e))).toEqual(['80000000', 0])
  expect(run((e) => fpRecipEstimate(single, tiny, e))).toEqual(['7f800000', FPSR.OFC | FPSR.IXC])
  expect(run((e) => fpRecipEstimate(single, tiny, e), Rounding.ZERO << 22)).toEqual(['7f7fffff', FPSR.OFC | FPSR.IXC])
  expect(run((e) => fpRecipEstimate(single, 0x7e800000n, e), FPCR.FZ)).toEqual(['0', FPSR.UFC])
  // 2^126: result exponent 0, the estimate shifted right once with its leading one.
  expect(run((e) => fpRecipEstimate(single, 0x7e800000n, e))).toEqual(['7fc000', 0])
  // 2^127: result exponent -1, shifted right twice.
  expect(run((e) => fpRecipEstimate(single, 0x7f000000n, e))).toEqual(['3fe000', 0])
  // 2^-127, a denormal with its leading fraction bit set: exponent field 0, result exponent 253.
  expect(run((e) => fpRecipEstimate(single, 0x00400000n, e))).toEqual(['7eff8000', 0])
  // 2^-128: one more bit to the left, result exponent 254.
  expect(run((e) => fpRecipEstimate(single, 0x00200000n, e))).toEqual(['7f7f8000', 0])
  expect(run((e) => fpRecipEstimate(double, 0x3ff0000000000000n, e))).toEqual(['3feff00000000000', 0])
})

it('the reciprocal square root estimate follows the table function (FPRSqrtEstimate)', () => {
  // 1.0: exponent 127 is odd, scaled 128: 257 * 1022^2 < 2^28 <= 257 * 1023^2, (1022 + 1) DIV 2 = 511, exponent 126.
  expect(run((e) => fpRSqrtEstimate(single, one, e))).toEqual(['3f7f8000', 0])
  // 2.0: exponent even, scaled 256: 514 * 722^2 < 2^28 <= 514 * 723^2, estimate 361 = 0x169, exponent 126.
  expect(run((e) => fpRSqrtEstimate(single, two, e))).toEqual(['3f348000', 0])
  expect(run((e) => fpRSqrtEstimate(single, minusZero, e))).toEqual(['ff800000', FPSR.DZC])
  expect(run((e) => fpRSqrtEstimate(single, 0xbf800000n, e))).toEqual(['7fc00000', FPSR.IOC])
  expect(run((e) => fpRSqrtEstimate(single, inf, e))).toEqual(['0', 0])
  // 2^-149: the denormal is normalised to exponent field -22, and 2^74.5 is estimated.
  expect(run((e) => fpRSqrtEstimate(single, tiny, e))).toEqual(['64b48000', 0])
})

it('the unsigned estimates are all ones below their range (UnsignedRecipEstimate, UnsignedRSqrtEstimate)', () => {
  expect(unsignedRecipEstimate(0x7fffffff)).toBe(0xffffffff)
  expect(unsignedRecipEstimate(0x80000000)).toBe(0xff800000)
  expect(unsignedRecipEstimate(0xffffffff)).toBe(0x80000000)
  expect(unsignedRSqrtEstimate(0x3fffffff)).toBe(0xffffffff)
  expect(unsignedRSqrtEstimate(0x40000000)).toBe(0xff800000)
  expect(unsignedRSqrtEstimate(0xffffffff)).toBe(0x80000000)
})

it('FPRecpX complements the exponent and gives zeros and denormals the largest normal one', () => {
  expect(run((e) => fpRecpX(single, 0xbfc00000n, e))).toEqual(['c0000000', 0])
  expect(run((e) => fpRecpX(single, minusInf, e))).toEqual(['80000000', 0])
  expect(run((e) => fpRecpX(single, 0n, e))).toEqual(['7f000000', 0])
  expect(run((e) => fpRecpX(single, tiny, e), FPCR.FZ)).toEqual(['7f000000', FPSR.IDC])
})
