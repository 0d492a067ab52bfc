/**
 * Scalar arithmetic with FPSR clear, against soft-float: the rounding error that decides about FPSR.IXC must be seen when it is there and
 * not when it is not. Operands have short fractions, so that half of the results are exact.
 */
import { expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { rows } from '../rows.ts'
import { Random } from './differential/cases.ts'
import { compile, cpuAddress } from './differential/constant-tier.ts'
import { FPSR, FpEnvironment } from './environment.ts'
import { double, type Format, single } from './format.ts'
import { fpAdd, fpDiv, fpMul, fpMulAdd, fpNeg, fpSqrt, fpSub } from './softfloat-arithmetic.ts'
import { fpConvert } from './softfloat-convert.ts'

type Reference = (f: Format, a: bigint, b: bigint, c: bigint, env: FpEnvironment) => bigint

/** d0 <- d1, d2, d3. Bit 22 makes the double form. */
const instructions: readonly (readonly [name: string, word: number, reference: Reference])[] = [
  ['FADD', 0x1e222820, (f, a, b, _c, env) => fpAdd(f, a, b, env)],
  ['FSUB', 0x1e223820, (f, a, b, _c, env) => fpSub(f, a, b, env)],
  ['FMUL', 0x1e220820, (f, a, b, _c, env) => fpMul(f, a, b, env)],
  ['FNMUL', 0x1e228820, (f, a, b, _c, env) => fpNeg(f, fpMul(f, a, b, env))],
  ['FDIV', 0x1e221820, (f, a, b, _c, env) => fpDiv(f, a, b, env)],
  ['FSQRT', 0x1e21c020, (f, a, _b, _c, env) => fpSqrt(f, a, env)],
  ['FMADD', 0x1f020c20, (f, a, b, c, env) => fpMulAdd(f, c, a, b, env)],
  ['FMSUB', 0x1f028c20, (f, a, b, c, env) => fpMulAdd(f, c, fpNeg(f, a), b, env)],
]

/** A number of few bits, or a square or a quotient of such, in the middle of the range or anywhere in it. */
function operand(f: Format, random: Random): bigint {
  const fractionBits = f.fractionBits
  const anywhere = random.below(8) === 0
  const bias = 2 ** (f.exponentBits - 1) - 1
  const field = anywhere ? random.below(f.exponentOnes) : bias - 8 + random.below(16)
  const kept = random.below(3) ? random.below(12) : random.below(fractionBits)
  const noise = (BigInt(random.next()) << 32n) | BigInt(random.next())
  const fraction = noise & f.fractionMask & ~((1n << BigInt(fractionBits - kept)) - 1n)
  return (random.below(2) ? f.signBit : 0n) | (BigInt(field) << BigInt(fractionBits)) | fraction
}

it('FPSR.IXC is set by inexact results alone, from a clear FPSR (DDI 0487 FPSR.IXC, IEEE 754 7.6)', () => {
  const random = new Random(8)
  const words = instructions.flatMap(([, word]) => [word, (word | (1 << 22)) >>> 0])
  const { memory, run } = compile(words, rows)
  const state = new DataView(memory.buffer, cpuAddress)
  const seen = { exact: 0, inexact: 0 }
  for (let i = 0; i < 30_000; i++) {
    const index = i % words.length
    const f = index % 2 ? double : single
    const [name, , reference] = instructions[index >> 1]!
    const a = operand(f, random)
    let [b, c] = [operand(f, random), operand(f, random)]
    if (random.below(3) === 0) {
      // An exact square, quotient or cancellation.
      c = fpNeg(f, fpMul(f, a, b, new FpEnvironment()))
      b = random.below(2) ? b : a
    }
    for (const [register, value] of [a, b, c].entries()) {
      state.setBigUint64(STATE.V + 16 * (register + 1), value, true)
    }
    state.setUint32(STATE.FPSR, 0, true)
    const env = new FpEnvironment()
    const expected = reference(f, a, b, c, env)
    run(index)
    const result = state.getBigUint64(STATE.V, true)
    const fpsr = state.getUint32(STATE.FPSR, true)
    expect([result.toString(16), fpsr], `${name} ${a.toString(16)} ${b.toString(16)} ${c.toString(16)}`).toEqual([
      expected.toString(16),
      env.fpsr,
    ])
    seen[fpsr & FPSR.IXC ? 'inexact' : 'exact']++
  }
  expect(seen.exact).toBeGreaterThan(9_000)
  expect(seen.inexact).toBeGreaterThan(9_000)
})

it('FCVT to single sets IXC only for doubles that a single cannot hold (DDI 0487 FPConvert)', () => {
  const random = new Random(9)
  const { memory, run } = compile([0x1e624020], rows)
  const state = new DataView(memory.buffer, cpuAddress)
  for (let i = 0; i < 4000; i++) {
    const a = operand(double, random)
    state.setBigUint64(STATE.V + 16, a, true)
    state.setUint32(STATE.FPSR, 0, true)
    const env = new FpEnvironment()
    const expected = fpConvert(double, single, a, env)
    run(0)
    const got = [state.getBigUint64(STATE.V, true).toString(16), state.getUint32(STATE.FPSR, true)]
    expect(got, a.toString(16)).toEqual([expected.toString(16), env.fpsr])
  }
})

it('a product that rounds up to the smallest normal number underflows, also where IXC is set (FPRound: tiny before rounding)', () => {
  // FMUL s0, s1, s2; FMUL d0, d1, d2; FMUL v0.4s, v1.4s, v2.4s; FDIV d0, d1, d2; FCVT s0, d1
  const words = [0x1e220820, 0x1e620820, 0x6e22dc20, 0x1e621820, 0x1e624020]
  const { memory, run } = compile(words, rows)
  const state = new DataView(memory.buffer, cpuAddress)
  const singles = 0x3f7fffff3f7fffffn
  const operands: readonly (readonly [bigint, bigint])[] = [
    [0x3f7fffffn, 0x00800000n],
    [0x3fefffffffffffffn, 0x0010000000000000n],
    [singles, 0x0080000000800000n],
    [0x001fffffffffffffn, 0x4000000000000000n],
    [0x380fffffffffffffn, 0n],
  ]
  for (const [index, [a, b]] of operands.entries()) {
    for (const half of [0, 8]) {
      state.setBigUint64(STATE.V + 16 + half, a, true)
      state.setBigUint64(STATE.V + 32 + half, b, true)
    }
    state.setUint32(STATE.FPSR, FPSR.IXC, true)
    run(index)
    const smallest = [0x00800000n, 0x0010000000000000n, 0x0080000000800000n, 0x0010000000000000n, 0x00800000n][index]
    expect(state.getBigUint64(STATE.V, true), `${index}`).toBe(smallest)
    expect(state.getUint32(STATE.FPSR, true), `${index}`).toBe(FPSR.IXC | FPSR.UFC)
  }
})
