/**
 * Comparison, minimum and maximum with Arm's NaN rules and flags (DDI 0487, shared/functions/float FPCompare, FPCompareEQ/GE/GT,
 * FPMax, FPMin, FPMaxNum, FPMinNum). Exact; part of the slow path.
 */
import { FPSR, type FpEnvironment } from './environment.ts'
import { type Format, fpInfinity, fpZero, type Sign } from './format.ts'
import { fpRound } from './softfloat-round.ts'
import { fpProcessNaNs, fpUnpack, isAnyNaN, type Unpacked } from './softfloat-unpack.ts'

/** -1, 0 or 1 as a is below, equal to or above b. Neither is a NaN. */
function order(a: Unpacked, b: Unpacked): -1 | 0 | 1 {
  const rank = (v: Unpacked): number => (v.type === 'infinity' ? 2 : v.type === 'zero' ? 0 : 1) * (v.sign ? -1 : 1)
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference < 0 ? -1 : 1
  if (a.type !== 'nonzero') return 0
  const exponent = Math.min(a.exponent, b.exponent)
  const left = a.mantissa << BigInt(a.exponent - exponent)
  const right = b.mantissa << BigInt(b.exponent - exponent)
  if (left === right) return 0
  return left < right !== (a.sign === 1) ? -1 : 1
}

/** FPCompare: NZCV in bits 3:0. A signaling NaN, or with `signalAll` any NaN, raises Invalid Operation. */
export function fpCompare(f: Format, op1: bigint, op2: bigint, env: FpEnvironment, signalAll: boolean): number {
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  if (isAnyNaN(a) || isAnyNaN(b)) {
    if (signalAll || a.type === 'snan' || b.type === 'snan') env.raise(FPSR.IOC)
    return 0b0011
  }
  const o = order(a, b)
  return o === 0 ? 0b0110 : o < 0 ? 0b1000 : 0b0010
}

type Predicate = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment) => boolean

/** FPCompareEQ is quiet: only a signaling NaN is invalid. GE and GT signal for every NaN. */
export const fpCompareEQ: Predicate = (f, op1, op2, env) => fpCompare(f, op1, op2, env, false) === 0b0110
export const fpCompareGE: Predicate = (f, op1, op2, env) => {
  const nzcv = fpCompare(f, op1, op2, env, true)
  return nzcv === 0b0110 || nzcv === 0b0010
}
export const fpCompareGT: Predicate = (f, op1, op2, env) => fpCompare(f, op1, op2, env, true) === 0b0010

function select(f: Format, op1: bigint, op2: bigint, env: FpEnvironment, max: boolean): bigint {
  const a = fpUnpack(f, op1, env)
  const b = fpUnpack(f, op2, env)
  const nan = fpProcessNaNs(f, a, b, op1, op2, env)
  if (nan !== undefined) return nan
  const o = order(a, b)
  const chosen = (max ? o > 0 : o < 0) ? a : b
  if (chosen.type === 'infinity') return fpInfinity(f, chosen.sign)
  // Of two zeros the maximum is negative only if both are, the minimum if either is.
  if (chosen.type === 'zero') return fpZero(f, (max ? a.sign & b.sign : a.sign | b.sign) as Sign)
  return fpRound(f, chosen.sign, chosen.mantissa, chosen.exponent, env)
}

export const fpMax = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment): bigint => select(f, op1, op2, env, true)
export const fpMin = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment): bigint =>
  select(f, op1, op2, env, false)

/** FPMaxNum and FPMinNum: one quiet NaN counts as the infinity that loses; signaling NaNs stay NaNs. */
function selectNumber(f: Format, op1: bigint, op2: bigint, env: FpEnvironment, max: boolean): bigint {
  const type1 = fpUnpack(f, op1, env).type
  const type2 = fpUnpack(f, op2, env).type
  const loser = fpInfinity(f, max ? 1 : 0)
  if (type1 === 'qnan' && type2 !== 'qnan') return select(f, loser, op2, env, max)
  if (type2 === 'qnan' && type1 !== 'qnan') return select(f, op1, loser, env, max)
  return select(f, op1, op2, env, max)
}

export const fpMaxNum = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment): bigint =>
  selectNumber(f, op1, op2, env, true)
export const fpMinNum = (f: Format, op1: bigint, op2: bigint, env: FpEnvironment): bigint =>
  selectNumber(f, op1, op2, env, false)
