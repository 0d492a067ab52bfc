/**
 * The reciprocal and reciprocal square root estimates, which the architecture defines to the bit, and FRECPX (DDI 0487,
 * shared/functions/float FPRecipEstimate, FPRSqrtEstimate, RecipEstimate, RecipSqrtEstimate, FPRecpX, UnsignedRecipEstimate).
 */
import { FPSR, type FpEnvironment, Rounding } from './environment.ts'
import { exponentField, type Format, fpDefaultNaN, fpInfinity, fpMaxNormal, fpZero, signOf } from './format.ts'
import { fpProcessNaN, fpUnpack, isAnyNaN } from './softfloat-unpack.ts'

/** RecipEstimate: 256..511, nine bits of a fraction in [0.5, 1), to nine bits of its reciprocal in [1, 2). */
function recipEstimate(a: number): number {
  const b = Math.floor(2 ** 19 / (a * 2 + 1))
  return (b + 1) >> 1
}

/** RecipSqrtEstimate: 128..511, a fraction in [0.25, 1), to nine bits of its reciprocal square root in [1, 2). */
function recipSqrtEstimate(a: number): number {
  const middle = a < 256 ? a * 2 + 1 : (a | 1) * 2
  // The largest b with middle * b^2 < 2^28, which the pseudocode finds by counting up from 512.
  let b = Math.floor(Math.sqrt(2 ** 28 / middle))
  while (middle * (b + 1) * (b + 1) < 2 ** 28) b += 1
  while (middle * b * b >= 2 ** 28) b -= 1
  return (b + 1) >> 1
}

/** The significand's fraction, left-aligned to 52 bits as in the pseudocode, and the exponent field. */
function alignedFraction(f: Format, op: bigint): bigint {
  return (op & f.fractionMask) << BigInt(52 - f.fractionBits)
}

const assemble = (f: Format, sign: 0 | 1, exponent: number, fraction52: bigint): bigint =>
  (sign ? f.signBit : 0n) | (BigInt(exponent) << BigInt(f.fractionBits)) | (fraction52 >> BigInt(52 - f.fractionBits))

const fractionMask52 = (1n << 52n) - 1n

/** FPRecipEstimate, single and double. */
export function fpRecipEstimate(f: Format, op: bigint, env: FpEnvironment): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) return fpProcessNaN(f, a, op, env)
  if (a.type === 'infinity') return fpZero(f, a.sign)
  if (a.type === 'zero') {
    env.raise(FPSR.DZC)
    return fpInfinity(f, a.sign)
  }
  let exponent = exponentField(f, op)
  let fraction = alignedFraction(f, op)
  // Below 2^-128 (single) or 2^-1024 (double): both leading fraction bits of a denormal are zero, and the result overflows.
  if (exponent === 0 && fraction >> 50n === 0n) {
    const mode = env.rounding
    const toInfinity = mode === Rounding.TIEEVEN || mode === (a.sign ? Rounding.NEGINF : Rounding.POSINF)
    env.raise(FPSR.OFC | FPSR.IXC)
    return toInfinity ? fpInfinity(f, a.sign) : fpMaxNormal(f, a.sign)
  }
  // From 2^126 or 2^1022 the reciprocal is denormal.
  if (env.flushToZero && exponent >= f.exponentOnes - 2) {
    env.raise(FPSR.UFC)
    return fpZero(f, a.sign)
  }
  if (exponent === 0) {
    const leading = fraction >> 51n === 0n ? 2 : 1
    if (leading === 2) exponent = -1
    fraction = (fraction << BigInt(leading)) & fractionMask52
  }
  const estimate = recipEstimate(256 + Number(fraction >> 44n))
  let resultFraction = BigInt(estimate & 0xff) << 44n
  let resultExponent = f.exponentOnes - 2 - exponent
  if (resultExponent === 0) resultFraction = (1n << 51n) | (resultFraction >> 1n)
  if (resultExponent === -1) {
    resultFraction = (1n << 50n) | (resultFraction >> 2n)
    resultExponent = 0
  }
  return assemble(f, a.sign, resultExponent, resultFraction)
}

/** FPRSqrtEstimate, single and double. */
export function fpRSqrtEstimate(f: Format, op: bigint, env: FpEnvironment): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) return fpProcessNaN(f, a, op, env)
  if (a.type === 'zero') {
    env.raise(FPSR.DZC)
    return fpInfinity(f, a.sign)
  }
  if (a.sign === 1) {
    env.raise(FPSR.IOC)
    return fpDefaultNaN(f)
  }
  if (a.type === 'infinity') return fpZero(f, 0)
  let exponent = exponentField(f, op)
  let fraction = alignedFraction(f, op)
  if (exponent === 0) {
    while (fraction >> 51n === 0n) {
      fraction <<= 1n
      exponent -= 1
    }
    fraction = (fraction << 1n) & fractionMask52
  }
  const even = (exponent & 1) === 0
  const scaled = even ? 256 + Number(fraction >> 44n) : 128 + Number(fraction >> 45n)
  // (380 - exp) DIV 2 in single, (3068 - exp) DIV 2 in double: three halves of the bias, less a half.
  const resultExponent = Math.floor((3 * ((f.exponentOnes - 1) / 2) - 1 - exponent) / 2)
  return assemble(f, 0, resultExponent, BigInt(recipSqrtEstimate(scaled) & 0xff) << 44n)
}

/** FPRecpX: the exponent complemented and the fraction cleared; the largest normal exponent for zeros and denormals. */
export function fpRecpX(f: Format, op: bigint, env: FpEnvironment): bigint {
  const a = fpUnpack(f, op, env)
  if (isAnyNaN(a)) return fpProcessNaN(f, a, op, env)
  const field = exponentField(f, op)
  const exponent = field === 0 ? f.exponentOnes - 1 : f.exponentOnes - field
  return assemble(f, signOf(f, op), exponent, 0n)
}

/** UnsignedRecipEstimate: a 32-bit fixed-point fraction. Below one half (bit 31 clear) the result is all ones. */
export function unsignedRecipEstimate(op: number): number {
  return op >>> 31 === 0 ? 0xffffffff : (recipEstimate(op >>> 23) << 23) >>> 0
}

/** UnsignedRSqrtEstimate: below one quarter (bits 31:30 clear) the result is all ones. */
export function unsignedRSqrtEstimate(op: number): number {
  return op >>> 30 === 0 ? 0xffffffff : (recipSqrtEstimate(op >>> 23) << 23) >>> 0
}
