/**
 * Scalar floating-point data processing with one, two and three sources (DDI 0487, C4.1 "Floating-point data-processing (1 source)",
 * "(2 source)", "(3 source)"), but for conversions and roundings. Each is wasm's own operation where that is exact, else the exact path.
 */

import { STATE } from '../../state/state.ts'
import { f64, i32, i64, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { readV } from '../simd/lanes.ts'
import { exactCode, type OperationName } from './exact.ts'
import {
  exactOnRegisters,
  exactResult,
  type FpSize,
  flushIsHarmless,
  inexactIsKnown,
  isOrdered,
  isOrdinary,
  isZero,
  native,
  readFloat,
  roundsToNearest,
  typeOf,
  writeFloat,
} from './fast.ts'
import { fusedDouble, fusedSingle } from './fused.ts'
import { type Settled, settle } from './inexact.ts'

export const Rm: Field = [20, 16]
export const Ra: Field = [14, 10]
export const Rn: Field = [9, 5]
export const Rd: Field = [4, 0]
const TYPE: Field = [22, 22]

export const sizeOf = (e: Emitter): FpSize => (e.fixed(TYPE) ? 3 : 2)

/** `s3` or `d3` by the type field. */
export function floatName(word: number, field: Field): string {
  return `${bitsOf(word, TYPE) ? 'd' : 's'}${bitsOf(word, field)}`
}

const names =
  (...fields: Field[]) =>
  (word: number, mnemonic: string): string =>
    `${mnemonic} ${fields.map((field) => floatName(word, field)).join(', ')}`

export const shapeOf = (size: FpSize) => ({ from: size, to: size, lanes: 1 }) as const

type Arithmetic = 'add' | 'sub' | 'mul' | 'div'

/** Pushes 1 if a zero result `r` of the operation is exact. */
function zeroIsExact(e: Emitter, operation: Arithmetic, size: FpSize, a: Push, b: Push, r: Push): void {
  isZero(e, size, r)
  if (operation === 'mul') {
    isZero(e, size, a)
    isZero(e, size, b)
    e.code.op(i32.or, i32.and)
  } else if (operation === 'div') {
    isZero(e, size, a)
    e.code.op(i32.and)
  }
}

/**
 * With "the result is ordinary or an exact zero" on the stack: pushes 1 if it may be written, FPSR.IXC included. That is when
 * FPCR rounds to nearest, flushes nothing that is here, and IXC either is set already or could be settled.
 */
function isSettled(e: Emitter, operation: Settled, size: FpSize, a: Push, b: Push, r: Push): void {
  const { code } = e
  roundsToNearest(e)
  code.op(i32.and)
  flushIsHarmless(e, size, operation === 'sqrt' ? [a] : [a, b])
  code.op(i32.and).if('i32')
  inexactIsKnown(e)
  code.if('i32').i32(1).else()
  e.cpu()
  for (const push of [a, b, r]) {
    push()
    if (size === 2) code.op(f64.promote_f32)
  }
  e.call(settle[size][operation])
  code.end().else().i32(0).end()
}

function arithmetic(operation: Arithmetic, exactName: OperationName, negate = false) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const [a, b, r] = [code.local(typeOf[size]), code.local(typeOf[size]), code.local(typeOf[size])]
    const get = (local: number) => () => {
      code.get(local)
    }
    readFloat(e, Rn, size)
    code.set(a)
    readFloat(e, Rm, size)
    code.set(b).get(a).get(b).op(native[size][operation]).set(r)
    isOrdinary(e, size, get(r))
    zeroIsExact(e, operation, size, get(a), get(b), get(r))
    code.op(i32.or)
    isSettled(e, operation, size, get(a), get(b), get(r))
    code.if()
    writeFloat(e, Rd, size, () => {
      code.get(r)
      if (negate) code.op(native[size].neg)
    })
    code.else()
    e.setQ(Rd, () => exactOnRegisters(e, exactCode(exactName, shapeOf(size)), [Rn, Rm], size === 3 ? 64 : 32))
    code.end()
    code.release(a, b, r)
  }
}

