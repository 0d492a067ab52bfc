/**
 * FEAT_AES: one round of AES on a register (DDI 0487, C6 AESE, AESD, AESMC, AESIMC; FIPS 197). The S-boxes are computed from the field,
 * and looked up sixteen entries at a time. PMULL, which GCM needs beside it, is in
 * three-different.ts.
 */

import type { LibraryFunction } from '../../wasm/module.ts'
import { i8x16, v128 } from '../../wasm/opcodes.ts'
import type { Push } from '../emitter.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { Rd, Rn } from './shape.ts'

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0
  for (; b; b >>= 1) {
    if (b & 1) product ^= a
    a = (a << 1) ^ (a & 0x80 ? 0x11b : 0)
  }
  return product
}

const rotate = (x: number, by: number): number => ((x << by) | (x >> (8 - by))) & 0xff

/** Inverses in the field, and 0 for 0. 3 generates all others, and so does its inverse, 0xf6: the powers of both meet in pairs. */
const inverses = new Uint8Array(256)
for (let power = 1, inverse = 1, count = 0; count < 255; count++) {
  inverses[power] = inverse
  power = multiply(power, 3)
  inverse = multiply(inverse, 0xf6)
}

/** FIPS 197, 5.1.1: the inverse in the field, then the affine transformation. */
export const subBytes: readonly number[] = Array.from(
  inverses,
  (x) => x ^ rotate(x, 1) ^ rotate(x, 2) ^ rotate(x, 3) ^ rotate(x, 4) ^ 0x63,
)
const inverseSubBytes: number[] = Array.from({ length: 256 }, () => 0)
for (const [x, substitute] of subBytes.entries()) inverseSubBytes[substitute] = x

/** Byte 4c + r is row r of column c; row r moves r columns to the left, or back. */
const shiftRows = (direction: 1 | -1): number[] =>
  Array.from({ length: 16 }, (_, i) => {
    const row = i & 3
    return 4 * (((i >> 2) + direction * row + 4) & 3) + row
  })

/** (state with the key added) -> state, rows shifted and bytes substituted. */
function round(name: string, table: readonly number[], direction: 1 | -1): LibraryFunction {
  return {
    name,
    parameters: ['v128'],
    results: ['v128'],
    body: (code) => {
      const index = code.local('v128')
      code.get(0).get(0).shuffle(shiftRows(direction)).set(index)
      // An index outside of a part of the table finds zero there.
      for (let part = 0; part < 16; part++) {
        code.v128(table.slice(16 * part, 16 * part + 16)).get(index)
        if (part) code.v128(Array.from({ length: 16 }, () => 16 * part)).op(i8x16.sub)
        code.op(i8x16.swizzle)
        if (part) code.op(v128.or)
      }
    },
  }
}

const encrypt = round('aesEncrypt', subBytes, 1)
const decrypt = round('aesDecrypt', inverseSubBytes, -1)

/** Rows of each column, `by` further down. */
const nextRow = (by: number): number[] => Array.from({ length: 16 }, (_, i) => (i & ~3) | ((i + by) & 3))

const mixColumns: LibraryFunction = {
  name: 'aesMixColumns',
  parameters: ['v128'],
  results: ['v128'],
  body: (code) => {
    // 2 s[r] + 3 s[r+1] + s[r+2] + s[r+3], with 3 = 2 + 1.
    const next = code.local('v128')
    code.get(0).get(0).shuffle(nextRow(1)).set(next)
    const pair = code.local('v128')
    code.get(0).get(next).op(v128.xor).tee(pair).i32(1).op(i8x16.shl)
    code
      .get(pair)
      .i32(7)
      .op(i8x16.shr_s)
      .v128(Array.from({ length: 16 }, () => 0x1b))
      .op(v128.and, v128.xor)
    code.get(next).op(v128.xor)
    code.get(pair).get(pair).shuffle(nextRow(2)).op(v128.xor)
  },
}

const inverseMixColumns: LibraryFunction = {
  name: 'aesInverseMixColumns',
  parameters: ['v128'],
  results: ['v128'],
  body: (code, module) => {
    // The inverse matrix is the forward one times (5, 0, 4, 0): add 4 (s[r] + s[r+2]) to each row first.
    const sum = code.local('v128')
    code.get(0).get(0).get(0).shuffle(nextRow(2)).op(v128.xor).set(sum)
    for (let twice = 0; twice < 2; twice++) {
      code.get(sum).i32(1).op(i8x16.shl)
      code
        .get(sum)
        .i32(7)
        .op(i8x16.shr_s)
        .v128(Array.from({ length: 16 }, () => 0x1b))
        .op(v128.and, v128.xor)
        .set(sum)
    }
    code.get(0).get(sum).op(v128.xor).call(module.indexOf(mixColumns))
  },
}

function aes(library: LibraryFunction, withKey: boolean, encoding: readonly [string, string]) {
  return group({
    fields: 'Rn:9-5 Rd:4-0',
    fp: true,
    feature: 'FEAT_AES',
    emit: (e) => {
      const operand: Push = () => {
        e.q(Rn)
        if (withKey) {
          e.q(Rd)
          e.code.op(v128.xor)
        }
      }
      e.setQ(Rd, () => {
        operand()
        e.call(library)
      })
    },
    text: (word, mnemonic) => `${mnemonic} v${bitsOf(word, Rd)}.16b, v${bitsOf(word, Rn)}.16b`,
    encodings: [encoding],
  })
}

export const rows: readonly Row[] = [
  aes(encrypt, true, ['AESE_B_cryptoaes', '0100111000101000010010xxxxxxxxxx']),
  aes(decrypt, true, ['AESD_B_cryptoaes', '0100111000101000010110xxxxxxxxxx']),
  aes(mixColumns, false, ['AESMC_B_cryptoaes', '0100111000101000011010xxxxxxxxxx']),
  aes(inverseMixColumns, false, ['AESIMC_B_cryptoaes', '0100111000101000011110xxxxxxxxxx']),
].flat()
