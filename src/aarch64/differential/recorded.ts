/**
 * Cases whose outcome on QEMU is recorded as a digest in testdata, so that every test run holds the CPU against it without QEMU.
 * A row's cases depend on its name and their place alone, so other rows may come and go.
 */
import type { Row } from '../isa/row.ts'
import { modelFor, randomCase, testable } from './cases.ts'
import { farMatters } from './compare.ts'
import { at, type Case, caseAddress, caseBytes, ram, window } from './image.ts'
import { Random } from './random.ts'

export interface Recording {
  readonly model: string
  /** `name digest`, in the order of the batch. */
  readonly cases: readonly string[]
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
  return value
}

/** The case of a row at a place of a batch. */
export function recordedCase(row: Row, index: number): Case {
  const random = new Random(hash(`${row.name} ${index}`))
  for (let attempt = 0; attempt < 1000; attempt++) {
    const one = randomCase(row, index, random)
    if (one) return one
  }
  throw new Error(`${row.name} has no word to test`)
}

/** The rows to record for one of QEMU's models, each `times` times. */
export function recordedRows(rows: readonly Row[], model: string, times: number): Row[] {
  const held = rows.filter((row) => testable(row) && modelFor(row) === model)
  return Array.from({ length: times }, () => held).flat()
}

/** FNV-1a of everything about a case that is architecture: registers, flags (in SPSR), syndrome, memory window. */
export function digest(memory: Uint8Array, index: number): string {
  const from = caseAddress(index) - ram.base
  const view = new DataView(memory.buffer, memory.byteOffset + from, caseBytes)
  const far = farMatters(view.getBigUint64(at.esr, true))
  let value = 0x811c9dc5
  for (let offset = 0; offset < caseBytes; offset++) {
    const skipped =
      (offset >= at.nzcv && offset < at.nzcv + 8) ||
      (!far && offset >= at.far && offset < at.far + 8) ||
      (offset >= at.spsr + 8 && offset < window.offset)
    if (!skipped) value = Math.imul(value ^ memory[from + offset]!, 0x01000193) >>> 0
  }
  return value.toString(16).padStart(8, '0')
}
