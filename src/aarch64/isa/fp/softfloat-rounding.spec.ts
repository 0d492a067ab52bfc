/**
 * Every arithmetic result against the definition of rounding, by search over the encodings with exact fractions: the
 * reference shares no code with the model. NaNs, infinities and zeros have their own spec (softfloat-special.spec.ts).
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FPSR, FpEnvironment, Rounding } from './environment.ts'
import { double, type Format, half, single } from './format.ts'
import { fpAdd, fpDiv, fpMul, fpMulAdd, fpRecipStepFused, fpRSqrtStepFused, fpSqrt } from './softfloat-arithmetic.ts'
import { fixedToFP, fpConvert, fpRoundInt, fpToFixed } from './softfloat-convert.ts'

/** A fraction, denominator positive. */
type Fraction = readonly [bigint, bigint]

/** The magnitude that an encoding stands for, reading infinity as the first number that is out of range. */
function magnitude(f: Format, bits: bigint): Fraction {
  const field = Number(bits >> BigInt(f.fractionBits))
  const fraction = bits & ((1n << BigInt(f.fractionBits)) - 1n)
  const significand = field === 0 ? fraction : fraction + (1n << BigInt(f.fractionBits))
  const exponent = Math.max(field, 1) - (2 ** (f.exponentBits - 1) - 1) - f.fractionBits
  return exponent >= 0 ? [significand << BigInt(exponent), 1n] : [significand, 1n << BigInt(-exponent)]
}

const exactValue = (f: Format, bits: bigint): Fraction => {
  const sign = bits >> BigInt(f.width - 1)
  const [n, d] = magnitude(f, bits & ((1n << BigInt(f.width - 1)) - 1n))
  return [sign ? -n : n, d]
}

/** -1, 0, 1 as the exact magnitude is below, at or above the fraction. */
type Compare = (against: Fraction) => number
const compareWith =
  ([n, d]: Fraction): Compare =>
  ([m, e]) => {
    const left = n * e
    const right = m * d
    return left < right ? -1 : left > right ? 1 : 0
  }

const middle = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, 2n * b * d]

/** The rounded encoding and FPSR bits for a positive or negative exact magnitude, by IEEE 754's definition. */
function reference(f: Format, negative: boolean, compare: Compare, mode: Rounding): { bits: bigint; fpsr: number } {
  const infinity = BigInt(2 ** f.exponentBits - 1) << BigInt(f.fractionBits)
  let low = 0n
  let high = infinity + 1n
  while (high - low > 1n) {
    const probe = (low + high) >> 1n
    if (compare(magnitude(f, probe)) >= 0) low = probe
    else high = probe
  }
  const down = low
  const beyond = down === infinity
  const exactly = !beyond && compare(magnitude(f, down)) === 0
  const tie = beyond ? 1 : compare(middle(magnitude(f, down), magnitude(f, down + 1n)))
  let up = false
  if (mode === Rounding.TIEEVEN) up = tie > 0 || (tie === 0 && (down & 1n) === 1n)
  if (mode === Rounding.TIEAWAY) up = tie >= 0
  if (mode === Rounding.POSINF) up = !negative
  if (mode === Rounding.NEGINF) up = negative
  let bits = exactly ? down : up ? down + 1n : down
  if (mode === Rounding.ODD && !exactly && !(down & 1n)) bits = down + 1n
  let fpsr = exactly ? 0 : FPSR.IXC
  const minNormal = 1n << BigInt(f.fractionBits)
  if (down < minNormal && !exactly) fpsr |= FPSR.UFC
  if (beyond || bits >= infinity) {
    fpsr |= FPSR.OFC | FPSR.IXC
    const toInfinity = mode === Rounding.TIEEVEN || mode === Rounding.TIEAWAY || up
    bits = toInfinity && mode !== Rounding.ODD ? infinity : infinity - 1n
  }
  return { bits: negative ? bits | (1n << BigInt(f.width - 1)) : bits, fpsr }
}

const directed: Rounding[] = [Rounding.TIEEVEN, Rounding.POSINF, Rounding.NEGINF, Rounding.ZERO]
const environment = (mode: Rounding): FpEnvironment => new FpEnvironment(mode << 22)

