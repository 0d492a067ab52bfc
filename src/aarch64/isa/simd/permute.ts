/**
 * Advanced SIMD permute, extract and table look-up (DDI 0487, C4.1 "Advanced SIMD permute", "Advanced SIMD extract", "Advanced
 * SIMD table lookup"): ZIP, UZP, TRN, EXT, TBL, TBX. Lanes move; nothing is computed.
 */

import { STATE } from '../../state/state.ts'
import { i8x16, i32, v128 } from '../../wasm/opcodes.ts'
import type { Emitter, Push } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Lanes, readV, type Width, writeV } from './lanes.ts'
import { bytesText3, no1D, operand, Q, Rd, Rm, Rn, SIZE, sizeOf, text3 } from './shape.ts'

const IMM4: Field = [14, 11]
const LEN: Field = [14, 13]

/** Where lane `i` of the result comes from, of `lanes` in a register: below `lanes` the first operand, else the second. */
type Source = (i: number, lanes: number) => number

function permute(source: Source, encoding: readonly [string, string]) {
  return group({
    fields: 'Q:30 size:23-22 Rm:20-16 op:14 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q, SIZE],
    unallocated: [no1D],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const width: Width = e.fixed(Q) ? 128 : 64
      const lanes = width >> (3 + size)
      const total = 16 >> size
      const order = Array.from({ length: total }, (_, i) => {
        const from = i < lanes ? source(i, lanes) : 0
        return from < lanes ? from : from - lanes + total
      })
      writeV(
        e,
        Rd,
        width,
        k.shuffle(
          size,
          () => e.q(Rn),
          () => e.q(Rm),
          order,
        ),
      )
      k.done()
    },
    text: text3,
    encodings: [encoding],
  })
}

const unzip =
  (part: number): Source =>
  (i) =>
    2 * i + part
const transpose =
  (part: number): Source =>
  (i, lanes) =>
    (i & ~1) + part + (i & 1) * lanes
const zip =
  (part: number): Source =>
  (i, lanes) =>
    (i >> 1) + (part * lanes) / 2 + (i & 1) * lanes

const byteIndices: readonly number[] = Array.from({ length: 16 }, (_, i) => i)

/** A swizzle with an index of 16 or more gives zero: bytes off either end of `a` drop out. */
function bytesFrom(k: Lanes, a: Push, offset: Push): Push {
  return k.op(
    i8x16.swizzle,
    a,
    k.op(i8x16.add, () => k.e.code.v128(byteIndices), k.op(i8x16.splat, offset)),
  )
}

const extract = group({
  fields: 'Q:30 op2:23-22 Rm:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [Q],
  unallocated: ['x0xxxxxxxxxxxxxxx1xxxxxxxxxxxxxx'],
  emit: (e) => {
    const k = new Lanes(e)
    const offset = k.keep(() => e.bits(IMM4), 'i32')
    if (e.fixed(Q)) {
      const low = bytesFrom(k, () => e.q(Rn), offset)
      const high = bytesFrom(k, () => e.q(Rm), k.op(i32.sub, offset, k.i32(16)))
      e.setQ(Rd, k.op(v128.or, low, high))
    } else {
      const both = k.shuffle(
        3,
        () => e.q(Rn),
        () => e.q(Rm),
        [0, 2],
      )
      writeV(e, Rd, 64, bytesFrom(k, both, offset))
    }
    k.done()
  },
  text: (word, mnemonic) => `${bytesText3(word, mnemonic)}, #${bitsOf(word, IMM4)}`,
  encodings: [['EXT_asimdext_only', '0x101110000xxxxx0xxxx0xxxxxxxxxx']],
})

/** Pushes register (Rn + offset) modulo 32. */
function tableRegister(e: Emitter, offset: number): void {
  e.cpu()
  e.bits(Rn)
  e.code.i32(offset).op(i32.add).i32(31).op(i32.and).i32(4).op(i32.shl, i32.add).memory(v128.load, STATE.V)
}

function table(extend: boolean, encodings: readonly (readonly [string, string])[]) {
  return group({
    fields: 'Q:30 op2:23-22 Rm:20-16 len:14-13 op:12 Rn:9-5 Rd:4-0',
    fp: true,
    split: [Q],
    emit: (e) => {
      const k = new Lanes(e)
      const width: Width = e.fixed(Q) ? 128 : 64
      const registers = e.fixed(LEN) + 1
      const index = k.keep(() => readV(e, Rm, width))
      // An index less 16 * r is below 16 only if it is register r's; smaller ones wrap round to large.
      const part = (r: number): Push =>
        k.op(i8x16.swizzle, () => tableRegister(e, r), k.op(i8x16.sub, index, k.constant(0, BigInt(16 * r))))
      let found = part(0)
      for (let r = 1; r < registers; r++) found = k.op(v128.or, found, part(r))
      const inside = k.op(i8x16.lt_u, index, k.constant(0, BigInt(16 * registers)))
      const value = extend ? k.select(inside, found, () => readV(e, Rd, width)) : found
      writeV(e, Rd, width, value)
      k.done()
    },
    text: (word, mnemonic) => {
      const n = bitsOf(word, Rn)
      const list = Array.from({ length: bitsOf(word, LEN) + 1 }, (_, r) => `v${(n + r) % 32}.16b`).join(', ')
      return `${mnemonic} ${operand(word, Rd, 0)}, { ${list} }, ${operand(word, Rm, 0)}`
    },
    encodings,
  })
}

/** The four lengths of a table instruction. */
const lengths = (name: string, op: 0 | 1): readonly (readonly [string, string])[] =>
  [1, 2, 3, 4].map((n) => {
    const length = (n - 1).toString(2).padStart(2, '0')
    return [`${name}_asimdtbl_L${n}_${n}`, `0x001110000xxxxx0${length}${op}00xxxxxxxxxx`] as const
  })

export const rows: readonly Row[] = [
  permute(unzip(0), ['UZP1_asimdperm_only', '0x001110xx0xxxxx000110xxxxxxxxxx']),
  permute(transpose(0), ['TRN1_asimdperm_only', '0x001110xx0xxxxx001010xxxxxxxxxx']),
  permute(zip(0), ['ZIP1_asimdperm_only', '0x001110xx0xxxxx001110xxxxxxxxxx']),
  permute(unzip(1), ['UZP2_asimdperm_only', '0x001110xx0xxxxx010110xxxxxxxxxx']),
  permute(transpose(1), ['TRN2_asimdperm_only', '0x001110xx0xxxxx011010xxxxxxxxxx']),
  permute(zip(1), ['ZIP2_asimdperm_only', '0x001110xx0xxxxx011110xxxxxxxxxx']),
  extract,
  table(false, lengths('TBL', 0)),
  table(true, lengths('TBX', 1)),
].flat()
