/**
 * Random instructions on QEMU and on this implementation, and the cases in which they differ. The driver of the differential test;
 * it decides nothing about who is right.
 */
import type { Row } from '../../row.ts'
import { STATE } from '../../state.ts'
import { fillCase, Random, randomWord } from './cases.ts'
import { compile, cpuAddress, Decoder } from './constant-tier.ts'
import { CASE, caseBytes, runOnQemu } from './qemu.ts'

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

const hex = (value: bigint): string => value.toString(16).padStart(16, '0')

function vector(view: DataView, at: number): string {
  return `${hex(view.getBigUint64(at + 8, true))}_${hex(view.getBigUint64(at, true))}`
}

/** Runs `perRow` random words of every row on both and reports what differs. `table` decodes them: more rows than those under test. */
export function compareWithQemu(rows: readonly Row[], table: readonly Row[], perRow: number, seed: number): Outcome {
  const random = new Random(seed)
  const decoder = new Decoder(table)
  const words: number[] = []
  const names: string[] = []
  for (const row of rows) {
    for (let i = 0; i < perRow; i++) {
      const word = randomWord(row, random)
      words.push(word)
      names.push(row.name)
    }
  }
  const cases = new Uint8Array(words.length * caseBytes)
  for (let i = 0; i < words.length; i++) fillCase(cases, i, random)
  const before = cases.slice()
  runOnQemu(Uint32Array.from(words), cases)

  const allocated = words.map((word) => decoder.find(word) !== undefined)
  const compiled = compile(
    words.filter((_, i) => allocated[i]),
    table,
  )
  const ours = new DataView(compiled.memory.buffer, cpuAddress)
  const oursBytes = new Uint8Array(compiled.memory.buffer, cpuAddress)
  const differences: Difference[] = []
  let next = 0
  let undefinedOnBoth = 0
  for (let i = 0; i < words.length; i++) {
    const theirs = new DataView(cases.buffer, i * caseBytes, caseBytes)
    const start = new DataView(before.buffer, i * caseBytes, caseBytes)
    const report = (detail: string) => differences.push({ name: names[i]!, word: words[i]!, detail })
    const undefinedThere = theirs.getUint32(CASE.ESR, true) !== 0
    if (!allocated[i]) {
      if (undefinedThere) undefinedOnBoth++
      else report('we say UNDEFINED')
      continue
    }
    const index = next++
    if (undefinedThere) {
      report('QEMU says UNDEFINED')
      continue
    }
    oursBytes.set(before.subarray(i * caseBytes, i * caseBytes + 512), STATE.V)
    oursBytes.set(before.subarray(i * caseBytes + CASE.X, i * caseBytes + CASE.X + 128), STATE.X)
    ours.setUint32(STATE.FPCR, start.getUint32(CASE.FPCR, true), true)
    ours.setUint32(STATE.FPSR, start.getUint32(CASE.FPSR, true), true)
    ours.setUint32(STATE.NZCV, start.getUint32(CASE.NZCV, true) >>> 28, true)
    compiled.run(index)
    const inputs = () => {
      const n = (words[i]! >>> 5) & 31
      const m = (words[i]! >>> 16) & 31
      const d = words[i]! & 31
      const a = (words[i]! >>> 10) & 31
      const list = [n, m, a, d].map((r) => `v${r}=${vector(start, 16 * r)}`).join(' ')
      return `fpcr=${start.getUint32(CASE.FPCR, true).toString(16)} fpsr=${start.getUint32(CASE.FPSR, true).toString(16)} ${list} x${n}=${n < 16 ? hex(start.getBigUint64(CASE.X + 8 * n, true)) : '-'}`
    }
    const found: string[] = []
    for (let v = 0; v < 32; v++) {
      const mine = vector(ours, STATE.V + 16 * v)
      const other = vector(theirs, 16 * v)
      if (mine !== other) found.push(`v${v}: ours ${mine} QEMU ${other}`)
    }
    for (let x = 0; x < 16; x++) {
      const mine = ours.getBigUint64(STATE.X + 8 * x, true)
      const other = theirs.getBigUint64(CASE.X + 8 * x, true)
      if (mine !== other) found.push(`x${x}: ours ${hex(mine)} QEMU ${hex(other)}`)
    }
    const fpsr = ours.getUint32(STATE.FPSR, true)
    if (fpsr !== theirs.getUint32(CASE.FPSR, true)) {
      found.push(`FPSR: ours ${fpsr.toString(16)} QEMU ${theirs.getUint32(CASE.FPSR, true).toString(16)}`)
    }
    const nzcv = ours.getUint32(STATE.NZCV, true)
    if (nzcv !== theirs.getUint32(CASE.NZCV, true) >>> 28) {
      found.push(`NZCV: ours ${nzcv.toString(16)} QEMU ${(theirs.getUint32(CASE.NZCV, true) >>> 28).toString(16)}`)
    }
    if (found.length > 0) report(`${found.join('; ')} | ${inputs()}`)
  }
  return { executed: next, undefinedOnBoth, differences }
}
