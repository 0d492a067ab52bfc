/**
 * Where the entries of a table are in memory, each place once: a walk over all of a table that a guest made costs what memory
 * the table takes up, however often its first level names the same page. Single entries are looked up by `Table.entry`.
 */

import type { GuestMemory } from '../memory.ts'
import type { Places } from './places.ts'
import { ENTRY, type Table } from './tables.ts'

/** Entries that are one behind the other in memory, from that of an ID on. */
export interface Run {
  readonly first: number
  readonly address: number
  readonly count: number
}

/**
 * In the order of IDs, each looked up when the walk comes to it. Of a table of two levels, with `noted` those pages alone whose
 * descriptors are in there.
 */
export function* runsOf(table: Table, memory: GuestMemory, noted?: Places): Generator<Run, void> {
  if (!table.valid) return
  if (!table.indirect) {
    const count = entriesInMemory(memory, table.base, table.entries)
    if (count > 0) yield { first: 0, address: table.base, count }
    return
  }
  const perPage = table.pageSize / ENTRY
  const seen = new Set<number>()
  for (const i of descriptorsOf(table, memory, noted)) {
    const first = i * perPage
    const address = table.page(first)
    if (address < 0 || seen.has(address)) continue
    const count = entriesInMemory(memory, address, Math.min(perPage, table.entries - first))
    if (count === 0) continue
    seen.add(address)
    yield { first, address, count }
  }
}

/** Numbers of the descriptors of a first level, as far as that is memory. */
function* descriptorsOf(table: Table, memory: GuestMemory, noted?: Places): Generator<number, void> {
  const count = entriesInMemory(memory, table.base, Math.ceil(table.entries / (table.pageSize / ENTRY)))
  if (noted === undefined) {
    for (let i = 0; i < count; i++) yield i
    return
  }
  const found: number[] = []
  noted.each(table.base, table.base + count * ENTRY, (address) => found.push((address - table.base) / ENTRY))
  yield* found
}

/** How many entries from an address on are memory, of `most`. */
export function entriesInMemory(memory: GuestMemory, address: number, most: number): number {
  if (memory.contains(address, most * ENTRY)) return most
  let inside = 0
  let outside = most
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (memory.contains(address, middle * ENTRY)) inside = middle
    else outside = middle
  }
  return inside
}
