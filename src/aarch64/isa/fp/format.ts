/**
 * The three IEEE 754 binary formats of the architecture as data, and the constants that are made from them
 * (DDI 0487, A1.4 "Supported data types"). Encodings are bigints of `width` bits; no arithmetic is done here.
 */
export interface Format {
  readonly width: 16 | 32 | 64
  /** Bits of the exponent field (E in the pseudocode). */
  readonly exponentBits: number
  /** Bits of the fraction field (F in the pseudocode). */
  readonly fractionBits: number
  /** Exponent of the smallest normal number: `2 - 2^(E-1)`. */
  readonly minimumExponent: number
  /** Exponent field of infinities and NaNs. */
  readonly exponentOnes: number
  readonly signBit: bigint
  readonly fractionMask: bigint
  /** The most significant fraction bit, which tells a quiet NaN from a signaling one. */
  readonly quietBit: bigint
}

function format(width: 16 | 32 | 64, exponentBits: number): Format {
  const fractionBits = width - 1 - exponentBits
  return Object.freeze({
    width,
    exponentBits,
    fractionBits,
    minimumExponent: 2 - 2 ** (exponentBits - 1),
    exponentOnes: 2 ** exponentBits - 1,
    signBit: 1n << BigInt(width - 1),
    fractionMask: (1n << BigInt(fractionBits)) - 1n,
    quietBit: 1n << BigInt(fractionBits - 1),
  })
}

export const half = format(16, 5)
export const single = format(32, 8)
export const double = format(64, 11)

export type Sign = 0 | 1

const encode = (f: Format, sign: Sign, exponent: number, fraction: bigint): bigint =>
  (sign ? f.signBit : 0n) | (BigInt(exponent) << BigInt(f.fractionBits)) | fraction

/** Shared pseudocode FPZero, FPInfinity, FPMaxNormal, FPDefaultNaN (the default NaN is positive in Armv8). */
export const fpZero = (f: Format, sign: Sign): bigint => encode(f, sign, 0, 0n)
export const fpInfinity = (f: Format, sign: Sign): bigint => encode(f, sign, f.exponentOnes, 0n)
export const fpMaxNormal = (f: Format, sign: Sign): bigint => encode(f, sign, f.exponentOnes - 1, f.fractionMask)
export const fpDefaultNaN = (f: Format): bigint => encode(f, 0, f.exponentOnes, f.quietBit)
/** FPOnePointFive and FPTwo, the results of the step instructions for infinity times zero. */
export const fpOnePointFive = (f: Format): bigint => encode(f, 0, (f.exponentOnes - 1) / 2, f.quietBit)
export const fpTwo = (f: Format): bigint => encode(f, 0, (f.exponentOnes + 1) / 2, 0n)

export const signOf = (f: Format, bits: bigint): Sign => (bits & f.signBit ? 1 : 0)
export const exponentField = (f: Format, bits: bigint): number =>
  Number(bits >> BigInt(f.fractionBits)) & f.exponentOnes
