/**
 * Conversions between formats, to and from integers and fixed point, and rounding to an integral value (DDI 0487,
 * shared/functions/float FPConvert, FPToFixed, FixedToFP, FPRoundInt). Exact; part of the slow path.
 */
import { FPSR, type FpEnvironment, Rounding } from './environment.ts'
import { type Format, fpDefaultNaN, fpInfinity, fpZero, type Sign } from './format.ts'
import { fpRound, roundToInteger } from './softfloat-round.ts'
import { fpProcessNaN, fpUnpack, isAnyNaN } from './softfloat-unpack.ts'

/** FPConvertNaN: the sign and the leading fraction bits survive, and the result is quiet. */
function convertNaN(from: Format, to: Format, op: bigint): bigint {
  const sign = op & from.signBit ? to.signBit : 0n
  const shift = to.fractionBits - from.fractionBits
  const fraction = op & from.fractionMask
  const moved = shift >= 0 ? fraction << BigInt(shift) : fraction >> BigInt(-shift)
  return sign | fpInfinity(to, 0) | to.quietBit | moved
}

/** FPConvert. Alternative half precision has no NaN or infinity: a NaN becomes zero, an infinity the largest number. */
export function fpConvert(
  from: Format,
  to: Format,
  op: bigint,
  env: FpEnvironment,
  rounding: Rounding = env.rounding,
): bigint {
  const a = fpUnpack(from, op, env)
  const alternative = to.width === 16 && env.alternativeHalf
  if (isAnyNaN(a)) {
    if (a.type === 'snan' || alternative) env.raise(FPSR.IOC)
    if (alternative) return fpZero(to, a.sign)
    return env.defaultNaN ? fpDefaultNaN(to) : convertNaN(from, to, op)
  }
  if (a.type === 'infinity') {
    if (!alternative) return fpInfinity(to, a.sign)
    env.raise(FPSR.IOC)
    return to.signBit - 1n + (a.sign ? to.signBit : 0n)
  }
  if (a.type === 'zero') return fpZero(to, a.sign)
  return fpRound(to, a.sign, a.mantissa, a.exponent, env, rounding)
}

/**
 * FPToFixed: `op * 2^fbits` as an integer of `width` bits, in two's complement. Out of range saturates, and a NaN is zero:
 * both are Invalid Operation, and then not Inexact.
 */
export function fpToFixed(
  f: Format,
  op: bigint,
  fbits: number,
  unsigned: boolean,
  width: number,
  rounding: Rounding,
  env: FpEnvironment,
): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) {
    env.raise(FPSR.IOC)
    return 0n
  }
  const largest = (1n << BigInt(unsigned ? width : width - 1)) - 1n
  const smallest = unsigned ? 0n : -largest - 1n
  let value = a.sign ? smallest - 1n : largest + 1n
  let inexact = false
  // A number of 2^100 saturates whatever its fraction: don't build the long integer.
  if (a.type !== 'infinity' && a.exponent + fbits < 100) {
    const rounded = roundToInteger(a.sign, a.mantissa, a.exponent + fbits, rounding)
    value = a.sign ? -rounded.magnitude : rounded.magnitude
    inexact = rounded.inexact
  }
  const saturated = value > largest ? largest : value < smallest ? smallest : value
  if (saturated !== value) env.raise(FPSR.IOC)
  else if (inexact) env.raise(FPSR.IXC)
  return BigInt.asUintN(width, saturated)
}

/** FixedToFP: the integer of `width` bits in `op`, signed unless `unsigned`, times `2^-fbits`. Zero is always positive. */
export function fixedToFP(
  f: Format,
  op: bigint,
  fbits: number,
  unsigned: boolean,
  width: number,
  rounding: Rounding,
  env: FpEnvironment,
): bigint {
  const value = unsigned ? BigInt.asUintN(width, op) : BigInt.asIntN(width, op)
  if (value === 0n) return fpZero(f, 0)
  const sign: Sign = value < 0n ? 1 : 0
  return fpRound(f, sign, sign ? -value : value, -fbits, env, rounding)
}

/** FPRoundInt: to an integral value in the same format; Inexact is raised only when `exact` asks for it (FRINTX). */
export function fpRoundInt(f: Format, op: bigint, rounding: Rounding, exact: boolean, env: FpEnvironment): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) return fpProcessNaN(f, a, op, env)
  if (a.type === 'infinity') return fpInfinity(f, a.sign)
  if (a.type === 'zero') return fpZero(f, a.sign)
  if (a.exponent >= 0) return op
  const { magnitude, inexact } = roundToInteger(a.sign, a.mantissa, a.exponent, rounding)
  if (inexact && exact) env.raise(FPSR.IXC)
  return magnitude === 0n ? fpZero(f, a.sign) : fpRound(f, a.sign, magnitude, 0, env, Rounding.ZERO)
}
