/**
 * Exact add, subtract, multiply, divide, square root and fused multiply-add with Arm's NaNs and flags (DDI 0487,
 * shared/functions/float). Every result is computed as an exact value and rounded once. The slow path: clarity over speed.
 */
import { FPSR, type FpEnvironment, Rounding } from './environment.ts'
import { type Format, fpDefaultNaN, fpInfinity, fpOnePointFive, fpTwo, fpZero, type Sign } from './format.ts'
import { bitLength, fpRound } from './softfloat-round.ts'
import { fpProcessNaN, fpProcessNaNs, fpProcessNaNs3, fpUnpack, isAnyNaN, type Unpacked } from './softfloat-unpack.ts'

type Binary = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment) => bigint

export const fpNeg = (f: Format, op: bigint): bigint => op ^ f.signBit
export const fpAbs = (f: Format, op: bigint): bigint => op & (f.signBit - 1n)

const flip = (sign: Sign): Sign => (sign ? 0 : 1)
const xor = (a: Sign, b: Sign): Sign => (a === b ? 0 : 1)

function invalid(f: Format, env: FpEnvironment): bigint {
  env.raise(FPSR.IOC)
  return fpDefaultNaN(f)
}

/** An exact number: `value * 2^exponent`, with its sign in the value. */
interface Exact {
  readonly value: bigint
  readonly exponent: number
}

const exact = (v: Unpacked): Exact => ({ value: v.sign ? -v.mantissa : v.mantissa, exponent: v.exponent })
const times = (a: Exact, b: Exact): Exact => ({ value: a.value * b.value, exponent: a.exponent + b.exponent })

function plus(a: Exact, b: Exact): Exact {
  const exponent = Math.min(a.exponent, b.exponent)
  return {
    value: (a.value << BigInt(a.exponent - exponent)) + (b.value << BigInt(b.exponent - exponent)),
    exponent,
  }
}

/** The common end of the sums: an exact zero is negative only when rounding towards minus infinity. */
function roundSum(f: Format, sum: Exact, env: FpEnvironment): bigint {
  if (sum.value === 0n) return fpZero(f, env.rounding === Rounding.NEGINF ? 1 : 0)
  const negative = sum.value < 0n
  return fpRound(f, negative ? 1 : 0, negative ? -sum.value : sum.value, sum.exponent, env)
}

function addSigned(f: Format, op1: bigint, op2: bigint, env: FpEnvironment, subtract: boolean): bigint {
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  const nan = fpProcessNaNs(f, a, b, op1, op2, env)
  if (nan !== undefined) return nan
  const signB = subtract ? flip(b.sign) : b.sign
  if (a.type === 'infinity' || b.type === 'infinity') {
    if (a.type === b.type && a.sign !== signB) return invalid(f, env)
    return fpInfinity(f, a.type === 'infinity' ? a.sign : signB)
  }
  if (a.type === 'zero' && b.type === 'zero' && a.sign === signB) return fpZero(f, a.sign)
  return roundSum(f, plus(exact(a), exact({ ...b, sign: signB })), env)
}

export const fpAdd: Binary = (f, op1, op2, env) => addSigned(f, op1, op2, env, false)
/** Operands' NaNs keep their signs: this is not an addition of the negated operand. */
export const fpSub: Binary = (f, op1, op2, env) => addSigned(f, op1, op2, env, true)

/** `zeroTimesInfinity` is what the extended multiply returns where the plain one is invalid. */
function multiply(
  f: Format,
  op1: bigint,
  op2: bigint,
  env: FpEnvironment,
  zeroTimesInfinity: (sign: Sign) => bigint,
): bigint {
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  const nan = fpProcessNaNs(f, a, b, op1, op2, env)
  if (nan !== undefined) return nan
  const sign = xor(a.sign, b.sign)
  const infinite = a.type === 'infinity' || b.type === 'infinity'
  const zero = a.type === 'zero' || b.type === 'zero'
  if (infinite) return zero ? zeroTimesInfinity(sign) : fpInfinity(f, sign)
  if (zero) return fpZero(f, sign)
  return fpRound(f, sign, a.mantissa * b.mantissa, a.exponent + b.exponent, env)
}

export const fpMul: Binary = (f, op1, op2, env) => multiply(f, op1, op2, env, () => invalid(f, env))
/** FPMulX: zero times infinity is two, with the product's sign, and raises nothing. */
export const fpMulX: Binary = (f, op1, op2, env) =>
  multiply(f, op1, op2, env, (sign) => (sign ? fpNeg(f, fpTwo(f)) : fpTwo(f)))

