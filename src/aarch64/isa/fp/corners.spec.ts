/**
 * Scalar arithmetic on zeros, infinities, NaNs, denormals and the largest numbers, from a clear FPSR: the cases where wasm's result is
 * right and its flags must still be told. Single cases come from IEEE 754; every pair of special numbers is held against soft-float.
 */
import { describe, expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { rows } from '../rows.ts'
import { specials } from './differential/cases.ts'
import { compile, cpuAddress } from './differential/constant-tier.ts'
import { FPCR, FPSR, FpEnvironment } from './environment.ts'
import { double, type Format, single } from './format.ts'
import { fpAdd, fpDiv, fpMul, fpMulAdd, fpNeg, fpSqrt, fpSub } from './softfloat-arithmetic.ts'
import { fpMax, fpMaxNum, fpMin, fpMinNum } from './softfloat-compare.ts'

type Reference = (f: Format, a: bigint, b: bigint, c: bigint, env: FpEnvironment) => bigint

/** The single form, d0 <- d1, d2, d3; bit 22 makes the double form. */
const instructions = {
  FADD: [0x1e222820, (f, a, b, _c, env) => fpAdd(f, a, b, env)],
  FSUB: [0x1e223820, (f, a, b, _c, env) => fpSub(f, a, b, env)],
  FMUL: [0x1e220820, (f, a, b, _c, env) => fpMul(f, a, b, env)],
  FNMUL: [0x1e228820, (f, a, b, _c, env) => fpNeg(f, fpMul(f, a, b, env))],
  FDIV: [0x1e221820, (f, a, b, _c, env) => fpDiv(f, a, b, env)],
  FMAX: [0x1e224820, (f, a, b, _c, env) => fpMax(f, a, b, env)],
  FMIN: [0x1e225820, (f, a, b, _c, env) => fpMin(f, a, b, env)],
  FMAXNM: [0x1e226820, (f, a, b, _c, env) => fpMaxNum(f, a, b, env)],
  FMINNM: [0x1e227820, (f, a, b, _c, env) => fpMinNum(f, a, b, env)],
  FSQRT: [0x1e21c020, (f, a, _b, _c, env) => fpSqrt(f, a, env)],
  FMADD: [0x1f020c20, (f, a, b, c, env) => fpMulAdd(f, c, a, b, env)],
  FNMSUB: [0x1f228c20, (f, a, b, c, env) => fpMulAdd(f, fpNeg(f, c), a, b, env)],
} as const satisfies Record<string, readonly [number, Reference]>
type Name = keyof typeof instructions
const names = Object.keys(instructions) as Name[]
const { memory, run } = compile(
  names.flatMap((name) => [instructions[name][0], (instructions[name][0] | (1 << 22)) >>> 0]),
  rows,
)
const state = new DataView(memory.buffer, cpuAddress)

/** Result in d0 and FPSR of one instruction. */
function execute(name: Name, f: Format, operands: readonly bigint[], fpcr = 0, fpsr = 0): [string, number] {
  for (const [register, value] of operands.entries()) state.setBigUint64(STATE.V + 16 * (register + 1), value, true)
  state.setUint32(STATE.FPCR, fpcr, true)
  state.setUint32(STATE.FPSR, fpsr, true)
  run(2 * names.indexOf(name) + (f === double ? 1 : 0))
  return [state.getBigUint64(STATE.V, true).toString(16), state.getUint32(STATE.FPSR, true)]
}

const infinity = { 32: 0x7f800000n, 64: 0x7ff0000000000000n, 16: 0n } as const
const three = { 32: 0x40400000n, 64: 0x4008000000000000n, 16: 0n } as const
const defaultNaN = { 32: 0x7fc00000n, 64: 0x7ff8000000000000n, 16: 0n } as const

describe.each([
  ['single', single],
  ['double', double],
] as const)('in %s precision', (_name, f) => {
  const [inf, number, zero] = [infinity[f.width], three[f.width], 0n]
  const minus = (x: bigint) => x | f.signBit
  const text = (x: bigint) => x.toString(16)

  it('zero and a number over infinity are exact zeros with the sign of the quotient (IEEE 754 6.1, 6.3; DDI 0487 FPDiv)', () => {
    for (const a of [zero, number]) {
      expect(execute('FDIV', f, [a, inf])).toEqual([text(zero), 0])
      expect(execute('FDIV', f, [minus(a), inf])).toEqual([text(minus(zero)), 0])
      expect(execute('FDIV', f, [a, minus(inf)])).toEqual([text(minus(zero)), 0])
      expect(execute('FDIV', f, [minus(a), minus(inf)])).toEqual([text(zero), 0])
    }
  })

  it('zero over a number, and zero times one, are exact zeros (IEEE 754 6.3, 7.6)', () => {
    expect(execute('FDIV', f, [zero, minus(number)])).toEqual([text(minus(zero)), 0])
    expect(execute('FMUL', f, [minus(zero), minus(number)])).toEqual([text(zero), 0])
    expect(execute('FNMUL', f, [zero, number])).toEqual([text(minus(zero)), 0])
    expect(execute('FMADD', f, [zero, number, zero])).toEqual([text(zero), 0])
    expect(execute('FSQRT', f, [minus(zero)])).toEqual([text(minus(zero)), 0])
  })

  it('infinity added to, multiplied and divided by a number is exact (IEEE 754 6.1)', () => {
    expect(execute('FADD', f, [minus(number), inf])).toEqual([text(inf), 0])
    expect(execute('FSUB', f, [number, inf])).toEqual([text(minus(inf)), 0])
    expect(execute('FMUL', f, [inf, minus(number)])).toEqual([text(minus(inf)), 0])
    expect(execute('FDIV', f, [inf, number])).toEqual([text(inf), 0])
    expect(execute('FDIV', f, [inf, zero])).toEqual([text(inf), 0])
    expect(execute('FSQRT', f, [inf])).toEqual([text(inf), 0])
    expect(execute('FMADD', f, [number, number, minus(inf)])).toEqual([text(minus(inf)), 0])
  })

  it('what has no value is the default NaN and invalid, and a number over zero an infinity that tells it (IEEE 754 7.2, 7.3)', () => {
    const nan = text(defaultNaN[f.width])
    expect(execute('FMUL', f, [zero, inf])).toEqual([nan, FPSR.IOC])
    expect(execute('FDIV', f, [zero, minus(zero)])).toEqual([nan, FPSR.IOC])
    expect(execute('FDIV', f, [inf, minus(inf)])).toEqual([nan, FPSR.IOC])
    expect(execute('FSUB', f, [inf, inf])).toEqual([nan, FPSR.IOC])
    expect(execute('FSQRT', f, [minus(number)])).toEqual([nan, FPSR.IOC])
    expect(execute('FMADD', f, [zero, inf, number])).toEqual([nan, FPSR.IOC])
    expect(execute('FDIV', f, [number, minus(zero)])).toEqual([text(minus(inf)), FPSR.DZC])
  })

  it('every pair of special numbers gives the result and the flags of soft-float, in each mode (DDI 0487 shared/functions/float)', () => {
    const values = (f === double ? specials[3] : specials[2]).map(BigInt)
    const wrong: string[] = []
    let compared = 0
    for (const fpcr of [0, FPCR.FZ, FPCR.DN, 1 << 22, 2 << 22, 3 << 22]) {
      for (const name of names) {
        for (const [index, a] of values.entries()) {
          for (const b of values) {
            const operands = [a, b, values[(index * 7 + compared) % values.length]!]
            for (const fpsr of fpcr === 0 ? [0, FPSR.IXC] : [0]) {
              const env = new FpEnvironment(fpcr, fpsr)
              const [, reference] = instructions[name]
              const expected = [text((reference as Reference)(f, a, b, operands[2]!, env)), env.fpsr]
              const found = execute(name, f, operands, fpcr, fpsr)
              compared++
              if (found.join() !== expected.join())
                wrong.push(
                  `${name} ${operands.map(text).join(' ')}, FPCR ${fpcr.toString(16)}: ${found} not ${expected}`,
                )
            }
          }
        }
      }
    }
    expect(wrong.slice(0, 10)).toEqual([])
    expect(compared).toBeGreaterThan(100_000)
  })
})
