/**
 * The door from generated code to the exact floating point of softfloat-*.ts: one host function for every operation and lane
 * shape. Operands and result pass through memory, at `SCRATCH`; flags go into the CPU's FPSR. Slow, and always right.
 */
import { MEMORY, STATE } from '../../state/state.ts'
import type { HostFunction, LibraryFunction } from '../../wasm/module.ts'
import { v128 } from '../../wasm/opcodes.ts'
import { FpEnvironment, type Rounding } from './environment.ts'
import { double, type Format, half, single } from './format.ts'
import {
  fpAbs,
  fpAdd,
  fpDiv,
  fpMul,
  fpMulAdd,
  fpMulX,
  fpNeg,
  fpRecipStepFused,
  fpRSqrtStepFused,
  fpSqrt,
  fpSub,
} from './softfloat-arithmetic.ts'
import {
  fpCompare,
  fpCompareEQ,
  fpCompareGE,
  fpCompareGT,
  fpMax,
  fpMaxNum,
  fpMin,
  fpMinNum,
} from './softfloat-compare.ts'
import { fixedToFP, fpConvert, fpRoundInt, fpToFixed } from './softfloat-convert.ts'
import {
  fpRecipEstimate,
  fpRecpX,
  fpRSqrtEstimate,
  unsignedRecipEstimate,
  unsignedRSqrtEstimate,
} from './softfloat-estimate.ts'

/** What an operation may need besides its operands. */
interface Context {
  readonly env: FpEnvironment
  /** Format of the operands and of the result; for integers, their size is in `from` and `to`. */
  source: Format
  target: Format
  from: number
  to: number
  argument: number
}

type Operation = (x: Context, a: bigint, b: bigint, c: bigint) => bigint

/** Rounding in the low three bits of the argument; `byFpcr` takes FPCR's. */
const byFpcr = 7
const roundingOf = ({ argument, env }: Context): Rounding =>
  (argument & 7) === byFpcr ? env.rounding : ((argument & 7) as Rounding)

const mask = (x: Context, truth: boolean): bigint => (truth ? (1n << BigInt(8 << x.to)) - 1n : 0n)

const operations = {
  add: (x, a, b) => fpAdd(x.source, a, b, x.env),
  sub: (x, a, b) => fpSub(x.source, a, b, x.env),
  mul: (x, a, b) => fpMul(x.source, a, b, x.env),
  nmul: (x, a, b) => fpNeg(x.source, fpMul(x.source, a, b, x.env)),
  mulx: (x, a, b) => fpMulX(x.source, a, b, x.env),
  div: (x, a, b) => fpDiv(x.source, a, b, x.env),
  abd: (x, a, b) => fpAbs(x.source, fpSub(x.source, a, b, x.env)),
  max: (x, a, b) => fpMax(x.source, a, b, x.env),
  min: (x, a, b) => fpMin(x.source, a, b, x.env),
  maxnm: (x, a, b) => fpMaxNum(x.source, a, b, x.env),
  minnm: (x, a, b) => fpMinNum(x.source, a, b, x.env),
  /** c + a * b */
  muladd: (x, a, b, c) => fpMulAdd(x.source, c, a, b, x.env),
  recps: (x, a, b) => fpRecipStepFused(x.source, a, b, x.env),
  rsqrts: (x, a, b) => fpRSqrtStepFused(x.source, a, b, x.env),
  sqrt: (x, a) => fpSqrt(x.source, a, x.env),
  /** Argument bit 3: raise Inexact. */
  rint: (x, a) => fpRoundInt(x.source, a, roundingOf(x), (x.argument & 8) !== 0, x.env),
  /** NZCV; argument bit 0: every NaN signals. */
  compare: (x, a, b) => BigInt(fpCompare(x.source, a, b, x.env, (x.argument & 1) !== 0)),
  cmeq: (x, a, b) => mask(x, fpCompareEQ(x.source, a, b, x.env)),
  cmge: (x, a, b) => mask(x, fpCompareGE(x.source, a, b, x.env)),
  cmgt: (x, a, b) => mask(x, fpCompareGT(x.source, a, b, x.env)),
  /** Argument bit 3: unsigned; bits 10:4: fraction bits. The integer has the result's size. */
  toFixed: (x, a) => {
    const { source, argument, to, env } = x
    return fpToFixed(source, a, argument >> 4, (argument & 8) !== 0, 8 << to, roundingOf(x), env)
  },
  /** As toFixed; the integer has the operand's size. */
  fromFixed: (x, a) => {
    const { target, argument, from, env } = x
    return fixedToFP(target, a, argument >> 4, (argument & 8) !== 0, 8 << from, roundingOf(x), env)
  },
  convert: (x, a) => fpConvert(x.source, x.target, a, x.env, roundingOf(x)),
  recpe: (x, a) => fpRecipEstimate(x.source, a, x.env),
  rsqrte: (x, a) => fpRSqrtEstimate(x.source, a, x.env),
  recpx: (x, a) => fpRecpX(x.source, a, x.env),
  urecpe: (_x, a) => BigInt(unsignedRecipEstimate(Number(a))),
  ursqrte: (_x, a) => BigInt(unsignedRSqrtEstimate(Number(a))),
} satisfies Record<string, Operation>

