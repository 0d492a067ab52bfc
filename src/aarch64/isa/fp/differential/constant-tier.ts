/**
 * The smallest tier there can be, for tests: each instruction word compiles to a function of its own, all its fields constant,
 * as a translator would have them. It has no memory accesses, no branches and no traps.
 */

import { type LinearMemory, wasm } from '../../../wasm/api.ts'
import { Code } from '../../../wasm/code.ts'
import { Module } from '../../../wasm/module.ts'
import { Emitter } from '../../emitter.ts'
import type { Row } from '../../row.ts'
import { fpExact, fpExactFor } from '../exact.ts'

class ConstantEmitter extends Emitter {
  constructor(code: Code, module: Module, word: number) {
    super(code, module, 0xffffffff, word)
  }

  override word(): void {
    this.code.i32(this.value)
  }

  override cpu(): void {
    this.code.get(0)
  }

  /** Evaluates the condition from NZCV by the definition of ConditionHolds. */
  override condition(field: readonly [number, number]): void {
    const { code } = this
    const cond = this.fixed(field)
    let table = 0
    for (let nzcv = 0; nzcv < 16; nzcv++) if (conditionHolds(cond, nzcv)) table |= 1 << nzcv
    code.i32(table)
    this.nzcv()
    code.op(0x76).i32(1).op(0x71)
  }

  private no(): never {
    throw new Error('not in this tier')
  }

  override pc = this.no
  override jump = this.no
  override jumpRelative = this.no
  override leave = this.no
  override leaveOnFault = this.no
  override undefined = this.no
  override base = this.no
  override loads = this.no
  override stores = this.no
  override raise = this.no
  override effect = this.no
}

/** Shared pseudocode ConditionHolds, N Z C V in bits 3:0. */
function conditionHolds(cond: number, nzcv: number): boolean {
  const [n, z, c, v] = [8, 4, 2, 1].map((bit) => (nzcv & bit) !== 0)
  const result = [z, c, n, v, c && !z, n === v, n === v && !z, true][cond >> 1]!
  return cond & 1 && cond !== 15 ? !result : result
}

/** Where the CPU's state block is in the memory of a compiled batch. */
export const cpuAddress = 0x20000

export interface Compiled {
  readonly memory: LinearMemory
  /** Runs the i-th word on the state block at `cpuAddress`. */
  readonly run: (index: number) => void
}

/** The row that a word belongs to, by the rules of the decode table: most fixed bits win; undefined if unallocated. */
export class Decoder {
  private readonly rows: { row: Row; mask: number; value: number; unallocated: { mask: number; value: number }[] }[]

  constructor(rows: readonly Row[]) {
    const bits = (pattern: string) => ({
      mask: Number.parseInt(pattern.replace(/[01]/g, '1').replace(/x/g, '0'), 2) >>> 0,
      value: Number.parseInt(pattern.replace(/x/g, '0'), 2) >>> 0,
    })
    this.rows = rows
      .map((row) => ({ row, ...bits(row.pattern), unallocated: row.unallocated.map(bits) }))
      .sort((a, b) => b.row.pattern.replace(/x/g, '').length - a.row.pattern.replace(/x/g, '').length)
  }

  find(word: number): Row | undefined {
    for (const { row, mask, value, unallocated } of this.rows) {
      if ((word & mask) >>> 0 !== value) continue
      return unallocated.some((u) => (word & u.mask) >>> 0 === u.value) ? undefined : row
    }
    return undefined
  }
}

/** Compiles words (all allocated) into one module. */
export function compile(words: readonly number[], rows: readonly Row[]): Compiled {
  const decoder = new Decoder(rows)
  const module = new Module([fpExact], 3)
  for (const [index, word] of words.entries()) {
    const row = decoder.find(word)
    if (!row) throw new Error(`${word.toString(16)} is unallocated`)
    const code = new Code(['i32'])
    row.emit(new ConstantEmitter(code, module, word))
    module.export(`i${index}`, module.define({ parameters: ['i32'], results: [] }, code))
  }
  const memory = new wasm.Memory({ initial: 3 })
  const instance = new wasm.Instance(new wasm.Module(module.encode()), {
    host: { memory, fpExact: fpExactFor(memory) },
  })
  const functions = words.map((_, index) => instance.exports[`i${index}`] as (cpu: number) => void)
  return { memory, run: (index) => functions[index]!(cpuAddress) }
}
