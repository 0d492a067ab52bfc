/**
 * From an exact value to an encoding: FPRound with every rounding mode, overflow, underflow and flush to zero, and the
 * rounding of an exact value to an integer (DDI 0487, shared/functions/float FPRoundBase, FPRoundInt, FPToFixed).
 */
import { FPSR, type FpEnvironment, Rounding } from './environment.ts'
import { type Format, fpInfinity, fpMaxNormal, fpZero, type Sign } from './format.ts'

export function bitLength(value: bigint): number {
  if (value === 0n) return 0
  const hex = value.toString(16)
  return 4 * hex.length - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28
}

/**
 * How an integer part and a remainder round, by magnitude. `half` compares the discarded part with one half: below 0,
 * equal 1, above 2; `inexact` says that something is discarded at all.
 */
function roundsUp(rounding: Rounding, sign: Sign, odd: boolean, half: 0 | 1 | 2, inexact: boolean): boolean {
  switch (rounding) {
    case Rounding.TIEEVEN:
      return half === 2 || (half === 1 && odd)
    case Rounding.TIEAWAY:
      return half !== 0
    case Rounding.POSINF:
      return inexact && sign === 0
    case Rounding.NEGINF:
      return inexact && sign === 1
    case Rounding.ZERO:
    case Rounding.ODD:
      return false
  }
}

export interface RoundedInteger {
  /** Magnitude after rounding. */
  readonly magnitude: bigint
  readonly inexact: boolean
}

/** Rounds `mantissa * 2^exponent` (a magnitude; `sign` chooses the directed modes) to an integer. */
export function roundToInteger(sign: Sign, mantissa: bigint, exponent: number, rounding: Rounding): RoundedInteger {
  if (exponent >= 0) return { magnitude: mantissa << BigInt(exponent), inexact: false }
  const shift = BigInt(-exponent)
  const whole = mantissa >> shift
  const rest = mantissa - (whole << shift)
  const inexact = rest !== 0n
  const middle = 1n << (shift - 1n)
  const half = rest > middle ? 2 : rest === middle ? 1 : 0
  const up = roundsUp(rounding, sign, (whole & 1n) === 1n, half, inexact)
  if (rounding === Rounding.ODD && inexact) return { magnitude: whole | 1n, inexact }
  return { magnitude: up ? whole + 1n : whole, inexact }
}

/**
 * FPRound: `(-1)^sign * mantissa * 2^exponent` with mantissa not zero. Tininess is detected before rounding. FPCR.FZ flushes
 * a tiny single or double result with Underflow alone; in half precision (conversions) it has no effect.
 */
export function fpRound(
  f: Format,
  sign: Sign,
  mantissa: bigint,
  exponent: number,
  env: FpEnvironment,
  rounding: Rounding = env.rounding,
): bigint {
  const leading = exponent + bitLength(mantissa) - 1
  const tiny = leading < f.minimumExponent
  if (tiny && env.flushToZero && f.width !== 16) {
    env.raise(FPSR.UFC)
    return fpZero(f, sign)
  }
  // In units of the last fraction bit of the result's binade.
  const ulp = Math.max(leading, f.minimumExponent) - f.fractionBits
  const rounded = roundToInteger(sign, mantissa, exponent - ulp, rounding)
  let inexact = rounded.inexact
  if (tiny && inexact) env.raise(FPSR.UFC)
  // The implicit bit adds one to the exponent field; a carry out of the fraction moves it up by itself.
  const base = tiny ? 0n : BigInt(leading - f.minimumExponent)
  const magnitude = (base << BigInt(f.fractionBits)) + rounded.magnitude
  let result = magnitude | (sign ? f.signBit : 0n)
  if (f.width === 16 && env.alternativeHalf) {
    if (magnitude >= f.signBit) {
      env.raise(FPSR.IOC)
      return f.signBit - 1n + (sign ? f.signBit : 0n)
    }
  } else if (magnitude >= fpInfinity(f, 0)) {
    const toInfinity = rounding === Rounding.TIEEVEN || rounding === (sign ? Rounding.NEGINF : Rounding.POSINF)
    result = toInfinity || rounding === Rounding.TIEAWAY ? fpInfinity(f, sign) : fpMaxNormal(f, sign)
    env.raise(FPSR.OFC)
    inexact = true
  }
  if (inexact) env.raise(FPSR.IXC)
  return result
}
