/**
 * From rows to decisions: which row an instruction word is, for the disassembler and the translator, and the table and chooser
 * functions that the interpreter dispatches through. A row with more fixed bits wins over one it overlaps; what no row claims is UNDEFINED.
 */

import { emitHandler, handlerSignature, type Variant } from '../engine/interpreter.ts'
import { Code } from '../wasm/code.ts'
import type { Module } from '../wasm/module.ts'
import { i32 } from '../wasm/opcodes.ts'
import type { Emitter } from './emitter.ts'
import type { Field } from './fields.ts'
import { type Feature, patternBits, type Row } from './row.ts'

/** A pattern that leads to one handler. `row` undefined: unallocated. */
interface Leaf {
  readonly mask: number
  readonly value: number
  readonly row: Row | undefined
  readonly rank: number
}

/** The leaves, best first, that words with the same index bits may be. */
type Candidates = readonly Leaf[]

/** The table is indexed by bits 31:21 and 15:10; these are all others. */
const outside = 0x001f03ff
export const indexEntries = 1 << 17

export function decodeIndex(word: number): number {
  return (((word >>> 21) & 0x7ff) << 6) | ((word >>> 10) & 0x3f)
}

function ones(value: number): number {
  let count = 0
  for (; value; value &= value - 1) count++
  return count
}

function expand(mask: number, value: number, split: readonly Field[]): { mask: number; value: number }[] {
  let list = [{ mask, value }]
  for (const [msb, lsb] of split) {
    for (let bit = lsb; bit <= msb; bit++) {
      const one = (1 << bit) >>> 0
      if ((mask & one) !== 0) continue
      list = list.flatMap((entry) => [
        { mask: (entry.mask | one) >>> 0, value: entry.value },
        { mask: (entry.mask | one) >>> 0, value: (entry.value | one) >>> 0 },
      ])
    }
  }
  return list
}

/** The intersection of two patterns, or undefined when they are disjoint. */
function intersect(
  a: { mask: number; value: number },
  b: { mask: number; value: number },
): { mask: number; value: number } | undefined {
  if (((a.value ^ b.value) & a.mask & b.mask) !== 0) return undefined
  return { mask: (a.mask | b.mask) >>> 0, value: (a.value | b.value) >>> 0 }
}

/** Whether every word of `inner` is one of `outer`. */
function contains(outer: Leaf, inner: Leaf): boolean {
  return (outer.mask & ~inner.mask) === 0 && ((outer.value ^ inner.value) & outer.mask) === 0
}

function leavesOf(rows: readonly Row[], features: ReadonlySet<Feature>): Leaf[] {
  const leaves: Leaf[] = []
  for (const row of rows) {
    if (row.feature && !features.has(row.feature)) continue
    const base = patternBits(row.pattern)
    const rank = ones(base.mask) * 100
    const missing = row.optional.flatMap(([pattern, feature]) => (features.has(feature) ? [] : [pattern]))
    for (const pattern of [...row.unallocated, ...missing]) {
      const hole = intersect(base, patternBits(pattern))
      if (hole) leaves.push({ ...hole, row: undefined, rank: rank + 99 })
    }
    for (const one of expand(base.mask, base.value, row.split)) {
      leaves.push({ ...one, row, rank: rank + ones(one.mask) })
      for (const pattern of row.variants) {
        const special = intersect(one, patternBits(pattern))
        if (special && special.mask !== one.mask) leaves.push({ ...special, row, rank: rank + ones(special.mask) })
      }
    }
  }
  return leaves.sort((a, b) => b.rank - a.rank)
}

export class Decoder {
  /** By index bits: a position in `candidates`. */
  private readonly table = new Uint32Array(indexEntries)
  private readonly candidates: Candidates[] = [[]]

  constructor(rows: readonly Row[], features: ReadonlySet<Feature>) {
    const next: Map<Leaf, number>[] = [new Map()]
    const closed: boolean[] = [false]
    for (const leaf of leavesOf(rows, features)) {
      const complete = (leaf.mask & outside) === 0
      const mask = decodeIndex(leaf.mask)
      const value = decodeIndex(leaf.value)
      const free = ~mask & (indexEntries - 1)
      // Walks all subsets of the free bits.
      for (let subset = free; ; subset = (subset - 1) & free) {
        const index = value | subset
        const from = this.table[index] ?? 0
        if (!closed[from]) {
          const steps = next[from]!
          let to = steps.get(leaf)
          if (to === undefined) {
            to = this.candidates.push([...this.candidates[from]!, leaf]) - 1
            next.push(new Map())
            closed.push(complete)
            steps.set(leaf, to)
          }
          this.table[index] = to
        }
        if (subset === 0) break
      }
    }
  }

  /** The row of an instruction word, or undefined when it is UNDEFINED. */
  decode(word: number): Row | undefined {
    for (const leaf of this.candidates[this.table[decodeIndex(word)] ?? 0]!)
      if ((word & leaf.mask) >>> 0 === leaf.value) return leaf.row
    return undefined
  }

