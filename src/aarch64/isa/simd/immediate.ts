/**
 * Advanced SIMD modified immediate: MOVI, MVNI, ORR, BIC, FMOV (DDI 0487, AdvSIMDExpandImm, VFPExpandImm; C4.1 "Advanced SIMD
 * modified immediate"). cmode and op are decided at decode; the eight bits of the immediate are an operand.
 */

import { i8x16, i16x8, i32, i32x4, i64, i64x2, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Lanes, type Width, writeV } from './lanes.ts'
import { Q, Rd, vectorName } from './shape.ts'

const fields = 'Q:30 op:29 abc:18-16 cmode:15-12 o2:11 defgh:9-5 Rd:4-0'
const CMODE: Field = [15, 12]
const ABC: Field = [18, 16]
const DEFGH: Field = [9, 5]

/** Pushes a:b:c:d:e:f:g:h. */
function imm8(e: Emitter): void {
  e.bits(ABC, 5)
  e.bits(DEFGH)
  e.code.op(i32.or)
}

/** Pushes VFPExpandImm of the eight-bit i32 that `push` pushes, as the bits of a single (i32) or a double (i64). */
export function expandFloat(e: Emitter, push: Push, double: boolean): void {
  const { code } = e
  const imm = code.local('i32')
  push()
  code.set(imm)
  // Sign; exponent: not b, then b repeated, then cd; fraction: efgh. Assembled in the top half of the encoding.
  code.get(imm).i32(0x80).op(i32.and).i32(24).op(i32.shl)
  code
    .get(imm)
    .i32(0x3f)
    .op(i32.and)
    .i32(double ? 16 : 19)
    .op(i32.shl, i32.or)
  code
    .i32(double ? 0x3fc00000 : 0x3e000000)
    .i32(0x40000000)
    .get(imm)
    .i32(0x40)
    .op(i32.and)
    .select()
    .op(i32.or)
  if (double) code.op(i64.extend_i32_u).i64(32).op(i64.shl)
  code.release(imm)
}

/** Pushes the immediate in all lanes, before any inversion. */
function expand(e: Emitter, k: Lanes): Push {
  const { code } = e
  const cmode = e.fixed(CMODE)
  const op = e.fixed([29, 29])
  if (cmode < 0b1000) {
    return k.op(
      i32x4.splat,
      k.op(i32.shl, () => imm8(e), k.i32(8 * (cmode >> 1))),
    )
  }
  if (cmode < 0b1100) {
    return k.op(
      i16x8.splat,
      k.op(i32.shl, () => imm8(e), k.i32(8 * ((cmode >> 1) & 1))),
    )
  }
  if (cmode < 0b1110) {
    // Shifting ones: the immediate above eight or sixteen of them.
    const shift = cmode & 1 ? 16 : 8
    return k.op(
      i32x4.splat,
      k.op(
        i32.or,
        k.op(i32.shl, () => imm8(e), k.i32(shift)),
        k.i32((1 << shift) - 1),
      ),
    )
  }
  const bytes = k.op(i8x16.splat, () => imm8(e))
  if (cmode === 0b1110) {
    if (op === 0) return bytes
    // Each bit fills a byte.
    const select = () => {
      code.v128([1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128])
    }
    return k.op(i8x16.ne, k.op(v128.and, bytes, select), k.zero())
  }
  return k.op(op ? i64x2.splat : i32x4.splat, () => expandFloat(e, () => imm8(e), op === 1))
}

/** How the expanded immediate meets the destination. */
type Combine = (k: Lanes, immediate: Push, d: Push) => Push

const move: Combine = (_k, immediate) => immediate
const moveInverted: Combine = (k, immediate) => k.not(immediate)
const or: Combine = (k, immediate, d) => k.op(v128.or, d, immediate)
const clear: Combine = (k, immediate, d) => k.op(v128.andnot, d, immediate)

const value8 = (word: number): number => (bitsOf(word, ABC) << 5) | bitsOf(word, DEFGH)

