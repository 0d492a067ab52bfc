/**
 * Second-level pages for tables of two levels, where nobody has provided them: for the replay of recorded traffic, in which
 * the accesses of an ITS are, but not what software wrote to its first-level tables. A real guest provides its own.
 */

import type { Its } from './its.ts'
import { ENTRY, type Table } from './tables.ts'

/**
 * Gives every first-level descriptor that is not valid a page of its own, from address `from` on. Call it when GITS_BASER is
 * written; flat tables need none. Returns the first address behind the pages.
 */
export function lendPages(its: Its, from: number): number {
  const { devices, collections } = its.translation
  return lendTo(its, collections, lendTo(its, devices, from))
}

function lendTo({ memory }: Its, table: Table, from: number): number {
  if (!table.valid || !table.indirect) return from
  const perPage = table.pageSize / ENTRY
  let page = Math.ceil(from / table.pageSize) * table.pageSize
  for (let id = 0; id < table.entries; id += perPage) {
    const descriptor = table.descriptor(id)
    if (!memory.contains(descriptor, ENTRY) || memory.read32(descriptor + 4) < 0) continue
    memory.write32(descriptor, page | 0)
    memory.write32(descriptor + 4, (1 << 31) | Math.floor(page / 2 ** 32))
    page += table.pageSize
  }
  return page
}
