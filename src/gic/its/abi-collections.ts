/**
 * The collection table as a save leaves it, and back: a list of the collections in no order, ended by an invalid entry, where
 * it is live at the place of each ICID. A list has all places of the table that are memory, page after page.
 */

import { type Run, runsOf } from './runs.ts'
import { ENTRY, UNMAPPED_PE } from './tables.ts'
import type { Translation } from './translate.ts'

type Collection = readonly [icid: number, pe: number]

/**
 * Makes a list of the mapped collections, and of those that are not and that translation entries have (`named`); how many are
 * mapped. No other entry is left in the table: Linux reads on behind an invalid one.
 */
export function packCollections(translation: Translation, named: ReadonlySet<number>): number {
  const { entries, collections, targets, places } = translation
  const runs = [...runsOf(collections, entries.memory)]
  const found = new Map<number, number>()
  for (const { address, count } of runs)
    places.each(address, address + count * ENTRY, (entry) => {
      if (!entries.readCollection(entry) || entries.pe >= targets.pes) return
      const { collection: icid, pe } = entries
      if (icid < collections.entries && collections.entry(icid) === entry) found.set(icid, pe)
    })
  const mapped = found.size
  for (const icid of named) if (!found.has(icid)) found.set(icid, UNMAPPED_PE)
  for (const { address, count } of runs) places.each(address, address + count * ENTRY, (entry) => entries.clear(entry))
  if (places.knowledge === 'only') for (const address of placesOf(runs)) entries.wipe(address)
  writeList(translation, runs, found)
  translation.packed = runs.length > 0
  return mapped
}

/** Puts the collections of a list where their ICIDs are, and takes the list away. */
export function unpackCollections(translation: Translation, problem: (what: string) => void = () => {}): number {
  const { entries, collections } = translation
  const runs = [...runsOf(collections, entries.memory)]
  const list = readList(translation, runs, problem)
  const found = list.map(([icid, pe]) => ({ icid, pe, address: collections.entry(icid) }))
  translation.packed = false
  for (const { icid, pe, address } of found) {
    if (address >= 0) entries.writeCollection(address, pe, icid)
    else problem(`collection ${icid}: its entry is not memory`)
  }
  return list.length
}

/** The collections of a list, which is gone then. What cannot be right is left out, and told. */
function readList(translation: Translation, runs: readonly Run[], problem: (what: string) => void): Collection[] {
  const { entries, collections, targets } = translation
  const found = new Map<number, number>()
  let i = 0
  for (const address of placesOf(runs)) {
    if (!entries.readCollection(address)) break
    const { collection: icid, pe } = entries
    entries.clear(address)
    if (icid >= collections.entries) problem(`collection entry ${i}: collection ${icid} is out of range`)
    else if (found.has(icid)) problem(`collection entry ${i}: collection ${icid} is there twice`)
    else if (pe !== UNMAPPED_PE && pe >= targets.pes)
      problem(`collection entry ${i}: PE ${pe} is none of the ${targets.pes} there are`)
    else found.set(icid, pe)
    i++
  }
  return [...found].filter(([, pe]) => pe !== UNMAPPED_PE)
}

/** The list, and the invalid entry that ends it where the table does not. */
function writeList({ entries }: Translation, runs: readonly Run[], list: Iterable<Collection>): void {
  const rest = list[Symbol.iterator]()
  for (const address of placesOf(runs)) {
    const one = rest.next()
    if (one.done) {
      entries.wipe(address)
      return
    }
    entries.writeCollection(address, one.value[1], one.value[0])
  }
}

function* placesOf(runs: readonly Run[]): Generator<number, void> {
  for (const { address, count } of runs) for (let i = 0; i < count; i++) yield address + i * ENTRY
}
