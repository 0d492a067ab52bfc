/**
 * Every pair of special numbers as the operands of every two-operand floating-point instruction, so that no pair is left to chance.
 * FPCR is zero, and FPSR.IXC clear for scalars and set for vectors: where each takes its native arithmetic. It says nothing about results.
 */
import { bitsOf, type Row } from '../../row.ts'
import { Random, randomWord, specials } from './cases.ts'
import type { Batch } from './compare.ts'
import { CASE, caseBytes, maximumCases } from './qemu.ts'

interface One {
  readonly name: string
  readonly word: number
  /** Elements of V1, V2, and of V3 and V0. */
  readonly operands: readonly (readonly bigint[])[]
  readonly size: 2 | 3
  readonly fpsr: number
}

const twoOperands = ({ fp, fields, name }: Row): boolean => fp && /\bRm:/.test(fields) && /^F(?!MOV)/.test(name)

/** Vd or Sd is 0, Rn 1, Rm 2, Ra 3; an element's index 0; all of a vector, by the size asked for. */
function wordOf(row: Row, size: 2 | 3, random: Random): number {
  let word = randomWord(row, random)
  const put = (msb: number, lsb: number, value: number) => {
    for (let bit = lsb; bit <= msb; bit++) {
      if (row.pattern[31 - bit] !== 'x') continue
      word = (word & ~(1 << bit)) | (((value >>> (bit - lsb)) & 1) << bit)
    }
  }
  put(4, 0, 0)
  put(9, 5, 1)
  put(20, 16, 2)
  if (/_floatdp3$/.test(row.name)) put(14, 10, 3)
  if (/elem/.test(row.name)) put(11, 11, 0)
  if (/elem/.test(row.name)) put(21, 21, 0)
  put(22, 22, size - 2)
  put(30, 30, 1)
  return word >>> 0
}

function casesOf(row: Row, random: Random): One[] {
  return ([2, 3] as const).flatMap((size) => {
    const word = wordOf(row, size, random)
    if (bitsOf(word, [22, 22]) !== size - 2) return []
    const vector = /_asimd/.test(row.name)
    const byElement = /elem/.test(row.name)
    const lanes = vector ? 16 >> size : 1
    const values = specials[size].map(BigInt)
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const))
    const inOneCase: (readonly (readonly [bigint, bigint])[])[] = []
    if (byElement) {
      // One element meets all of a vector.
      for (const b of values)
        for (let from = 0; from < values.length; from += lanes)
          inOneCase.push(values.slice(from, from + lanes).map((a) => [a, b] as const))
    } else for (let from = 0; from < pairs.length; from += lanes) inOneCase.push(pairs.slice(from, from + lanes))
    return inOneCase.map((list) => ({
      name: row.name,
      word,
      operands: [
        list.map(([a]) => a),
        byElement ? Array.from({ length: 16 >> size }, () => list[0]![1]) : list.map(([, b]) => b),
        list.map(() => random.pick(values)),
      ],
      size,
      fpsr: vector ? 0x10 : 0,
    }))
  })
}

/** The cases of all rows, in batches that fit. */
export function pairBatches(rows: readonly Row[], seed: number): Batch[] {
  const random = new Random(seed)
  const all = rows.filter(twoOperands).flatMap((row) => casesOf(row, random))
  const batches: Batch[] = []
  for (let from = 0; from < all.length; from += maximumCases) {
    const part = all.slice(from, from + maximumCases)
    const cases = new Uint8Array(part.length * caseBytes)
    const view = new DataView(cases.buffer)
    for (const [index, { operands, size, fpsr }] of part.entries()) {
      const start = index * caseBytes
      for (const [register, elements] of [operands[2]!, ...operands].entries()) {
        for (const [lane, value] of elements.entries()) {
          const at = start + CASE.V + 16 * register + (lane << size)
          if (size === 3) view.setBigUint64(at, value, true)
          else view.setUint32(at, Number(value), true)
        }
      }
      view.setBigUint64(start + CASE.FPSR, BigInt(fpsr), true)
    }
    batches.push({
      names: part.map(({ name }) => name),
      words: Uint32Array.from(part, ({ word }) => word),
      cases,
    })
  }
  return batches
}