/** Minimum and maximum: without NaNs wasm's are Arm's, signed zeros too. */
function extremum(operation: 'min' | 'max', exactName: OperationName) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const [a, b] = [code.local(typeOf[size]), code.local(typeOf[size])]
    readFloat(e, Rn, size)
    code.set(a)
    readFloat(e, Rm, size)
    code.set(b)
    isOrdered(e, size, () => code.get(a))
    isOrdered(e, size, () => code.get(b))
    code.op(i32.and)
    flushIsHarmless(e, size, [() => code.get(a), () => code.get(b)])
    code.op(i32.and).if()
    writeFloat(e, Rd, size, () => code.get(a).get(b).op(native[size][operation]))
    code.else()
    e.setQ(Rd, () => exactOnRegisters(e, exactCode(exactName, shapeOf(size)), [Rn, Rm], size === 3 ? 64 : 32))
    code.end()
    code.release(a, b)
  }
}

function squareRoot(e: Emitter): void {
  const { code } = e
  const size = sizeOf(e)
  const [a, r] = [code.local(typeOf[size]), code.local(typeOf[size])]
  readFloat(e, Rn, size)
  code.tee(a).op(native[size].sqrt).set(r)
  isOrdinary(e, size, () => code.get(r))
  isZero(e, size, () => code.get(r))
  code.op(i32.or)
  const get = (local: number) => () => {
    code.get(local)
  }
  isSettled(e, 'sqrt', size, get(a), get(a), get(r))
  code.if()
  writeFloat(e, Rd, size, () => code.get(r))
  code.else()
  e.setQ(Rd, () => exactOnRegisters(e, exactCode('sqrt', shapeOf(size)), [Rn], size === 3 ? 64 : 32))
  code.end()
  code.release(a, r)
}

/** FMOV, FABS, FNEG: bits, whatever they stand for. */
function bitwise(change: 'none' | 'abs' | 'neg') {
  return (e: Emitter): void => {
    const { code } = e
    if (sizeOf(e) === 3) {
      e.setD(Rd, () => {
        e.lane(Rn, i64.load)
        if (change === 'abs') code.i64((1n << 63n) - 1n).op(i64.and)
        if (change === 'neg') code.i64(1n << 63n).op(i64.xor)
      })
    } else {
      e.setS(Rd, () => {
        e.lane(Rn, i32.load)
        if (change === 'abs') code.i32(0x7fffffff).op(i32.and)
        if (change === 'neg') code.i32(0x80000000).op(i32.xor)
      })
    }
  }
}

/** Pushes a * b + c if it can be had without the exact path, else a NaN or a number that is not ordinary; and 1 if it is inexact. */
export function fused(e: Emitter, size: FpSize, a: Push, b: Push, c: Push): void {
  a()
  b()
  c()
  e.call(size === 3 ? fusedDouble : fusedSingle)
}

/** The sign bit of a lane flipped in the v128 pushed: FPNeg, NaNs too. */
function negated(e: Emitter, size: FpSize, push: Push): void {
  push()
  e.code.v128(size === 3 ? [0, 0, 0, 0, 0, 0, 0, 0x80] : [0, 0, 0, 0x80]).op(v128.xor)
}

