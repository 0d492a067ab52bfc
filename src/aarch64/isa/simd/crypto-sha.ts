/**
 * FEAT_SHA1 and FEAT_SHA256: four rounds of SHA-1 or SHA-256, and their schedule updates (DDI 0487, C6 SHA1C..SHA256SU1 and
 * shared/functions/crypto SHA256hash; FIPS 180-4). The rounds are library functions over words in locals.
 */

import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { i32, i32x4, lane, v128 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, type Feature, group, type Row } from '../row.ts'
import { Rd, Rm, Rn } from './shape.ts'

type Words = readonly [number, number, number, number]

function words(code: Code, vector: number): Words {
  return [0, 1, 2, 3].map((index) => {
    const local = code.local('i32')
    code.get(vector).lane(lane.i32x4_extract, index).set(local)
    return local
  }) as unknown as Words
}

function pack(code: Code, from: Words): void {
  code.v128([])
  for (const [index, local] of from.entries()) code.get(local).lane(lane.i32x4_replace, index)
}

/** Pushes the exclusive or of rotations to the right, and of one shift if given. */
function sigma(code: Code, x: number, rotations: readonly number[], shift?: number): void {
  for (const [index, by] of rotations.entries()) {
    code.get(x).i32(by).op(i32.rotr)
    if (index) code.op(i32.xor)
  }
  if (shift !== undefined) code.get(x).i32(shift).op(i32.shr_u, i32.xor)
}

type Mix = (code: Code, x: number, y: number, z: number) => void
/** SHAchoose, SHAmajority, SHAparity. */
const choose: Mix = (code, x, y, z) => code.get(y).get(z).op(i32.xor).get(x).op(i32.and).get(z).op(i32.xor)
const majority: Mix = (code, x, y, z) =>
  code.get(x).get(y).op(i32.and).get(x).get(y).op(i32.or).get(z).op(i32.and, i32.or)
const parity: Mix = (code, x, y, z) => code.get(x).get(y).op(i32.xor).get(z).op(i32.xor)

const library = (name: string, count: number, body: LibraryFunction['body']): LibraryFunction => ({
  name,
  parameters: Array.from({ length: count }, () => 'v128' as const),
  results: ['v128'],
  body,
})

/** SHA256hash(X, Y, W, part1): the words keep their locals, and change places as the 256-bit rotation moves them. */
const hash256 = (part1: boolean): LibraryFunction =>
  library(`sha256${part1 ? 'X' : 'Y'}`, 3, (code) => {
    let x = words(code, 0)
    let y = words(code, 1)
    const w = words(code, 2)
    const t = code.local('i32')
    for (let round = 0; round < 4; round++) {
      code.get(y[3])
      sigma(code, y[0], [6, 11, 25])
      code.op(i32.add)
      choose(code, y[0], y[1], y[2])
      code.op(i32.add).get(w[round]!).op(i32.add).set(t)
      code.get(x[3]).get(t).op(i32.add).set(x[3])
      sigma(code, x[0], [2, 13, 22])
      majority(code, x[0], x[1], x[2])
      code.op(i32.add).get(t).op(i32.add).set(y[3])
      const [top, next] = [x[3], y[3]]
      x = [next, x[0], x[1], x[2]]
      y = [top, y[0], y[1], y[2]]
    }
    pack(code, part1 ? x : y)
  })

/** Four rounds of SHA-1: (X, Y in lane 0, W). */
const hash1 = (name: string, mix: Mix): LibraryFunction =>
  library(`sha1${name}`, 3, (code) => {
    let x = words(code, 0)
    let [y] = words(code, 1)
    const w = words(code, 2)
    for (let round = 0; round < 4; round++) {
      code.get(y).get(x[0]).i32(5).op(i32.rotl, i32.add)
      mix(code, x[1], x[2], x[3])
      code.op(i32.add).get(w[round]!).op(i32.add).set(y)
      code.get(x[1]).i32(30).op(i32.rotl).set(x[1])
      const last = x[3]
      x = [y, x[0], x[1], x[2]]
      y = last
    }
    pack(code, x)
  })

/** Lanes 1, 2, 3 of the first vector and 0 of the second. */
const shifted = (lanes: readonly number[]): number[] => lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3])

/** (Vd, Vn) */
const schedule256First = library('sha256su0', 2, (code) => {
  const next = code.local('v128')
  code
    .get(0)
    .get(1)
    .shuffle(shifted([1, 2, 3, 4]))
    .set(next)
  const rotated = (by: number) =>
    code
      .get(next)
      .i32(by)
      .op(i32x4.shr_u)
      .get(next)
      .i32(32 - by)
      .op(i32x4.shl, v128.or)
  rotated(7)
  rotated(18)
  code.op(v128.xor).get(next).i32(3).op(i32x4.shr_u, v128.xor).get(0).op(i32x4.add)
})

