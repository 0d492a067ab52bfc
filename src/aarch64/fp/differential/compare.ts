/**
 * Random instructions on one machine and on another, and the cases in which they differ. The driver of the differential tests;
 * it decides nothing about who is right.
 */
import type { Row } from '../../row.ts'
import { fillCase, Random, randomWord } from './cases.ts'
import { CASE, caseBytes } from './qemu.ts'

export interface Difference {
  readonly name: string
  readonly word: number
  readonly detail: string
}

export interface Outcome {
  readonly executed: number
  readonly undefinedOnBoth: number
  readonly differences: Difference[]
}

/** Runs cases in place; CASE.ESR becomes non-zero where the instruction is UNDEFINED. */
export type Machine = (words: Uint32Array, cases: Uint8Array) => void

const hex = (value: bigint): string => value.toString(16).padStart(16, '0')
const vector = (view: DataView, at: number): string =>
  `${hex(view.getBigUint64(at + 8, true))}_${hex(view.getBigUint64(at, true))}`

/** What is different after the instruction, by register. */
function registersThatDiffer(ours: DataView, theirs: DataView): string[] {
  const found: string[] = []
  for (let v = 0; v < 32; v++) {
    const [mine, other] = [vector(ours, 16 * v), vector(theirs, 16 * v)]
    if (mine !== other) found.push(`v${v}: ours ${mine} theirs ${other}`)
  }
  for (let x = 0; x < 16; x++) {
    const [mine, other] = [ours.getBigUint64(CASE.X + 8 * x, true), theirs.getBigUint64(CASE.X + 8 * x, true)]
    if (mine !== other) found.push(`x${x}: ours ${hex(mine)} theirs ${hex(other)}`)
  }
  for (const name of ['FPSR', 'NZCV'] as const) {
    const [mine, other] = [ours.getUint32(CASE[name], true), theirs.getUint32(CASE[name], true)]
    if (mine !== other) found.push(`${name}: ours ${mine.toString(16)} theirs ${other.toString(16)}`)
  }
  return found
}

/** The operands of the word before it ran. */
function inputs(word: number, before: DataView): string {
  const registers = [5, 16, 10, 0].map((lsb) => (word >>> lsb) & 31)
  const vectors = registers.map((r) => `v${r}=${vector(before, 16 * r)}`).join(' ')
  const n = (word >>> 5) & 31
  const general = n < 16 ? ` x${n}=${hex(before.getBigUint64(CASE.X + 8 * n, true))}` : ''
  const control = `fpcr=${before.getUint32(CASE.FPCR, true).toString(16)} fpsr=${before.getUint32(CASE.FPSR, true).toString(16)}`
  return `${control} ${vectors}${general}`
}

/** Runs `perRow` random words of every row on both machines and reports what differs. */
export function compareMachines(
  rows: readonly Row[],
  perRow: number,
  seed: number,
  ourMachine: Machine,
  theirMachine: Machine,
): Outcome {
  const random = new Random(seed)
  const chosen = rows.flatMap((row) =>
    Array.from({ length: perRow }, () => ({ name: row.name, word: randomWord(row, random) })),
  )
  const words = Uint32Array.from(chosen, ({ word }) => word)
  const before = new Uint8Array(words.length * caseBytes)
  for (let i = 0; i < words.length; i++) fillCase(before, i, random)
  const ours = before.slice()
  const theirs = before.slice()
  ourMachine(words, ours)
  theirMachine(words, theirs)
  const differences: Difference[] = []
  let executed = 0
  let undefinedOnBoth = 0
  for (const [i, { name, word }] of chosen.entries()) {
    const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset + i * caseBytes, caseBytes)
    const [mine, other] = [view(ours), view(theirs)]
    const undefinedHere = mine.getUint32(CASE.ESR, true) !== 0
    const undefinedThere = other.getUint32(CASE.ESR, true) !== 0
    if (undefinedHere && undefinedThere) {
      undefinedOnBoth++
      continue
    }
    if (undefinedHere !== undefinedThere) {
      differences.push({ name, word, detail: undefinedHere ? 'only we say UNDEFINED' : 'only they say UNDEFINED' })
      continue
    }
    executed++
    const found = registersThatDiffer(mine, other)
    if (found.length > 0)
      differences.push({ name, word, detail: `${found.join('; ')} | ${inputs(word, view(before))}` })
  }
  return { executed, undefinedOnBoth, differences }
}

/** The first difference of each instruction, one line each. */
export function summary({ differences }: Outcome): string[] {
  const first = new Map(differences.map((d) => [d.name, d]))
  return [...first.values()].map((d) => `${d.name} ${d.word.toString(16)}: ${d.detail}`)
}
