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

export interface Batch {
  readonly names: readonly string[]
  readonly words: Uint32Array
  readonly cases: Uint8Array
}

/** `perRow` random words of every row, and a random case for each. */
export function randomBatch(rows: readonly Row[], perRow: number, seed: number): Batch {
  const random = new Random(seed)
  const chosen = rows.flatMap((row) =>
    Array.from({ length: perRow }, () => ({ name: row.name, word: randomWord(row, random) })),
  )
  const cases = new Uint8Array(chosen.length * caseBytes)
  for (let i = 0; i < chosen.length; i++) fillCase(cases, i, random)
  return { names: chosen.map(({ name }) => name), words: Uint32Array.from(chosen, ({ word }) => word), cases }
}

/** Runs a batch on both machines and reports what differs. */
export function compareMachines(
  { names, words, cases: before }: Batch,
  ourMachine: Machine,
  theirMachine: Machine,
): Outcome {
  const ours = before.slice()
  const theirs = before.slice()
  ourMachine(words, ours)
  theirMachine(words, theirs)
  const differences: Difference[] = []
  let executed = 0
  let undefinedOnBoth = 0
  for (const [i, word] of words.entries()) {
    const name = names[i]!
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

/** A digest (FNV-1a, 32 bits) for each instruction of what its cases ended with: registers, FPSR, NZCV, or that it is UNDEFINED. */
export function digests({ names, words, cases: before }: Batch, machine: Machine): Record<string, string> {
  const cases = before.slice()
  machine(words, cases)
  const view = new DataView(cases.buffer)
  const found = new Map<string, number>()
  for (const [i, name] of names.entries()) {
    let hash = found.get(name) ?? 0x811c9dc5
    const add = (value: number): void => {
      for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((value >>> shift) & 0xff), 0x01000193)
    }
    const start = i * caseBytes
    const undefinedHere = view.getUint32(start + CASE.ESR, true) !== 0
    add(undefinedHere ? 1 : 0)
    if (!undefinedHere) {
      for (let at = 0; at < CASE.FPCR; at += 4) add(view.getUint32(start + at, true))
      add(view.getUint32(start + CASE.FPSR, true))
      add(view.getUint32(start + CASE.NZCV, true))
    }
    found.set(name, hash)
  }
  return Object.fromEntries([...found].map(([name, hash]) => [name, (hash >>> 0).toString(16).padStart(8, '0')]))
}