function multiplyAdd(negateProduct: boolean, negateAddend: boolean) {
  return (e: Emitter): void => {
    const { code } = e
    const size = sizeOf(e)
    const r = code.local(typeOf[size])
    const inexact = code.local('i32')
    const operand = (field: Field, negate: boolean) => () => {
      readFloat(e, field, size)
      if (negate) code.op(native[size].neg)
    }
    fused(e, size, operand(Rn, negateProduct), operand(Rm, false), operand(Ra, negateAddend))
    code.set(inexact).set(r)
    isOrdinary(e, size, () => code.get(r))
    isZero(e, size, () => code.get(r))
    code.op(i32.or)
    roundsToNearest(e)
    code.op(i32.and)
    flushIsHarmless(e, size, [operand(Rn, false), operand(Rm, false), operand(Ra, false)])
    code.op(i32.and).if()
    writeFloat(e, Rd, size, () => code.get(r))
    e.setState(i32.store, STATE.FPSR, () => {
      e.state(i32.load, STATE.FPSR)
      code.get(inexact).i32(4).op(i32.shl, i32.or)
    })
    code.else()
    const width = size === 3 ? 64 : 32
    const exactOperand = (field: Field, negate: boolean) => () => {
      if (negate) negated(e, size, () => readV(e, field, width))
      else readV(e, field, width)
    }
    e.setQ(Rd, () =>
      exactResult(e, () => code.i32(exactCode('muladd', shapeOf(size))), [
        exactOperand(Rn, negateProduct),
        exactOperand(Rm, false),
        exactOperand(Ra, negateAddend),
      ]),
    )
    code.end()
    code.release(r, inexact)
  }
}

type Emit = (e: Emitter) => void

/** The single and the double form, whose patterns differ in bit 22. */
const twoSource = (name: string, opcode: string, emit: Emit) =>
  group({
    fields: 'ftype:23-22 Rm:20-16 opcode:15-12 Rn:9-5 Rd:4-0',
    fp: true,
    emit,
    text: names(Rd, Rn, Rm),
    encodings: [
      [`${name}_S_floatdp2`, `00011110001xxxxx${opcode}10xxxxxxxxxx`],
      [`${name}_D_floatdp2`, `00011110011xxxxx${opcode}10xxxxxxxxxx`],
    ],
  })

const oneSource = (name: string, opcode: string, emit: Emit) =>
  group({
    fields: 'ftype:23-22 opcode:20-15 Rn:9-5 Rd:4-0',
    fp: true,
    emit,
    text: names(Rd, Rn),
    encodings: [
      [`${name}_S_floatdp1`, `00011110001${opcode}10000xxxxxxxxxx`],
      [`${name}_D_floatdp1`, `00011110011${opcode}10000xxxxxxxxxx`],
    ],
  })

const threeSource = (name: string, o1: 0 | 1, o0: 0 | 1, emit: Emit) =>
  group({
    fields: 'ftype:23-22 o1:21 Rm:20-16 o0:15 Ra:14-10 Rn:9-5 Rd:4-0',
    fp: true,
    emit,
    text: names(Rd, Rn, Rm, Ra),
    encodings: [
      [`${name}_S_floatdp3`, `0001111100${o1}xxxxx${o0}xxxxxxxxxxxxxxx`],
      [`${name}_D_floatdp3`, `0001111101${o1}xxxxx${o0}xxxxxxxxxxxxxxx`],
    ],
  })

export const rows: readonly Row[] = [
  twoSource('FMUL', '0000', arithmetic('mul', 'mul')),
  twoSource('FDIV', '0001', arithmetic('div', 'div')),
  twoSource('FADD', '0010', arithmetic('add', 'add')),
  twoSource('FSUB', '0011', arithmetic('sub', 'sub')),
  twoSource('FMAX', '0100', extremum('max', 'max')),
  twoSource('FMIN', '0101', extremum('min', 'min')),
  twoSource('FMAXNM', '0110', extremum('max', 'maxnm')),
  twoSource('FMINNM', '0111', extremum('min', 'minnm')),
  twoSource('FNMUL', '1000', arithmetic('mul', 'nmul', true)),
  oneSource('FMOV', '000000', bitwise('none')),
  oneSource('FABS', '000001', bitwise('abs')),
  oneSource('FNEG', '000010', bitwise('neg')),
  oneSource('FSQRT', '000011', squareRoot),
  threeSource('FMADD', 0, 0, multiplyAdd(false, false)),
  threeSource('FMSUB', 0, 1, multiplyAdd(true, false)),
  threeSource('FNMADD', 1, 0, multiplyAdd(true, true)),
  threeSource('FNMSUB', 1, 1, multiplyAdd(false, true)),
].flat()
