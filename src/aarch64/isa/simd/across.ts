/**
 * Advanced SIMD across lanes and scalar pairwise, integer (DDI 0487, C4.1 "Advanced SIMD across lanes", "Advanced SIMD scalar
 * pairwise"): one result from all lanes of a register, by folding its upper half onto its lower one.
 */

import { i64x2 } from '../../wasm/opcodes.ts'
import type { Push } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import * as A from './arithmetic.ts'
import * as L from './lanes.ts'
import { Lanes, readV, type Size, type Width, writeV } from './lanes.ts'
import { noSize3, operand, Q, Rd, Rn, SIZE, scalarName, sizeOf } from './shape.ts'

const fields = 'Q:30 U:29 size:23-22 Rn:9-5 Rd:4-0'
/** A vector of two words is no vector to reduce, and there is none of doublewords. */
const no2S = 'x0xxxxxx10xxxxxxxxxxxxxxxxxxxxxx'

/** Folds lanes of `size` in the low `bits` until one is left, in lane 0. */
export function fold(k: Lanes, size: Size, bits: number, value: Push, combine: (a: Push, b: Push) => Push): Push {
  let folded = value
  for (let lanes = bits >> (3 + size); lanes > 1; lanes /= 2) {
    const all = k.keep(folded)
    const upper = Array.from({ length: 16 >> size }, (_, i) => (i < lanes / 2 ? i + lanes / 2 : i))
    folded = combine(all, k.shuffle(size, all, all, upper))
  }
  return folded
}

function across(opcodes: typeof L.add, encoding: readonly [string, string]) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [no2S, noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const width: Width = e.fixed(Q) ? 128 : 64
      const result = fold(
        k,
        size,
        width,
        () => readV(e, Rn, width),
        (a, b) => k.op(opcodes[size], a, b),
      )
      writeV(e, Rd, (8 << size) as Width, result)
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      return `${mnemonic} ${scalarName(size, bitsOf(word, Rd))}, ${operand(word, Rn, size)}`
    },
    encodings: [encoding],
  })
}

/** The sum of all lanes at twice their width: neighbours first, which leaves room for the carries. */
function acrossLong(signed: boolean, encoding: readonly [string, string]) {
  return group({
    fields,
    fp: true,
    split: [Q, SIZE],
    unallocated: [no2S, noSize3],
    emit: (e) => {
      const k = new Lanes(e)
      const size = sizeOf(e)
      const wide = (size + 1) as Size
      const width: Width = e.fixed(Q) ? 128 : 64
      const pairs = A.pairwiseLong(signed)(
        k,
        size,
        k.keep(() => readV(e, Rn, width)),
      )
      writeV(
        e,
        Rd,
        (16 << size) as Width,
        fold(k, wide, width, pairs, (a, b) => k.op(L.add[wide], a, b)),
      )
      k.done()
    },
    text: (word, mnemonic) => {
      const size = bitsOf(word, SIZE)
      return `${mnemonic} ${scalarName(size + 1, bitsOf(word, Rd))}, ${operand(word, Rn, size)}`
    },
    encodings: [encoding],
  })
}

const scalarPair = group({
  fields: 'U:29 size:23-22 Rn:9-5 Rd:4-0',
  fp: true,
  emit: (e) => {
    const k = new Lanes(e)
    const pair = k.keep(() => e.q(Rn))
    writeV(e, Rd, 64, k.op(i64x2.add, pair, k.shuffle(3, pair, pair, [1, 0])))
    k.done()
  },
  text: (word, mnemonic) => `${mnemonic} ${scalarName(3, bitsOf(word, Rd))}, v${bitsOf(word, Rn)}.2d`,
  encodings: [['ADDP_asisdpair_only', '0101111011110001101110xxxxxxxxxx']],
})

export const rows: readonly Row[] = [
  acrossLong(true, ['SADDLV_asimdall_only', '0x001110xx110000001110xxxxxxxxxx']),
  acrossLong(false, ['UADDLV_asimdall_only', '0x101110xx110000001110xxxxxxxxxx']),
  across(L.maxS, ['SMAXV_asimdall_only', '0x001110xx110000101010xxxxxxxxxx']),
  across(L.maxU, ['UMAXV_asimdall_only', '0x101110xx110000101010xxxxxxxxxx']),
  across(L.minS, ['SMINV_asimdall_only', '0x001110xx110001101010xxxxxxxxxx']),
  across(L.minU, ['UMINV_asimdall_only', '0x101110xx110001101010xxxxxxxxxx']),
  across(L.add, ['ADDV_asimdall_only', '0x001110xx110001101110xxxxxxxxxx']),
  scalarPair,
].flat()