  /**
   * Emits every handler, and fills the dispatch table (131,072 entries) with their places in the function table. The rows named
   * in `hot` (those of their variants that have the pattern given with them) come first in that table, and are returned for the
   * run loop to take in.
   */
  emitHandlers(module: Module, dispatch: Uint16Array, hot: ReadonlyMap<string, string>): readonly Variant[] {
    const undefinedHandler = emitHandler(module, {
      mask: 0,
      value: 0,
      check: 0,
      fp: false,
      emit: (e: Emitter) => e.undefined(),
    })
    const handlers = new Map<Leaf, number>()
    const variantOf = (leaf: Leaf, row: Row): Variant => ({
      mask: leaf.mask,
      value: leaf.value,
      check: row.merge ? (leaf.mask & outside) >>> 0 : 0,
      fp: row.fp,
      emit: row.emit,
    })
    const handlerOf = (leaf: Leaf): number => {
      if (!leaf.row) return undefinedHandler
      let index = handlers.get(leaf)
      if (index === undefined) {
        index = emitHandler(module, variantOf(leaf, leaf.row))
        handlers.set(leaf, index)
      }
      return index
    }
    const used = new Set(this.table)
    const direct = (position: number): Leaf | undefined => {
      const list = this.candidates[position]!
      const first = list[0]
      if (!first || (first.mask & outside) === 0) return first
      const last = list[list.length - 1]!
      // Rows that share a handler, the last of which has the words of all others: that one, and it checks its pattern.
      const one =
        last.row?.merge === true && list.every((leaf) => leaf.row?.emit === last.row?.emit && contains(last, leaf))
      return one ? last : undefined
    }
    const inTable = new Map<number, number>()
    const inline: Variant[] = []
    for (const position of used) {
      const leaf = direct(position)
      if (!leaf?.row) continue
      const wanted = hot.get(leaf.row.name)
      if (wanted === undefined) continue
      const { mask, value } = patternBits(wanted.padEnd(32, 'x'))
      if ((leaf.value ^ value) & mask || (mask & ~leaf.mask) !== 0) continue
      const handler = handlerOf(leaf)
      if (inTable.has(handler)) continue
      inTable.set(handler, module.tableEntry(handler))
      inline.push(variantOf(leaf, leaf.row))
    }
    const places = new Map<number, number>()
    for (const position of used) {
      const list = this.candidates[position]!
      const leaf = direct(position)
      const handler = leaf
        ? handlerOf(leaf)
        : list.length > 0
          ? emitChooser(module, list, handlerOf, undefinedHandler)
          : undefinedHandler
      let place = inTable.get(handler)
      if (place === undefined) {
        place = module.tableEntry(handler)
        inTable.set(handler, place)
      }
      places.set(position, place)
    }
    for (let index = 0; index < indexEntries; index++) dispatch[index] = places.get(this.table[index] ?? 0)!
    return inline
  }
}

/** A handler that looks at the bits outside the index and calls the right one. */
function emitChooser(
  module: Module,
  list: Candidates,
  handlerOf: (leaf: Leaf) => number,
  undefinedHandler: number,
): number {
  const code = new Code(handlerSignature.parameters)
  const call = (handler: number) => code.get(0).get(1).get(2).call(handler)
  const chain = (leaves: Candidates) => {
    for (const leaf of leaves) {
      const mask = leaf.mask & outside
      if (mask === 0) {
        call(handlerOf(leaf)).return()
        return
      }
      code
        .get(1)
        .i32(mask)
        .op(i32.and)
        .i32(leaf.value & outside)
        .op(i32.eq)
        .if()
      call(handlerOf(leaf)).return()
      code.end()
    }
    call(undefinedHandler).return()
  }
  if (list.length <= 4) chain(list)
  else {
    // First by bits 20:16, which the larger groups use as opcode.
    const cases = new Map<string, { leaves: Candidates; values: number[] }>()
    for (let value = 0; value < 32; value++) {
      const bits = value << 16
      const leaves = list.filter((leaf) => ((leaf.value ^ bits) & leaf.mask & 0x1f0000) === 0)
      const key = leaves.map((leaf) => list.indexOf(leaf)).join()
      const found = cases.get(key)
      if (found) found.values.push(value)
      else cases.set(key, { leaves, values: [value] })
    }
    const all = [...cases.values()]
    const depths: number[] = []
    for (const [depth, { values }] of all.entries()) for (const value of values) depths[value] = depth
    for (let depth = 0; depth < all.length; depth++) code.block()
    code.get(1).i32(16).op(i32.shr_u).i32(31).op(i32.and).brTable(depths, 0)
    for (const { leaves } of all) {
      code.end()
      chain(leaves)
    }
  }
  code.unreachable()
  return module.define(handlerSignature, code)
}
