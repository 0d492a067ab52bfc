/**
 * How a vector floating-point instruction is emitted: wasm's own lanes if every lane of the result can be trusted (see fast.ts), else
 * the exact path for all of them. The kinds of trust are here; the instructions are in vector-*.ts.
 */

import { i32, i32x4, i64x2, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import { type Lanes, type Width, writeV } from '../simd/lanes.ts'
import { Rd } from '../simd/shape.ts'
import { exactCode, type OperationName } from './exact.ts'
import { exactResult, type FpSize, flushes, roundsNatively } from './fast.ts'

type Pair = { readonly 2: number; readonly 3: number }

/** Float lanes of wasm by size; opcodes as in wasm/opcodes.ts. */
export const lanesOf = {
  eq: { 2: 0xfd41, 3: 0xfd47 },
  lt: { 2: 0xfd43, 3: 0xfd49 },
  gt: { 2: 0xfd44, 3: 0xfd4a },
  le: { 2: 0xfd45, 3: 0xfd4b },
  ge: { 2: 0xfd46, 3: 0xfd4c },
  abs: { 2: 0xfde0, 3: 0xfdec },
  neg: { 2: 0xfde1, 3: 0xfded },
  sqrt: { 2: 0xfde3, 3: 0xfdef },
  add: { 2: 0xfde4, 3: 0xfdf0 },
  sub: { 2: 0xfde5, 3: 0xfdf1 },
  mul: { 2: 0xfde6, 3: 0xfdf2 },
  div: { 2: 0xfde7, 3: 0xfdf3 },
  min: { 2: 0xfde8, 3: 0xfdf4 },
  max: { 2: 0xfde9, 3: 0xfdf5 },
  ceil: { 2: 0xfd67, 3: 0xfd74 },
  floor: { 2: 0xfd68, 3: 0xfd75 },
  trunc: { 2: 0xfd69, 3: 0xfd7a },
  nearest: { 2: 0xfd6a, 3: 0xfd94 },
} as const satisfies Record<string, Pair>

const compareInteger = {
  gt: { 2: i32x4.gt_s, 3: i64x2.gt_s },
} as const

const smallestNormal = { 2: 0x00800000n, 3: 0x0010000000000000n } as const
const infinity = { 2: 0x7f800000n, 3: 0x7ff0000000000000n } as const

/** Lanes that are finite and above the smallest normal number in magnitude, as a mask. */
export function ordinary(k: Lanes, size: FpSize, r: Push): Push {
  const magnitude = k.keep(k.op(lanesOf.abs[size], r))
  const gt = compareInteger.gt[size]
  return k.op(
    v128.and,
    k.op(gt, magnitude, k.constant(size, smallestNormal[size])),
    k.op(gt, k.constant(size, infinity[size]), magnitude),
  )
}

export const zeroLanes = (k: Lanes, size: FpSize, v: Push): Push => k.op(lanesOf.eq[size], v, k.zero())
export const orderedLanes = (k: Lanes, size: FpSize, v: Push): Push => k.op(lanesOf.eq[size], v, v)

/** Lanes that FPCR.FZ would not flush: zero, or the smallest normal number and above in magnitude. */
function notDenormal(k: Lanes, size: FpSize, v: Push): Push {
  const magnitude = k.op(lanesOf.abs[size], v)
  const large = k.op(compareInteger.gt[size], magnitude, k.constant(size, smallestNormal[size] - 1n))
  return k.op(v128.or, large, zeroLanes(k, size, v))
}

/** What makes the lanes of a native result right, flushing of operands apart. */
export interface Trust {
  /** A mask of the lanes that are right. */
  readonly lanes: (k: Lanes, size: FpSize, operands: readonly Push[], result: Push) => Push
  /** Pushes 1 if FPCR and FPSR are as they must be. */
  readonly state?: (e: Emitter) => void
  /** The operands are integers: FPCR.FZ has nothing to flush. */
  readonly integers?: true
}

const rounding = (zeroIsExact: (k: Lanes, size: FpSize, operands: readonly Push[]) => Push | undefined): Trust => ({
  state: roundsNatively,
  lanes: (k, size, operands, result) => {
    const zero = zeroLanes(k, size, result)
    const condition = zeroIsExact(k, size, operands)
    return k.op(v128.or, ordinary(k, size, result), condition ? k.op(v128.and, zero, condition) : zero)
  },
})

export const trust = {
  /** Sums and roots: zero only when exact. */
  sum: rounding(() => undefined),
  /** Zero only from a zero operand. */
  product: rounding((k, size, [a, b]) => k.op(v128.or, zeroLanes(k, size, a!), zeroLanes(k, size, b!))),
  quotient: rounding((k, size, [a]) => zeroLanes(k, size, a!)),
  /** Nothing is rounded: no NaN among the operands is enough. */
  order: {
    lanes: (k: Lanes, size: FpSize, operands: readonly Push[]) => {
      const masks = operands.map((v) => orderedLanes(k, size, v))
      return masks.reduce((all, one) => k.op(v128.and, all, one))
    },
  },
} satisfies Record<string, Trust>

/** Pushes 1 if a mask is set in all lanes of the instruction's width. */
export function allLanes(k: Lanes, size: FpSize, width: Width, mask: Push): Push {
  if (width === 128) return k.op(size === 2 ? i32x4.all_true : i64x2.all_true, mask)
  const beyond = Array.from({ length: 16 }, (_, i) => (i < width / 8 ? 0 : 0xff))
  const padded = k.op(v128.or, mask, () => {
    k.e.code.v128(beyond)
  })
  return k.op(size === 2 ? i32x4.all_true : i64x2.all_true, padded)
}

export interface Instruction {
  readonly operation: OperationName
  readonly argument?: number
  readonly trust?: Trust
  /** wasm's result from the operands, if there is one. */
  readonly native?: (k: Lanes, size: FpSize, operands: readonly Push[]) => Push
}

/** Emits the instruction on operands kept in locals, into Vd. */
export function emitFloat(k: Lanes, size: FpSize, width: Width, operands: readonly Push[], how: Instruction): void {
  const { e } = k
  const lanes = width / (8 << size)
  const exact = () =>
    exactResult(e, () => e.code.i32(exactCode(how.operation, { from: size, to: size, lanes }, how.argument)), operands)
  if (!how.native || !how.trust) {
    e.setQ(Rd, exact)
    return
  }
  const result = k.keep(how.native(k, size, operands))
  allLanes(k, size, width, how.trust.lanes(k, size, operands, result))()
  if (how.trust.state) {
    how.trust.state(e)
    e.code.op(i32.and)
  }
  if (!how.trust.integers) {
    flushes(e)
    e.code.if('i32')
    const harmless = operands.map((v) => notDenormal(k, size, v)).reduce((all, mask) => k.op(v128.and, all, mask))
    allLanes(k, size, width, harmless)()
    e.code.else().i32(1).end().op(i32.and)
  }
  e.code.if()
  writeV(e, Rd, width, result)
  e.code.else()
  e.setQ(Rd, exact)
  e.code.end()
}