/** Non-zero finite encodings, crowded where rounding, cancellation, overflow and underflow happen. */
function finite(f: Format): fc.Arbitrary<bigint> {
  const top = BigInt(2 ** f.exponentBits - 2)
  const bias = BigInt(2 ** (f.exponentBits - 1) - 1)
  const field = fc.oneof(
    fc.bigInt(0n, top),
    fc.constantFrom(0n, 1n, 2n, top, top - 1n),
    fc.bigInt(bias - 4n, bias + 4n),
  )
  const ones = (1n << BigInt(f.fractionBits)) - 1n
  const fraction = fc.oneof(
    fc.bigInt(0n, ones),
    fc.constantFrom(0n, 1n, ones, ones - 1n, (ones + 1n) / 2n),
    fc.bigInt(0n, BigInt(f.fractionBits - 1)).map((s) => 1n << s),
  )
  return fc
    .tuple(fc.boolean(), field, fraction)
    .map(([s, e, m]) => (s ? 1n << BigInt(f.width - 1) : 0n) | (e << BigInt(f.fractionBits)) | m)
    .filter((bits) => (bits & ((1n << BigInt(f.width - 1)) - 1n)) !== 0n)
}

const formats = [single, double]
const cases = fc.constantFrom(...formats).chain((f) => fc.tuple(fc.constant(f), finite(f), finite(f), finite(f)))
const mode = fc.constantFrom(...directed)

function expectRounded(f: Format, exact: Fraction, m: Rounding, run: (env: FpEnvironment) => bigint): void {
  const env = environment(m)
  const bits = run(env)
  const [n, d] = exact
  const zero = m === Rounding.NEGINF ? 1n << BigInt(f.width - 1) : 0n
  const expected = n === 0n ? { bits: zero, fpsr: 0 } : reference(f, n < 0n, compareWith([n < 0n ? -n : n, d]), m)
  expect({ bits: bits.toString(16), fpsr: env.fpsr }).toEqual({ bits: expected.bits.toString(16), fpsr: expected.fpsr })
}

const add = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d]
const mul = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]
const neg = ([a, b]: Fraction): Fraction => [-a, b]
/** `npm run test:long` makes it longer. */
const times = Number(process.env['VGIC_STEPS'] ?? 1)
const runs = { numRuns: 300 * times }

it('FPAdd and FPMul round the exact result once in every mode (DDI 0487 FPAdd, FPMul, FPRound)', () => {
  fc.assert(
    fc.property(cases, mode, ([f, a, b], m) => {
      expectRounded(f, add(exactValue(f, a), exactValue(f, b)), m, (env) => fpAdd(f, a, b, env))
      expectRounded(f, mul(exactValue(f, a), exactValue(f, b)), m, (env) => fpMul(f, a, b, env))
    }),
    runs,
  )
})

it('FPDiv rounds the exact quotient once in every mode (DDI 0487 FPDiv)', () => {
  fc.assert(
    fc.property(cases, mode, ([f, a, b], m) => {
      const [n, d] = exactValue(f, b)
      const inverse: Fraction = n < 0n ? [-d, -n] : [d, n]
      expectRounded(f, mul(exactValue(f, a), inverse), m, (env) => fpDiv(f, a, b, env))
    }),
    runs,
  )
})

it('FPMulAdd rounds product and sum together, once (DDI 0487 FPMulAdd)', () => {
  fc.assert(
    fc.property(cases, mode, ([f, c, a, b], m) => {
      expectRounded(f, add(exactValue(f, c), mul(exactValue(f, a), exactValue(f, b))), m, (env) =>
        fpMulAdd(f, c, a, b, env),
      )
    }),
    runs,
  )
})

it('FPMulAdd rounds a product that is almost cancelled by the addend (DDI 0487 FPMulAdd)', () => {
  fc.assert(
    fc.property(cases, mode, fc.integer({ min: -2, max: 2 }), ([f, , a, b], m, step) => {
      const rounded = fpMul(f, a, b, new FpEnvironment())
      const magnitudeBits = rounded & (f.signBit - 1n)
      if (magnitudeBits < 4n || magnitudeBits + 4n >= BigInt(f.exponentOnes) << BigInt(f.fractionBits)) return
      const c = (rounded + BigInt(step)) ^ f.signBit
      expectRounded(f, add(exactValue(f, c), mul(exactValue(f, a), exactValue(f, b))), m, (env) =>
        fpMulAdd(f, c, a, b, env),
      )
    }),
    runs,
  )
})

it('FPSqrt rounds the exact root once in every mode (DDI 0487 FPSqrt)', () => {
  fc.assert(
    fc.property(cases, mode, ([f, signed], m) => {
      const a = signed & (f.signBit - 1n)
      const [n, d] = exactValue(f, a)
      const expected = reference(f, false, ([p, q]) => compareWith([n, d])([p * p, q * q]), m)
      const env = environment(m)
      expect({ bits: fpSqrt(f, a, env), fpsr: env.fpsr }).toEqual(expected)
    }),
    runs,
  )
})

it('the step instructions round 2 - ab and (3 - ab) / 2 once (DDI 0487 FPRecipStepFused, FPRSqrtStepFused)', () => {
  fc.assert(
    fc.property(cases, mode, ([f, a, b], m) => {
      const product = neg(mul(exactValue(f, a), exactValue(f, b)))
      expectRounded(f, add([2n, 1n], product), m, (env) => fpRecipStepFused(f, a, b, env))
      expectRounded(f, mul([1n, 2n], add([3n, 1n], product)), m, (env) => fpRSqrtStepFused(f, a, b, env))
    }),
    runs,
  )
})

