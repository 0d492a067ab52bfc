/** What two runs of a batch left, case by case, and a readable account of a difference. */
import { at, type Case, caseAddress, caseBytes, code, codeBytes, entryOffset, ram, window } from './image.ts'

export interface Difference {
  readonly index: number
  readonly fields: readonly string[]
}

/** The flags are compared in SPSR_EL1: what PSTATE.NZCV is after an exception was taken is not architecture. */
const names: readonly (readonly [number, string])[] = [
  ...Array.from({ length: 31 }, (_, n) => [at.x + 8 * n, `X${n}`] as const),
  [at.sp, 'SP'],
  ...Array.from({ length: 64 }, (_, n) => [at.v + 8 * n, `V${n >> 1}.${n & 1 ? 'high' : 'low'}`] as const),
  [at.fpcr, 'FPCR'],
  [at.fpsr, 'FPSR'],
  [at.esr, 'ESR_EL1'],
  [at.far, 'FAR_EL1'],
  [at.elr, 'ELR_EL1'],
  [at.spsr, 'SPSR_EL1'],
]

/** A stray store may reach these fields of a later case; QEMU's CPU has bits there that belong to AArch32. */
const masks = new Map<string, bigint>([
  ['FPCR', 0x07c00000n],
  ['FPSR', 0x0800009fn],
])

/**
 * FAR_EL1 is UNKNOWN but after an abort, a watchpoint or a PC alignment fault. For an external abort QEMU gives the aligned part of the access
 * that it happened to make.
 */
export function farMatters(esr: bigint): boolean {
  if ((esr & 0x3fn) === 0x10n) return false
  return [0x20n, 0x21n, 0x22n, 0x24n, 0x25n, 0x34n, 0x35n].includes((esr >> 26n) & 0x3fn)
}

/** Differences between memory after the run of one machine (`expected`) and of another. */
export function differences(batch: readonly Case[], expected: Uint8Array, actual: Uint8Array): Difference[] {
  const found: Difference[] = []
  const left = new DataView(expected.buffer, expected.byteOffset, expected.byteLength)
  const right = new DataView(actual.buffer, actual.byteOffset, actual.byteLength)
  for (let index = 0; index < batch.length; index++) {
    const from = caseAddress(index) - ram.base
    const fields: string[] = []
    const esr = left.getBigUint64(from + at.esr, true)
    for (const [offset, name] of names) {
      const mask = masks.get(name) ?? -1n
      const a = left.getBigUint64(from + offset, true) & mask
      const b = right.getBigUint64(from + offset, true) & mask
      if (a === b || (name === 'FAR_EL1' && !farMatters(esr))) continue
      fields.push(`${name}: expected ${a.toString(16)}, got ${b.toString(16)}`)
    }
    for (let offset = window.offset; offset < caseBytes; offset++) {
      if (expected[from + offset] !== actual[from + offset]) {
        fields.push(
          `memory +${offset - window.offset}: expected ${expected[from + offset]}, got ${actual[from + offset]}`,
        )
        if (fields.length > 20) break
      }
    }
    if (fields.length > 0) found.push({ index, fields })
  }
  return found
}

/** One failing case with the registers that its instruction names. */
export function describeDifference(
  batch: readonly Case[],
  { index, fields }: Difference,
  disassemble: (word: number, address: bigint) => string,
): string {
  const one = batch[index]!
  const address = BigInt(code + index * codeBytes + entryOffset)
  const texts = one.words.map(
    (word, place) => `${word.toString(16).padStart(8, '0')} ${disassemble(word, address + BigInt(4 * place))}`,
  )
  const used = new Set(
    one.words.flatMap((word) => [word & 31, (word >>> 5) & 31, (word >>> 10) & 31, (word >>> 16) & 31]),
  )
  const state = [...used].map((n) => `x${n}=${one.x[n]!.toString(16)}`)
  const vectors = [...used].map((n) => `v${n}=${one.v[2 * n + 1]!.toString(16)}_${one.v[2 * n]!.toString(16)}`)
  return [
    `case ${index}: ${texts.join('; ')}`,
    `  nzcv=${one.nzcv.toString(2)} fpcr=${one.fpcr.toString(16)} fpsr=${one.fpsr.toString(16)} ${state.join(' ')}`,
    `  ${vectors.join(' ')}`,
    ...fields.map((field) => `  ${field}`),
  ].join('\n')
}
