/**
 * Shifts by a register, lane by lane: left for a positive low byte of the second operand, right for a negative one; plain,
 * rounding, saturating (DDI 0487, SSHL, USHL, SRSHL, URSHL, SQSHL, UQSHL, SQRSHL, UQRSHL). Library functions: wasm has no such shift.
 */

import { STATE } from '../../state/state.ts'
import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { i32, i64, lane } from '../../wasm/opcodes.ts'
import { FPSR } from '../fp/environment.ts'
import { group, type Row } from '../row.ts'
import { Lanes, readV, type Size, writeV } from './lanes.ts'
import { no1D, Q, Rd, Rm, Rn, SIZE, sizeOf, text3, widthOf } from './shape.ts'

export interface ShiftKind {
  readonly signed: boolean
  readonly rounding: boolean
  readonly saturating: boolean
}

function setSaturated(code: Code): void {
  code.get(0).get(0).memory(i32.load, STATE.FPSR).i32(FPSR.QC).op(i32.or).memory(i32.store, STATE.FPSR)
}

/** (cpu, value, shift) -> value: one lane, extended to 64 bits; the shift is -128 to 127. */
function oneLane({ signed, rounding, saturating }: ShiftKind, size: Size): LibraryFunction {
  const bits = 8 << size
  const shr = signed ? i64.shr_s : i64.shr_u
  const VALUE = 1
  const SHIFT = 2
  const largest = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  return {
    name: `shift${signed ? 'S' : 'U'}${rounding ? 'R' : ''}${saturating ? 'Q' : ''}${bits}`,
    parameters: ['i32', 'i64', 'i32'],
    results: ['i64'],
    body: (code) => {
      const result = code.local('i64')
      const right = code.local('i32')
      /** Pushes value >> amount for an amount of 0 or more, in a local; wasm would take it modulo 64. */
      const shiftRight = (amount: number): void => {
        if (signed)
          code.get(VALUE).i32(63).get(amount).get(amount).i32(63).op(i32.gt_s).select().op(i64.extend_i32_u, shr)
        else code.get(VALUE).get(amount).op(i64.extend_i32_u, shr).i64(0).get(amount).i32(63).op(i32.le_s).select()
      }
      code.get(SHIFT).i32(0).op(i32.lt_s).if('i64')
      code.i32(0).get(SHIFT).op(i32.sub).set(right)
      shiftRight(right)
      if (rounding) {
        code.get(right).i32(1).op(i32.sub).set(right)
        shiftRight(right)
        code.i64(1).op(i64.and, i64.add)
      }
      code.else()
      if (!saturating) {
        code.get(VALUE).get(SHIFT).op(i64.extend_i32_u, i64.shl).i64(0).get(SHIFT).i32(64).op(i32.lt_s).select()
      } else {
        // Saturates if the value does not come back: zero always does, and no other number survives `bits` or more.
        code.get(VALUE).get(SHIFT).op(i64.extend_i32_u, i64.shl).set(result)
        if (size === 3) code.get(result).get(SHIFT).op(i64.extend_i32_u, shr).get(VALUE).op(i64.ne)
        else {
          code
            .get(result)
            .i64(largest)
            .op(signed ? i64.gt_s : i64.gt_u)
          if (signed)
            code
              .get(result)
              .i64(-largest - 1n)
              .op(i64.lt_s, i32.or)
        }
        code.get(SHIFT).i32(bits).op(i32.ge_s, i32.or)
        code.get(VALUE).i64(0).op(i64.ne, i32.and).if('i64')
        setSaturated(code)
        if (signed)
          code
            .i64(-largest - 1n)
            .i64(largest)
            .get(VALUE)
            .i64(0)
            .op(i64.lt_s)
            .select()
        else code.i64(largest)
        code.else().get(result).i64(0).get(VALUE).i64(0).op(i64.ne).select().end()
      }
      code.end()
    },
  }
}

const extract = [lane.i8x16_extract_s, lane.i16x8_extract_s, lane.i32x4_extract, lane.i64x2_extract]
const extractUnsigned = [lane.i8x16_extract_u, lane.i16x8_extract_u, lane.i32x4_extract, lane.i64x2_extract]
const replace = [lane.i8x16_replace, lane.i16x8_replace, lane.i32x4_replace, lane.i64x2_replace]