it('FPConvert rounds between all three formats, to odd too (DDI 0487 FPConvert, FCVTXN)', () => {
  const any = fc.constantFrom(half, single, double)
  const both = any.chain((from) => fc.tuple(fc.constant(from), any, finite(from)))
  fc.assert(
    fc.property(both, fc.constantFrom(...directed, Rounding.ODD), ([from, to, a], m) => {
      const [n, d] = exactValue(from, a)
      const env = environment(m === Rounding.ODD ? Rounding.TIEEVEN : m)
      const bits = fpConvert(from, to, a, env, m)
      const expected = reference(to, n < 0n, compareWith([n < 0n ? -n : n, d]), m)
      expect({ bits: bits.toString(16), fpsr: env.fpsr }).toEqual({
        bits: expected.bits.toString(16),
        fpsr: expected.fpsr,
      })
    }),
    { numRuns: 600 * times },
  )
})

/** The integer that a fraction rounds to, from floor division alone. */
function integer([n, d]: Fraction, m: Rounding): bigint {
  const floor = n >= 0n ? n / d : -((-n + d - 1n) / d)
  const twice = 2n * (n - floor * d) - d
  if (m === Rounding.NEGINF) return floor
  const ceiling = floor * d === n ? floor : floor + 1n
  if (m === Rounding.POSINF) return ceiling
  if (m === Rounding.ZERO) return n >= 0n ? floor : ceiling
  if (twice !== 0n) return twice > 0n ? ceiling : floor
  if (m === Rounding.TIEAWAY) return n >= 0n ? ceiling : floor
  return floor % 2n === 0n ? floor : ceiling
}

const toInteger = fc.constantFrom(...directed, Rounding.TIEAWAY)

it('FPToFixed rounds, saturates and flags (DDI 0487 FPToFixed: Invalid Operation excludes Inexact)', () => {
  const width = fc.constantFrom(32, 64)
  fc.assert(
    fc.property(
      cases,
      toInteger,
      width,
      fc.boolean(),
      fc.integer({ min: 0, max: 64 }),
      ([f, a], m, w, unsigned, fb) => {
        const [n, d] = mul(exactValue(f, a), [1n << BigInt(fb), 1n])
        const rounded = integer([n, d], m)
        const wrapped = unsigned ? BigInt.asUintN(w, rounded) : BigInt.asIntN(w, rounded)
        const limit = unsigned ? (n < 0n ? 0n : 2n ** BigInt(w) - 1n) : 2n ** BigInt(w - 1) - (n < 0n ? 0n : 1n)
        const saturated = wrapped === rounded ? rounded : n < 0n ? -limit : limit
        const fpsr = wrapped !== rounded ? FPSR.IOC : rounded * d === n ? 0 : FPSR.IXC
        const env = new FpEnvironment()
        const result = fpToFixed(f, a, fb, unsigned, w, m, env)
        expect({ result, fpsr: env.fpsr }).toEqual({ result: BigInt.asUintN(w, saturated), fpsr })
      },
    ),
    { numRuns: 600 * times },
  )
})

it('FixedToFP rounds 64-bit integers and fixed-point numbers (DDI 0487 FixedToFP)', () => {
  const operand = fc.oneof(
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.bigInt(0n, 2n ** 12n),
    fc.bigInt(2n ** 63n - 9n, 2n ** 63n + 9n),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...formats),
      operand,
      mode,
      fc.boolean(),
      fc.integer({ min: 0, max: 64 }),
      (f, x, m, u, fb) => {
        const value = u ? x : BigInt.asIntN(64, x)
        if (value === 0n) return
        expectRounded(f, [value, 1n << BigInt(fb)], m, (env) => fixedToFP(f, x, fb, u, 64, m, env))
      },
    ),
    runs,
  )
})

it('FPRoundInt rounds to an integral value and keeps the sign of a zero (DDI 0487 FPRoundInt)', () => {
  fc.assert(
    fc.property(cases, toInteger, fc.boolean(), ([f, a], m, exact) => {
      const [n, d] = exactValue(f, a)
      const rounded = integer([n, d], m)
      const env = new FpEnvironment()
      const bits = fpRoundInt(f, a, m, exact, env)
      expect(bits >> BigInt(f.width - 1)).toBe(n < 0n ? 1n : 0n)
      expect(compareWith(exactValue(f, bits))([rounded, 1n])).toBe(0)
      expect(env.fpsr).toBe(exact && rounded * d !== n ? FPSR.IXC : 0)
    }),
    runs,
  )
})
