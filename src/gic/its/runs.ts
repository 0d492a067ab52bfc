/**
 * Where the entries of a table are in memory, each place once: a walk over all of a table that a guest made costs what memory
 * the table takes up, however often its first level names the same page. Single entries are looked up by `Table.entry`.
 */

import type { GuestMemory } from '../memory.ts'
import { ENTRY, type Table } from './tables.ts'

/** Entries that are one behind the other in memory, from that of an ID on. */
export interface Run {
  readonly first: number
  readonly address: number
  readonly count: number
}

/** In the order of IDs. What a first level says later is not looked at any more: a walk may write over it. */
export function runsOf(table: Table, memory: GuestMemory): Run[] {
  if (!table.valid) return []
  if (!table.indirect) {
    const count = entriesInMemory(memory, table.base, table.entries)
    return count === 0 ? [] : [{ first: 0, address: table.base, count }]
  }
  const perPage = table.pageSize / ENTRY
  const runs: Run[] = []
  const seen = new Set<number>()
  const descriptors = entriesInMemory(memory, table.base, Math.ceil(table.entries / perPage))
  for (let i = 0; i < descriptors; i++) {
    const first = i * perPage
    const address = table.page(first)
    if (address < 0 || seen.has(address)) continue
    const count = entriesInMemory(memory, address, Math.min(perPage, table.entries - first))
    if (count === 0) continue
    seen.add(address)
    runs.push({ first, address, count })
  }
  return runs
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