/** (cpu, values, shifts) -> values, over all lanes; lanes that an instruction does not have must be zero. */
function allLanes(kind: ShiftKind, size: Size): LibraryFunction {
  const one = oneLane(kind, size)
  return {
    name: `${one.name}v`,
    parameters: ['i32', 'v128', 'v128'],
    results: ['v128'],
    body: (code, module) => {
      const callee = module.indexOf(one)
      const result = code.local('v128')
      code.v128([]).set(result)
      for (let i = 0; i < 16 >> size; i++) {
        code.get(result).get(0)
        code.get(1).lane((kind.signed ? extract : extractUnsigned)[size]!, i)
        if (size < 3) code.op(kind.signed ? i64.extend_i32_s : i64.extend_i32_u)
        code.get(2).lane(lane.i8x16_extract_s, i << size)
        code.call(callee)
        if (size < 3) code.op(i32.wrap_i64)
        code.lane(replace[size]!, i).set(result)
      }
      code.get(result)
    },
  }
}

const cache = new Map<string, LibraryFunction>()

/** The library function of a kind and size: one object for each, because its identity is its name in the module. */
export function laneShift(kind: ShiftKind, size: Size): LibraryFunction {
  const key = `${kind.signed} ${kind.rounding} ${kind.saturating} ${size}`
  let known = cache.get(key)
  if (!known) {
    known = allLanes(kind, size)
    cache.set(key, known)
  }
  return known
}

function shifts(
  signed: boolean,
  rounding: boolean,
  saturating: boolean,
  encodings: readonly (readonly [string, string])[],
) {
  return group({
    fields: 'Q:30 U:29 size:23-22 Rm:20-16 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q, SIZE],
    unallocated: [no1D],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const width = widthOf(e, size)
      writeV(e, Rd, width, () => {
        e.cpu()
        readV(e, Rn, width)
        readV(e, Rm, width)
        e.call(laneShift({ signed, rounding, saturating }, size))
      })
      k.done()
    },
    text: text3,
    encodings,
  })
}

export const rows: readonly Row[] = [
  shifts(true, false, false, [
    ['SSHL_asimdsame_only', '0x001110xx1xxxxx010001xxxxxxxxxx'],
    ['SSHL_asisdsame_only', '01011110111xxxxx010001xxxxxxxxxx'],
  ]),
  shifts(false, false, false, [
    ['USHL_asimdsame_only', '0x101110xx1xxxxx010001xxxxxxxxxx'],
    ['USHL_asisdsame_only', '01111110111xxxxx010001xxxxxxxxxx'],
  ]),
  shifts(true, true, false, [
    ['SRSHL_asimdsame_only', '0x001110xx1xxxxx010101xxxxxxxxxx'],
    ['SRSHL_asisdsame_only', '01011110111xxxxx010101xxxxxxxxxx'],
  ]),
  shifts(false, true, false, [
    ['URSHL_asimdsame_only', '0x101110xx1xxxxx010101xxxxxxxxxx'],
    ['URSHL_asisdsame_only', '01111110111xxxxx010101xxxxxxxxxx'],
  ]),
  shifts(true, false, true, [
    ['SQSHL_asimdsame_only', '0x001110xx1xxxxx010011xxxxxxxxxx'],
    ['SQSHL_asisdsame_only', '01011110xx1xxxxx010011xxxxxxxxxx'],
  ]),
  shifts(false, false, true, [
    ['UQSHL_asimdsame_only', '0x101110xx1xxxxx010011xxxxxxxxxx'],
    ['UQSHL_asisdsame_only', '01111110xx1xxxxx010011xxxxxxxxxx'],
  ]),
  shifts(true, true, true, [
    ['SQRSHL_asimdsame_only', '0x001110xx1xxxxx010111xxxxxxxxxx'],
    ['SQRSHL_asisdsame_only', '01011110xx1xxxxx010111xxxxxxxxxx'],
  ]),
  shifts(false, true, true, [
    ['UQRSHL_asimdsame_only', '0x101110xx1xxxxx010111xxxxxxxxxx'],
    ['UQRSHL_asisdsame_only', '01111110xx1xxxxx010111xxxxxxxxxx'],
  ]),
].flat()
