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
interface Stretch {
  readonly tables: EventTable[]
  end: number
}

/** Links the entries that map something, and clears what is none; how many map. `named` is told their ICIDs. */
export function linkEvents(translation: Translation, tables: readonly EventTable[], named: Uint8Array): number {
  const { entries, collections } = translation
  let count = 0
  for (const stretch of stretchesOf(translation, tables)) {
    // From the end, so that each entry's successor is known.
    let ahead = -1
    for (let address = stretch.end - ENTRY; address >= stretch.tables[0]!.address; address -= ENTRY) {
      if (!entries.readTranslation(address)) continue
      if (!translation.isLpi(entries.intid) || entries.icid >= collections.entries) {
        entries.clear(address)
        continue
      }
      const distance = ahead < 0 ? 0 : Math.min((ahead - address) / ENTRY, MOST_AHEAD)
      entries.writeTranslation(address, entries.intid, entries.icid, distance)
      named[entries.icid] = 1
      ahead = address
      count++
    }
  }
  return count
}

/** Keeps the entries that the distances lead to, without them, and clears all others; how many are kept. */
export function unlinkEvents(
  translation: Translation,
  tables: readonly EventTable[],
  problem: (what: string) => void,
): number {
  const { entries, collections } = translation
  let count = 0
  for (const { tables: own, end } of stretchesOf(translation, tables)) {
    let table = 0
    let next = own[0]!.address
    for (let address = next; address < end; address += ENTRY) {
      // A list may have ended before a table that lies over its own does: that one has a beginning of its own.
      while (table + 1 < own.length && own[table + 1]!.address <= address) next = Math.min(next, own[++table]!.address)
      if (!entries.readTranslation(address)) continue
      const { intid, icid } = entries
      const distance = entries.memory.read32(address + 4) >>> 16
      const reached = address >= next
      if (reached) next = distance === 0 ? Number.POSITIVE_INFINITY : address + distance * ENTRY
      if (reached && translation.isLpi(intid) && icid < collections.entries) {
        entries.writeTranslation(address, intid, icid)
        count++
        continue
      }
      entries.clear(address)
      if (!reached) continue
      const { device, address: first } = own[table]!
      const what = translation.isLpi(intid) ? `collection ${icid} is out of range` : `INTID ${intid} is no LPI`
      problem(`device ${device}, event ${(address - first) / ENTRY}: ${what}`)
    }
  }
  return count
}

/** As far as the tables are memory. */
function stretchesOf({ entries: { memory } }: Translation, tables: readonly EventTable[]): Stretch[] {
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
