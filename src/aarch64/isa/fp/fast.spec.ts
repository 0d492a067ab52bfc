/**
 * The two paths of every floating-point instruction against each other: wasm's arithmetic (taken when FPSR.IXC is set and FPCR is
 * zero) and soft-float (taken when IXC is clear) must leave the same bits and raise the same flags. And the fused multiply-add alone.
 */
import { expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { wasm } from '../../wasm/api.ts'
import { Code } from '../../wasm/code.ts'
import { Module } from '../../wasm/module.ts'
import type { Row } from '../row.ts'
import { simdRows } from '../simd/rows.ts'
import { fillCase, Random, randomWord } from './differential/cases.ts'
import { compile, cpuAddress, Decoder } from './differential/constant-tier.ts'
import { CASE, caseBytes } from './differential/qemu.ts'
import { FPSR, FpEnvironment } from './environment.ts'
import { fpExact, fpExactFor } from './exact.ts'
import { double, single } from './format.ts'
import { fusedDouble, fusedSingle } from './fused.ts'
import { fpRows } from './rows.ts'
import { fpMulAdd } from './softfloat-arithmetic.ts'

/** `npm run test:long` gives both: more of it, from another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 0)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const table: readonly Row[] = [...fpRows, ...simdRows]

it('with and without a known inexact result, the paths agree on results and flags of every instruction (IEEE 754 5.4, DDI 0487 FPSR)', () => {
  const random = new Random(seed + 20)
  const decoder = new Decoder(table)
  const perRow = times > 1 ? 30 : 10
  const words: number[] = []
  for (const row of fpRows) {
    for (let i = 0; i < perRow; i++) {
      const word = randomWord(row, random)
      if (decoder.find(word)) words.push(word)
    }
  }
  const { memory, run } = compile(words, table)
  const state = new DataView(memory.buffer, cpuAddress)
  const bytes = new Uint8Array(memory.buffer, cpuAddress)
  const registers = new Uint8Array(caseBytes)
  let sameFlags = 0
  for (const [index, word] of words.entries()) {
    fillCase(registers, 0, random)
    const attempt = (fpsr: number) => {
      bytes.set(registers.subarray(0, 512), STATE.V)
      bytes.set(registers.subarray(CASE.X, CASE.X + 128), STATE.X)
      state.setUint32(STATE.FPCR, 0, true)
      state.setUint32(STATE.FPSR, fpsr, true)
      state.setUint32(STATE.NZCV, 5, true)
      run(index)
      return {
        v: Buffer.from(bytes.subarray(STATE.V, STATE.V + 512)).toString('hex'),
        x: Buffer.from(bytes.subarray(STATE.X, STATE.X + 128)).toString('hex'),
        nzcv: state.getUint32(STATE.NZCV, true),
        fpsr: state.getUint32(STATE.FPSR, true) | FPSR.IXC,
      }
    }
    expect(attempt(FPSR.IXC), word.toString(16)).toEqual(attempt(0))
    sameFlags++
  }
  expect(sameFlags).toBeGreaterThan(160 * perRow)
})

/** Both fused functions as JavaScript functions of numbers. */
function fusedFunctions() {
  const module = new Module([fpExact], 1)
  for (const callee of [fusedDouble, fusedSingle]) {
    const code = new Code(callee.parameters)
    code.get(0).get(1).get(2).call(module.indexOf(callee))
    module.export(callee.name, module.define(callee, code))
  }
  const memory = new wasm.Memory({ initial: 1 })
  const imports = { host: { memory, fpExact: fpExactFor(memory) } }
  const { exports } = new wasm.Instance(new wasm.Module(module.encode()), imports)
  type Fused = (a: number, b: number, c: number) => [result: number, inexact: number]
  return { double: exports['fusedDouble'] as Fused, single: exports['fusedSingle'] as Fused }
}

const view = new DataView(new ArrayBuffer(8))
const bits64 = (x: number): bigint => {
  view.setFloat64(0, x)
  return view.getBigUint64(0)
}
const bits32 = (x: number): bigint => {
  view.setFloat32(0, x)
  return BigInt(view.getUint32(0))
}
const float64 = (bits: bigint): number => {
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}
const float32 = (bits: bigint): number => {
  view.setUint32(0, Number(bits))
  return view.getFloat32(0)
}

it('a fused double is rounded once, also when the addend almost cancels the product (DDI 0487 FPMulAdd)', () => {
  const fused = fusedFunctions().double
  const random = new Random(seed + 3)
  const word = () => (BigInt(random.next()) << 32n) | BigInt(random.next())
  const short = () => word() & (-1n << BigInt(random.below(53)))
  let taken = 0
  for (let i = 0; i < 4_000 * times; i++) {
    const exponent = () => BigInt(1023 - 60 + random.below(120)) << 52n
    const number = () => float64((word() & (1n << 63n)) | exponent() | (short() & ((1n << 52n) - 1n)))
    const a = number()
    const b = number()
    let c = number()
    if (i % 3 > 0) {
      // Near minus the product, by up to a few units in the last place, or at some distance below it.
      const scale = i % 3 === 1 ? 0 : random.below(110)
      c = -(a * b) * 2 ** -scale
      if (random.below(2)) c = float64(bits64(c) + BigInt(random.below(5)) - 2n)
    }
    const [result, inexact] = fused(a, b, c)
    const environment = new FpEnvironment()
    const expected = fpMulAdd(double, bits64(c), bits64(a), bits64(b), environment)
    if (Number.isNaN(result)) continue
    taken++
    expect(bits64(result).toString(16), `${a} ${b} ${c}`).toBe(expected.toString(16))
    expect(environment.fpsr, `${a} ${b} ${c}`).toBe(inexact ? FPSR.IXC : 0)
  }
  expect(taken).toBeGreaterThan(3_800 * times)
})

it('a fused single is rounded once, and hands over what underflows to zero (DDI 0487 FPMulAdd)', () => {
  const fused = fusedFunctions().single
  const random = new Random(seed + 4)
  let taken = 0
  for (let i = 0; i < 4_000 * times; i++) {
    const number = () => {
      const fraction = (random.next() & 0x7fffff & (-1 << random.below(24))) >>> 0
      const exponent = i % 4 === 0 ? random.below(255) : 97 + random.below(60)
      return float32(BigInt((((random.below(2) << 31) | (exponent << 23)) >>> 0) + fraction))
    }
    const a = number()
    const b = number()
    let c = number()
    if (i % 3 > 0) c = Math.fround(-(a * b) * 2 ** -(i % 3 === 1 ? 0 : random.below(60)))
    const [result, inexact] = fused(a, b, c)
    const environment = new FpEnvironment()
    const expected = fpMulAdd(single, bits32(c), bits32(a), bits32(b), environment)
    const size = Math.abs(result)
    const ordinary = size > 2 ** -126 && size < Number.POSITIVE_INFINITY
    if (!ordinary && result !== 0) continue
    taken++
    expect(bits32(result).toString(16), `${a} ${b} ${c}`).toBe(expected.toString(16))
    expect(environment.fpsr, `${a} ${b} ${c}`).toBe(inexact ? FPSR.IXC : 0)
  }
  expect(taken).toBeGreaterThan(2_600 * times)
})