export type OperationName = keyof typeof operations
const names = Object.keys(operations) as OperationName[]
const table: readonly Operation[] = names.map((name) => operations[name])

/** Element sizes as in SIMD encodings: 1 half, 2 single or word, 3 double or doubleword. */
export interface Shape {
  readonly from: 1 | 2 | 3
  readonly to: 1 | 2 | 3
  readonly lanes: number
}

/** The fixed part of the host function's second argument; an `argument` known only at run time is added at `argumentShift`. */
export const argumentShift = 17
export function exactCode(operation: OperationName, { from, to, lanes }: Shape, argument = 0): number {
  return names.indexOf(operation) | (from << 8) | (to << 10) | (lanes << 12) | (argument << argumentShift)
}

/** The `argument` of rounding, integer and comparison operations. */
export const roundingArgument = (rounding: Rounding | undefined, exact = false): number =>
  (rounding ?? byFpcr) | (exact ? 8 : 0)
export const fixedArgument = (rounding: Rounding | undefined, unsigned: boolean, fbits = 0): number =>
  (rounding ?? byFpcr) | (unsigned ? 8 : 0) | (fbits << 4)

/** Three operands of 16 bytes and a result of 16. */
const SCRATCH = MEMORY.routineTables
const RESULT = SCRATCH + 48

/** (cpu, code): applies an operation to the lanes at SCRATCH. */
export const fpExact: HostFunction = { name: 'fpExact', parameters: ['i32', 'i32'], results: [], host: true }

/** (cpu, code, a, b, c) -> result: lanes beyond the operation's are zero. */
export const exactly: LibraryFunction = {
  name: 'exactly',
  parameters: ['i32', 'i32', 'v128', 'v128', 'v128'],
  results: ['v128'],
  body: (code, module) => {
    for (let operand = 0; operand < 3; operand++) {
      code
        .i32(SCRATCH)
        .get(2 + operand)
        .memory(v128.store, 16 * operand)
    }
    code.get(0).get(1).call(module.indexOf(fpExact))
    code.i32(0).memory(v128.load, RESULT)
  },
}

const formats: readonly Format[] = [half, half, single, double]

/** The implementation of `fpExact` over the memory that generated code runs in. */
export function fpExactFor(memory: { readonly buffer: ArrayBuffer }): (cpu: number, code: number) => void {
  const env = new FpEnvironment()
  const context: Context = { env, source: single, target: single, from: 2, to: 2, argument: 0 }
  let view = new DataView(memory.buffer)
  const read = (address: number, size: number): bigint => {
    if (size === 3) return view.getBigUint64(address, true)
    return BigInt(size === 2 ? view.getUint32(address, true) : view.getUint16(address, true))
  }
  return (cpu, code) => {
    if (view.buffer !== memory.buffer) view = new DataView(memory.buffer)
    const operation = table[code & 0xff]!
    const from = (code >> 8) & 3
    const to = (code >> 10) & 3
    const lanes = (code >> 12) & 31
    context.from = from
    context.to = to
    context.source = formats[from]!
    context.target = formats[to]!
    context.argument = code >>> argumentShift
    env.fpcr = view.getUint32(cpu + STATE.FPCR, true)
    env.fpsr = view.getUint32(cpu + STATE.FPSR, true)
    view.setBigUint64(RESULT, 0n, true)
    view.setBigUint64(RESULT + 8, 0n, true)
    for (let lane = 0; lane < lanes; lane++) {
      const at = SCRATCH + (lane << from)
      const result = operation(context, read(at, from), read(at + 16, from), read(at + 32, from))
      const out = RESULT + (lane << to)
      if (to === 3) view.setBigUint64(out, result, true)
      else if (to === 2) view.setUint32(out, Number(result), true)
      else view.setUint16(out, Number(result), true)
    }
    view.setUint32(cpu + STATE.FPSR, env.fpsr, true)
  }
}
