/**
 * The text of floating-point and SIMD instructions, one or more for each class, as Arm's assembly syntax writes them. Words are what an
 * assembler (LLVM's) makes of the text.
 */
import { expect, it } from 'vitest'
import { Decoder } from '../decode.ts'
import { fpRows } from '../fp/rows.ts'
import { rows } from '../rows.ts'
import { cryptoRows } from './crypto.ts'
import { simdRows } from './rows.ts'

const decoder = new Decoder(rows, new Set())

it.each([
  [0x1e232841, 'fadd s1, s2, s3'],
  [0x1f439041, 'fmsub d1, d2, d3, d4'],
  [0x1e2b8949, 'fnmul s9, s10, s11'],
  [0x1e61c3e0, 'fsqrt d0, d31'],
  [0x1e602028, 'fcmp d1, #0.0'],
  [0x1e222030, 'fcmpe s1, s2'],
  [0x1e621425, 'fccmp d1, d2, #5, ne'],
  [0x1e23cc41, 'fcsel s1, s2, s3, gt'],
  [0x1e63c041, 'fcvt h1, d2'],
  [0x1e22c041, 'fcvt d1, s2'],
  [0x1e2740a4, 'frintx s4, s5'],
  [0x9e240041, 'fcvtas x1, s2'],
  [0x1e59d041, 'fcvtzu w1, d2, #12'],
  [0x9e420041, 'scvtf d1, x2, #64'],
  [0x1e2303e1, 'ucvtf s1, wzr'],
  [0x9eae0041, 'fmov x1, v2.d[1]'],
  [0x9eaf0062, 'fmov v2.d[1], x3'],
  [0x1e709001, 'fmov d1, #-2.50000000'],
  [0x6f03f601, 'fmov v1.2d, #1.00000000'],
  [0x6f05e541, 'movi v1.2d, #0xff00ff00ff00ff00'],
  [0x4f00a4a1, 'movi v1.8h, #0x5, lsl #8'],
  [0x2f00d4a1, 'mvni v1.2s, #0x5, msl #16'],
  [0x4f007421, 'orr v1.4s, #0x1, lsl #24'],
  [0x0e230441, 'shadd v1.8b, v2.8b, v3.8b'],
  [0x5e230c41, 'sqadd b1, b2, b3'],
  [0x5ee38c41, 'cmtst d1, d2, d3'],
  [0x6e631c41, 'bsl v1.16b, v2.16b, v3.16b'],
  [0x4fa33841, 'sqdmlal2 v1.2d, v2.4s, v3.s[3]'],
  [0x4f831841, 'fmla v1.4s, v2.4s, v3.s[2]'],
  [0x7fc39841, 'fmulx d1, d2, v3.d[1]'],
  [0x6f7f0841, 'mla v1.8h, v2.8h, v15.h[7]'],
  [0x0e23c041, 'smull v1.8h, v2.8b, v3.8b'],
  [0x4e631041, 'saddw2 v1.4s, v2.4s, v3.8h'],
  [0x4e234041, 'addhn2 v1.16b, v2.8h, v3.8h'],
  [0x4e214841, 'sqxtn2 v1.16b, v2.8h'],
  [0x2ea13841, 'shll v1.2d, v2.2s, #32'],
  [0x6ea08841, 'cmge v1.4s, v2.4s, #0'],
  [0x5ea0e841, 'fcmlt s1, s2, #0.0'],
  [0x0e202841, 'saddlp v1.4h, v2.8b'],
  [0x4e31b841, 'addv b1, v2.16b'],
  [0x6eb03841, 'uaddlv d1, v2.4s'],
  [0x6e30c841, 'fmaxnmv s1, v2.4s'],
  [0x7e70d841, 'faddp d1, v2.2d'],
  [0x4e020c41, 'dup v1.8h, w2'],
  [0x4e1c0441, 'dup v1.4s, v2.s[3]'],
  [0x4e0c2c41, 'smov x1, v2.s[1]'],
  [0x0e1f3c41, 'umov w1, v2.b[15]'],
  [0x2e032841, 'ext v1.8b, v2.8b, v3.8b, #5'],
  [0x4ec37841, 'zip2 v1.2d, v2.2d, v3.2d'],
  [0x0e0323e1, 'tbl v1.8b, { v31.16b, v0.16b }, v3.8b'],
  [0x5f400441, 'sshr d1, d2, #64'],
  [0x2f1f5441, 'sli v1.4h, v2.4h, #15'],
  [0x0f108c41, 'rshrn v1.4h, v2.4s, #16'],
  [0x7f1f8c41, 'sqrshrun h1, s2, #1'],
  [0x6f10a441, 'ushll2 v1.4s, v2.8h, #0'],
  [0x4f20fc41, 'fcvtzs v1.4s, v2.4s, #32'],
  [0x4e216841, 'fcvtn2 v1.8h, v2.4s'],
  [0x7e616841, 'fcvtxn s1, d2'],
  [0x5ee1f841, 'frecpx d1, d2'],
  [0x2ea1c841, 'ursqrte v1.2s, v2.2s'],
])('0x%x is %s', (word, text) => {
  const row = decoder.decode(word)
  expect(row?.text(word, row.name.slice(0, row.name.indexOf('_')).toLowerCase(), 0n)).toBe(text)
})

it('every floating-point and SIMD instruction is subject to the trap of CPACR_EL1.FPEN (DDI 0487 D1, AArch64.CheckFPAdvSIMDEnabled)', () => {
  const all = [...fpRows, ...simdRows, ...cryptoRows]
  expect(all.filter(({ fp }) => !fp).map(({ name }) => name)).toEqual([])
  expect(all.length).toBeGreaterThan(500)
})
