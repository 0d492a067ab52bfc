/**
 * Integer Advanced SIMD against the element-wise definitions of DDI 0487 in integer arithmetic: what each result lane is, from the
 * operands' lanes, without widths, wrap-around or wasm. The reference shares nothing with the kernels.
 */
import { expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { Random } from '../fp/differential/cases.ts'
import { compile, cpuAddress } from '../fp/differential/constant-tier.ts'
import { FPSR } from '../fp/environment.ts'
import { rows } from '../rows.ts'

/** A lane in both readings. */
interface Lane {
  readonly s: bigint
  readonly u: bigint
}

interface Element {
  readonly bits: number
  saturated: boolean
}

/** SatQ: clamps to `bits` and notes it. */
function sat(e: Element, value: bigint, signed: boolean, bits = e.bits): bigint {
  const largest = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  const smallest = signed ? -largest - 1n : 0n
  const clamped = value > largest ? largest : value < smallest ? smallest : value
  if (clamped !== value) e.saturated = true
  return clamped
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x)
const max = (x: bigint, y: bigint): bigint => (x > y ? x : y)
const min = (x: bigint, y: bigint): bigint => (x < y ? x : y)
const truth = (x: boolean): bigint => (x ? -1n : 0n)
/** Division by a power of two, towards minus infinity, after adding half of it if rounding. */
const shift = (x: bigint, by: bigint, round: boolean): bigint =>
  by >= 0n ? x << by : (x + (round ? 1n << (-by - 1n) : 0n)) >> -by
const amount = (x: Lane): bigint => BigInt.asIntN(8, x.u)

type Definition = (e: Element, n: Lane, m: Lane, d: Lane) => bigint

/** Word of `v0.T, v1.T, v2.T` with Q and size clear, sizes that exist, definition. Scalar forms are added where they exist. */
const three: readonly (readonly [
  name: string,
  word: number,
  sizes: string,
  definition: Definition,
  scalar?: string,
])[] = [
  ['SHADD', 0x0e220420, '012', (_e, n, m) => (n.s + m.s) >> 1n],
  ['UHADD', 0x2e220420, '012', (_e, n, m) => (n.u + m.u) >> 1n],
  ['SQADD', 0x0e220c20, '0123', (e, n, m) => sat(e, n.s + m.s, true), '0123'],
  ['UQADD', 0x2e220c20, '0123', (e, n, m) => sat(e, n.u + m.u, false), '0123'],
  ['SRHADD', 0x0e221420, '012', (_e, n, m) => (n.s + m.s + 1n) >> 1n],
  ['URHADD', 0x2e221420, '012', (_e, n, m) => (n.u + m.u + 1n) >> 1n],
  ['SHSUB', 0x0e222420, '012', (_e, n, m) => (n.s - m.s) >> 1n],
  ['UHSUB', 0x2e222420, '012', (_e, n, m) => (n.u - m.u) >> 1n],
  ['SQSUB', 0x0e222c20, '0123', (e, n, m) => sat(e, n.s - m.s, true), '0123'],
  ['UQSUB', 0x2e222c20, '0123', (e, n, m) => sat(e, n.u - m.u, false), '0123'],
  ['CMGT', 0x0e223420, '0123', (_e, n, m) => truth(n.s > m.s), '3'],
  ['CMHI', 0x2e223420, '0123', (_e, n, m) => truth(n.u > m.u), '3'],
  ['CMGE', 0x0e223c20, '0123', (_e, n, m) => truth(n.s >= m.s), '3'],
  ['CMHS', 0x2e223c20, '0123', (_e, n, m) => truth(n.u >= m.u), '3'],
  ['SSHL', 0x0e224420, '0123', (_e, n, m) => shift(n.s, amount(m), false), '3'],
  ['USHL', 0x2e224420, '0123', (_e, n, m) => shift(n.u, amount(m), false), '3'],
  ['SQSHL', 0x0e224c20, '0123', (e, n, m) => sat(e, shift(n.s, amount(m), false), true), '0123'],
  ['UQSHL', 0x2e224c20, '0123', (e, n, m) => sat(e, shift(n.u, amount(m), false), false), '0123'],
  ['SRSHL', 0x0e225420, '0123', (_e, n, m) => shift(n.s, amount(m), true), '3'],
  ['URSHL', 0x2e225420, '0123', (_e, n, m) => shift(n.u, amount(m), true), '3'],
  ['SQRSHL', 0x0e225c20, '0123', (e, n, m) => sat(e, shift(n.s, amount(m), true), true), '0123'],
  ['UQRSHL', 0x2e225c20, '0123', (e, n, m) => sat(e, shift(n.u, amount(m), true), false), '0123'],
  ['SMAX', 0x0e226420, '012', (_e, n, m) => max(n.s, m.s)],
  ['UMAX', 0x2e226420, '012', (_e, n, m) => max(n.u, m.u)],
  ['SMIN', 0x0e226c20, '012', (_e, n, m) => min(n.s, m.s)],
  ['UMIN', 0x2e226c20, '012', (_e, n, m) => min(n.u, m.u)],
  ['SABD', 0x0e227420, '012', (_e, n, m) => abs(n.s - m.s)],
  ['UABD', 0x2e227420, '012', (_e, n, m) => abs(n.u - m.u)],
  ['SABA', 0x0e227c20, '012', (_e, n, m, d) => d.s + abs(n.s - m.s)],
  ['UABA', 0x2e227c20, '012', (_e, n, m, d) => d.u + abs(n.u - m.u)],
  ['ADD', 0x0e228420, '0123', (_e, n, m) => n.s + m.s, '3'],
  ['SUB', 0x2e228420, '0123', (_e, n, m) => n.s - m.s, '3'],
  ['CMTST', 0x0e228c20, '0123', (_e, n, m) => truth((n.u & m.u) !== 0n), '3'],
  ['CMEQ', 0x2e228c20, '0123', (_e, n, m) => truth(n.s === m.s), '3'],
  ['MLA', 0x0e229420, '012', (_e, n, m, d) => d.s + n.s * m.s],
  ['MLS', 0x2e229420, '012', (_e, n, m, d) => d.s - n.s * m.s],
  ['MUL', 0x0e229c20, '012', (_e, n, m) => n.s * m.s],
  ['SQDMULH', 0x0e22b420, '12', (e, n, m) => sat(e, (2n * n.s * m.s) >> BigInt(e.bits), true), '12'],
  [
    'SQRDMULH',
    0x2e22b420,
    '12',
    (e, n, m) => sat(e, (2n * n.s * m.s + (1n << BigInt(e.bits - 1))) >> BigInt(e.bits), true),
    '12',
  ],
]

/** `v0.T, v1.T`: the definition's second operand is unused. */
const two: typeof three = [
  ['SUQADD', 0x0e203820, '0123', (e, n, _m, d) => sat(e, n.u + d.s, true), '0123'],
  ['USQADD', 0x2e203820, '0123', (e, n, _m, d) => sat(e, n.s + d.u, false), '0123'],
  [
    'CLS',
    0x0e204820,
    '012',
    (e, n) => BigInt(e.bits - 1 - (n.s < 0n ? ~n.s : n.s).toString(2).length + (n.s === 0n || n.s === -1n ? 1 : 0)),
  ],
  ['CLZ', 0x2e204820, '012', (e, n) => BigInt(e.bits - (n.u === 0n ? 0 : n.u.toString(2).length))],
  ['CNT', 0x0e205820, '0', (_e, n) => BigInt(n.u.toString(2).replaceAll('0', '').length)],
  ['SQABS', 0x0e207820, '0123', (e, n) => sat(e, abs(n.s), true), '0123'],
  ['SQNEG', 0x2e207820, '0123', (e, n) => sat(e, -n.s, true), '0123'],
  ['CMGT #0', 0x0e208820, '0123', (_e, n) => truth(n.s > 0n), '3'],
  ['CMGE #0', 0x2e208820, '0123', (_e, n) => truth(n.s >= 0n), '3'],
  ['CMEQ #0', 0x0e209820, '0123', (_e, n) => truth(n.s === 0n), '3'],
  ['CMLE #0', 0x2e209820, '0123', (_e, n) => truth(n.s <= 0n), '3'],
  ['CMLT #0', 0x0e20a820, '0123', (_e, n) => truth(n.s < 0n), '3'],
  ['ABS', 0x0e20b820, '0123', (_e, n) => abs(n.s), '3'],
  ['NEG', 0x2e20b820, '0123', (_e, n) => -n.s, '3'],
]

interface Case {
  readonly label: string
  readonly word: number
  readonly bits: number
  readonly lanes: number
  readonly definition: Definition
}

/** Every arrangement of an instruction. */
const cases: readonly Case[] = [...three, ...two].flatMap(([name, word, sizes, definition, scalar = '']) => {
  const list: Case[] = []
  for (const size of [0, 1, 2, 3]) {
    const bits = 8 << size
    const sized = (word | (size << 22)) >>> 0
    const label = `${name} ${bits}`
    if (sizes.includes(`${size}`)) {
      if (size < 3) list.push({ label: `${label} half`, word: sized, bits, lanes: 64 / bits, definition })
      list.push({ label: `${label} full`, word: (sized | (1 << 30)) >>> 0, bits, lanes: 128 / bits, definition })
    }
    if (scalar.includes(`${size}`)) {
      list.push({ label: `${label} scalar`, word: (sized | 0x50000000) >>> 0, bits, lanes: 1, definition })
    }
  }
  return list
})

/** 128 bits with many zeros, ones, extremes and small numbers at every lane size. */
function operand(random: Random): bigint {
  const step = 8 << random.below(4)
  let value = 0n
  for (let at = 0; at < 128; at += step) {
    const noise = (BigInt(random.next()) << 32n) | BigInt(random.next())
    const top = 1n << BigInt(step - 1)
    const lane = random.pick([noise, noise, 0n, -1n, top, top - 1n, top + 1n, 1n, BigInt(random.below(140)) - 70n])
    value |= BigInt.asUintN(step, lane) << BigInt(at)
  }
  return value
}

it('every lane is what its element-wise definition says, the rest of the register is zero, and QC tells of saturation', () => {
  const random = new Random(77)
  const { memory, run } = compile(
    cases.map(({ word }) => word),
    rows,
  )
  const state = new DataView(memory.buffer, cpuAddress)
  const write = (register: number, value: bigint): void => {
    state.setBigUint64(STATE.V + 16 * register, BigInt.asUintN(64, value), true)
    state.setBigUint64(STATE.V + 16 * register + 8, value >> 64n, true)
  }
  let saturations = 0
  for (const [index, { label, bits, lanes, definition }] of cases.entries()) {
    for (let repeat = 0; repeat < 40; repeat++) {
      const [d, n, m] = [operand(random), operand(random), operand(random)]
      for (const [register, value] of [d, n, m].entries()) write(register, value)
      state.setUint32(STATE.FPSR, 0, true)
      run(index)
      const lane = (value: bigint, i: number): Lane => {
        const u = BigInt.asUintN(bits, value >> BigInt(i * bits))
        return { u, s: BigInt.asIntN(bits, u) }
      }
      const element: Element = { bits, saturated: false }
      let expected = 0n
      for (let i = 0; i < lanes; i++) {
        const value = definition(element, lane(n, i), lane(m, i), lane(d, i))
        expected |= BigInt.asUintN(bits, value) << BigInt(i * bits)
      }
      const result = (state.getBigUint64(STATE.V + 8, true) << 64n) | state.getBigUint64(STATE.V, true)
      const operands = `${label}: n ${n.toString(16)} m ${m.toString(16)} d ${d.toString(16)}`
      expect(result.toString(16), operands).toBe(expected.toString(16))
      expect(state.getUint32(STATE.FPSR, true), operands).toBe(element.saturated ? FPSR.QC : 0)
      if (element.saturated) saturations++
    }
  }
  expect(saturations).toBeGreaterThan(1000)
})