/** The number that an eight-bit floating-point immediate stands for. */
export function floatImmediate(imm: number): number {
  const exponent = ((imm >> 4) & 7) ^ 4
  return (imm & 0x80 ? -1 : 1) * (1 + (imm & 15) / 16) * 2 ** (exponent - 3)
}

function text(word: number, mnemonic: string): string {
  const cmode = bitsOf(word, CMODE)
  const op = bitsOf(word, [29, 29])
  const q = bitsOf(word, Q)
  const d = bitsOf(word, Rd)
  const imm = value8(word)
  const hex = `#0x${imm.toString(16)}`
  if (cmode === 0b1111) return `${mnemonic} ${vectorName(d, 2 + op, q)}, #${floatImmediate(imm).toFixed(8)}`
  if (cmode === 0b1110) {
    if (op === 0) return `${mnemonic} ${vectorName(d, 0, q)}, ${hex}`
    const bytes = Array.from({ length: 8 }, (_, i) => ((imm >> (7 - i)) & 1 ? 'ff' : '00')).join('')
    return `${mnemonic} ${q ? vectorName(d, 3, 1) : `d${d}`}, #0x${bytes}`
  }
  const size = cmode >= 0b1000 && cmode < 0b1100 ? 1 : 2
  const shift = cmode >= 0b1100 ? (cmode & 1 ? 16 : 8) : 8 * ((cmode >> 1) & (size === 1 ? 1 : 3))
  const how = cmode >= 0b1100 ? 'msl' : 'lsl'
  return `${mnemonic} ${vectorName(d, size, q)}, ${hex}${shift ? `, ${how} #${shift}` : ''}`
}

function immediate(combine: Combine, encodings: readonly (readonly [string, string])[]) {
  return group({
    fields,
    fp: true,
    split: [Q, CMODE],
    emit: (e) => {
      const k = new Lanes(e)
      const width: Width = e.fixed(Q) ? 128 : 64
      writeV(
        e,
        Rd,
        width,
        combine(k, expand(e, k), () => e.q(Rd)),
      )
      k.done()
    },
    text,
    encodings,
  })
}

export const rows: readonly Row[] = [
  immediate(move, [
    ['MOVI_asimdimm_N_b', '0x00111100000xxx111001xxxxxxxxxx'],
    ['MOVI_asimdimm_L_hl', '0x00111100000xxx10x001xxxxxxxxxx'],
    ['MOVI_asimdimm_L_sl', '0x00111100000xxx0xx001xxxxxxxxxx'],
    ['MOVI_asimdimm_M_sm', '0x00111100000xxx110x01xxxxxxxxxx'],
    ['MOVI_asimdimm_D_ds', '0010111100000xxx111001xxxxxxxxxx'],
    ['MOVI_asimdimm_D2_d', '0110111100000xxx111001xxxxxxxxxx'],
    ['FMOV_asimdimm_S_s', '0x00111100000xxx111101xxxxxxxxxx'],
    ['FMOV_asimdimm_D2_d', '0110111100000xxx111101xxxxxxxxxx'],
  ]),
  immediate(moveInverted, [
    ['MVNI_asimdimm_L_hl', '0x10111100000xxx10x001xxxxxxxxxx'],
    ['MVNI_asimdimm_L_sl', '0x10111100000xxx0xx001xxxxxxxxxx'],
    ['MVNI_asimdimm_M_sm', '0x10111100000xxx110x01xxxxxxxxxx'],
  ]),
  immediate(or, [
    ['ORR_asimdimm_L_hl', '0x00111100000xxx10x101xxxxxxxxxx'],
    ['ORR_asimdimm_L_sl', '0x00111100000xxx0xx101xxxxxxxxxx'],
  ]),
  immediate(clear, [
    ['BIC_asimdimm_L_hl', '0x10111100000xxx10x101xxxxxxxxxx'],
    ['BIC_asimdimm_L_sl', '0x10111100000xxx0xx101xxxxxxxxxx'],
  ]),
].flat()
