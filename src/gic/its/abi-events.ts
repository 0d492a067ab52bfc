/**
 * The distances in translation tables: written by a save, followed and taken out again by a restore. Tables that lie over each
 * other are one stretch of memory here, each place of which is looked at once: a distance is the same from wherever a table
 * begins. Whose tables those are is `abi.ts`.
 */

import { entriesInMemory } from './runs.ts'
import { ENTRY } from './tables.ts'
import type { Translation } from './translate.ts'

/** A distance that does not fit its field is capped: the reader then goes on entry by entry. */
const MOST_AHEAD = 0xffff

/** A translation table by the device that has it. */
export interface EventTable {
  readonly device: number
  readonly address: number
  readonly eventBits: number
}

/** Tables that overlap, in the order of their addresses, and the end of the last. */
export interface Stretch {
  readonly tables: EventTable[]
  end: number
}

/** Links the entries that are noted, and clears what maps nothing; how many map. `named` gets their ICIDs. */
export function linkEvents(translation: Translation, stretches: readonly Stretch[], named: Set<number>): number {
  const { entries, collections, places } = translation
  let count = 0
  for (const { tables, end } of stretches) {
    // Each is written when its successor is known.
    let last = -1
    let intid = 0
    let icid = 0
    places.each(tables[0]!.address, end, (address) => {
      if (!entries.readTranslation(address)) return
      if (!translation.isLpi(entries.intid) || entries.icid >= collections.entries) {
        entries.clear(address)
        return
      }
      const found = entries.intid
      const to = entries.icid
      if (last >= 0) entries.writeTranslation(last, intid, icid, Math.min((address - last) / ENTRY, MOST_AHEAD))
      last = address
      intid = found
      icid = to
      named.add(to)
      count++
    })
    if (last >= 0) entries.writeTranslation(last, intid, icid)
  }
  return count
}

/** Keeps the entries that the distances lead to, without them; how many are kept. */
export function unlinkEvents(
  translation: Translation,
  stretches: readonly Stretch[],
  problem: (what: string) => void,
): number {
  const { entries, collections } = translation
  let count = 0
  for (const stretch of stretches)
    walkEvents(stretch, (address, table) => {
      if (!entries.readTranslation(address)) return -1
      const { intid, icid } = entries
      const distance = distanceAt(translation, address)
      if (translation.isLpi(intid) && icid < collections.entries) {
        entries.writeTranslation(address, intid, icid)
        count++
        return distance
      }
      entries.clear(address)
      const what = translation.isLpi(intid) ? `collection ${icid} is out of range` : `INTID ${intid} is no LPI`
      problem(`device ${table.device}, event ${(address - table.address) / ENTRY}: ${what}`)
      return distance
    })
  return count
}

/** Clears what a reader of linked tables would come to and that is not noted. */
export function sweepEvents(translation: Translation, stretches: readonly Stretch[]): void {
  const { entries, places } = translation
  for (const stretch of stretches)
    walkEvents(stretch, (address) => {
      if (places.has(address) && entries.readTranslation(address)) return distanceAt(translation, address)
      entries.wipe(address)
      return -1
    })
}

/** The tables, as far as they are memory. */
export function stretchesOf({ entries: { memory } }: Translation, tables: readonly EventTable[]): Stretch[] {
  const stretches: Stretch[] = []
  const sorted = [...tables].sort((a, b) => a.address - b.address)
  for (const table of sorted) {
    const end = table.address + entriesInMemory(memory, table.address, 2 ** table.eventBits) * ENTRY
    if (end === table.address) continue
    const last = stretches.at(-1)
    if (last === undefined || table.address >= last.end) stretches.push({ tables: [table], end })
    else {
      last.tables.push(table)
      last.end = Math.max(last.end, end)
    }
  }
  return stretches
}

function distanceAt({ entries: { memory } }: Translation, address: number): number {
  return memory.read32(address + 4) >>> 16
}

/**
 * Goes from entry to entry: `read` gives the distance to the next one, 0 for the last, and -1 where none is mapped. A list may
 * end before a table that lies over its own does: that one has a beginning of its own.
 */
function walkEvents({ tables, end }: Stretch, read: (address: number, table: EventTable) => number): void {
  let table = 0
  let address = tables[0]!.address
  while (address < end) {
    while (table + 1 < tables.length && tables[table + 1]!.address <= address) table++
    const distance = read(address, tables[table]!)
    const next = distance === 0 ? Number.POSITIVE_INFINITY : address + Math.max(distance, 1) * ENTRY
    address = Math.min(next, tables[table + 1]?.address ?? Number.POSITIVE_INFINITY)
  }
}