/** (Vd, Vn, Vm): the upper two words need the lower two results. */
const schedule256Second = library('sha256su1', 3, (code) => {
  const sum = code.local('v128')
  code
    .get(1)
    .get(2)
    .shuffle(shifted([1, 2, 3, 4]))
    .get(0)
    .op(i32x4.add)
    .set(sum)
  const base = words(code, sum)
  const last = words(code, 2)
  for (const [index, from] of [last[2], last[3], base[0], base[1]].entries()) {
    code.get(base[index]!)
    sigma(code, from, [17, 19], 10)
    code.op(i32.add).set(base[index]!)
  }
  pack(code, base)
})

/** (Vd, Vn, Vm) */
const schedule1First = library('sha1su0', 3, (code) => {
  code
    .get(0)
    .get(1)
    .shuffle(shifted([2, 3, 4, 5]))
    .get(0)
    .op(v128.xor)
    .get(2)
    .op(v128.xor)
})

/** (Vd, Vn) */
const schedule1Second = library('sha1su1', 2, (code) => {
  const zero = code.local('v128')
  const t = code.local('v128')
  code.v128([]).set(zero)
  code
    .get(0)
    .get(1)
    .get(zero)
    .shuffle(shifted([1, 2, 3, 4]))
    .op(v128.xor)
    .set(t)
  const rotated = words(code, t)
  const first = code.local('i32')
  code.get(rotated[0]).i32(2).op(i32.rotl).set(first)
  for (const local of rotated) code.get(local).i32(1).op(i32.rotl).set(local)
  code.get(rotated[3]).get(first).op(i32.xor).set(rotated[3])
  pack(code, rotated)
})

type Encoding = readonly [string, string]
const q = (word: number, field: Field): string => `q${bitsOf(word, field)}`
const s = (word: number, field: Field): string => `s${bitsOf(word, field)}`
const v = (word: number, field: Field): string => `v${bitsOf(word, field)}.4s`

function sha(
  feature: Feature,
  callee: LibraryFunction,
  operands: readonly Field[],
  operandText: (word: number) => string,
  encoding: Encoding,
) {
  return group({
    fields: 'Rm:20-16 Rn:9-5 Rd:4-0',
    fp: true,
    feature,
    emit: (e) =>
      e.setQ(Rd, () => {
        for (const field of operands) e.q(field)
        e.call(callee)
      }),
    text: (word, mnemonic) => `${mnemonic} ${operandText(word)}`,
    encodings: [encoding],
  })
}

const rotateWord = (e: Emitter): void =>
  e.setS(Rd, () => {
    e.lane(Rn, i32.load)
    e.code.i32(30).op(i32.rotl)
  })

const qsv = (word: number): string => `${q(word, Rd)}, ${s(word, Rn)}, ${v(word, Rm)}`
const qqv = (word: number): string => `${q(word, Rd)}, ${q(word, Rn)}, ${v(word, Rm)}`
const vvv = (word: number): string => `${v(word, Rd)}, ${v(word, Rn)}, ${v(word, Rm)}`
const vv = (word: number): string => `${v(word, Rd)}, ${v(word, Rn)}`

export const rows: readonly Row[] = [
  sha('FEAT_SHA1', hash1('C', choose), [Rd, Rn, Rm], qsv, ['SHA1C_QSV_cryptosha3', '01011110000xxxxx000000xxxxxxxxxx']),
  sha('FEAT_SHA1', hash1('P', parity), [Rd, Rn, Rm], qsv, ['SHA1P_QSV_cryptosha3', '01011110000xxxxx000100xxxxxxxxxx']),
  sha('FEAT_SHA1', hash1('M', majority), [Rd, Rn, Rm], qsv, [
    'SHA1M_QSV_cryptosha3',
    '01011110000xxxxx001000xxxxxxxxxx',
  ]),
  sha('FEAT_SHA1', schedule1First, [Rd, Rn, Rm], vvv, ['SHA1SU0_VVV_cryptosha3', '01011110000xxxxx001100xxxxxxxxxx']),
  sha('FEAT_SHA1', schedule1Second, [Rd, Rn], vv, ['SHA1SU1_VV_cryptosha2', '0101111000101000000110xxxxxxxxxx']),
  group({
    fields: 'Rn:9-5 Rd:4-0',
    fp: true,
    feature: 'FEAT_SHA1',
    emit: rotateWord,
    text: (word, mnemonic) => `${mnemonic} ${s(word, Rd)}, ${s(word, Rn)}`,
    encodings: [['SHA1H_SS_cryptosha2', '0101111000101000000010xxxxxxxxxx']],
  }),
  sha('FEAT_SHA256', hash256(true), [Rd, Rn, Rm], qqv, ['SHA256H_QQV_cryptosha3', '01011110000xxxxx010000xxxxxxxxxx']),
  sha('FEAT_SHA256', hash256(false), [Rn, Rd, Rm], qqv, [
    'SHA256H2_QQV_cryptosha3',
    '01011110000xxxxx010100xxxxxxxxxx',
  ]),
  sha('FEAT_SHA256', schedule256First, [Rd, Rn], vv, ['SHA256SU0_VV_cryptosha2', '0101111000101000001010xxxxxxxxxx']),
  sha('FEAT_SHA256', schedule256Second, [Rd, Rn, Rm], vvv, [
    'SHA256SU1_VVV_cryptosha3',
    '01011110000xxxxx011000xxxxxxxxxx',
  ]),
].flat()