export const fpDiv: Binary = (f, op1, op2, env) => {
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  const nan = fpProcessNaNs(f, a, b, op1, op2, env)
  if (nan !== undefined) return nan
  const sign = xor(a.sign, b.sign)
  if (a.type === b.type && a.type !== 'nonzero') return invalid(f, env)
  if (a.type === 'infinity') return fpInfinity(f, sign)
  if (b.type === 'zero') {
    env.raise(FPSR.DZC)
    return fpInfinity(f, sign)
  }
  if (a.type === 'zero' || b.type === 'infinity') return fpZero(f, sign)
  // Enough quotient bits for the widest significand and a guard bit; a sticky bit below stands for the remainder.
  const scale = f.fractionBits + 3 + Math.max(0, bitLength(b.mantissa) - bitLength(a.mantissa))
  const dividend = a.mantissa << BigInt(scale)
  const quotient = dividend / b.mantissa
  const sticky = quotient * b.mantissa === dividend ? 0n : 1n
  return fpRound(f, sign, (quotient << 1n) | sticky, a.exponent - b.exponent - scale - 1, env)
}

/** Largest integer whose square is not above `n`, by Newton's iteration from above. */
function integerSquareRoot(n: bigint): bigint {
  let x = 1n << BigInt((bitLength(n) + 1) >> 1)
  for (;;) {
    const next = (x + n / x) >> 1n
    if (next >= x) return x
    x = next
  }
}

export function fpSqrt(f: Format, op: bigint, env: FpEnvironment): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) return fpProcessNaN(f, a, op, env)
  if (a.type === 'zero') return fpZero(f, a.sign)
  if (a.sign === 1) return invalid(f, env)
  if (a.type === 'infinity') return fpInfinity(f, 0)
  // Widen to at least twice the significand (and a guard bit), keeping the exponent even.
  let shift = 2 * f.fractionBits + 6
  if ((a.exponent - shift) % 2 !== 0) shift += 1
  const radicand = a.mantissa << BigInt(shift)
  const root = integerSquareRoot(radicand)
  const sticky = root * root === radicand ? 0n : 1n
  return fpRound(f, 0, (root << 1n) | sticky, (a.exponent - shift) / 2 - 1, env)
}

/** FPMulAdd: `addend + op1 * op2`, rounded once. A quiet NaN addend does not hide an invalid product. */
export function fpMulAdd(f: Format, addend: bigint, op1: bigint, op2: bigint, env: FpEnvironment): bigint {
  const c = fpUnpack(f, addend, env)
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  const infiniteProduct = a.type === 'infinity' || b.type === 'infinity'
  const zeroProduct = a.type === 'zero' || b.type === 'zero'
  const nan = fpProcessNaNs3(f, [c, a, b], [addend, op1, op2], env)
  if (infiniteProduct && zeroProduct && (nan === undefined || c.type === 'qnan')) return invalid(f, env)
  if (nan !== undefined) return nan
  const sign = xor(a.sign, b.sign)
  if (infiniteProduct) return c.type === 'infinity' && c.sign !== sign ? invalid(f, env) : fpInfinity(f, sign)
  if (c.type === 'infinity') return fpInfinity(f, c.sign)
  if (c.type === 'zero' && zeroProduct && c.sign === sign) return fpZero(f, sign)
  return roundSum(f, plus(exact(c), times(exact(a), exact(b))), env)
}

/** FPRecipStepFused and FPRSqrtStepFused: `constant - op1 * op2`, halved if `halve`, rounded once. */
function stepFused(
  f: Format,
  op1: bigint,
  op2: bigint,
  env: FpEnvironment,
  constant: bigint,
  zeroTimesInfinity: bigint,
  halve: number,
): bigint {
  const negated = fpNeg(f, op1)
  const a = fpUnpack(f, negated, env)
  const b = fpUnpack(f, op2, env)
  const nan = fpProcessNaNs(f, a, b, negated, op2, env)
  if (nan !== undefined) return nan
  const infinite = a.type === 'infinity' || b.type === 'infinity'
  if (infinite && (a.type === 'zero' || b.type === 'zero')) return zeroTimesInfinity
  if (infinite) return fpInfinity(f, xor(a.sign, b.sign))
  const sum = plus({ value: constant, exponent: 0 }, times(exact(a), exact(b)))
  return roundSum(f, { value: sum.value, exponent: sum.exponent - halve }, env)
}

export const fpRecipStepFused: Binary = (f, op1, op2, env) => stepFused(f, op1, op2, env, 2n, fpTwo(f), 0)
export const fpRSqrtStepFused: Binary = (f, op1, op2, env) => stepFused(f, op1, op2, env, 3n, fpOnePointFive(f), 1)
