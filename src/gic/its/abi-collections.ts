/**
 * The collection table as a save leaves it, and back: a list of the collections in no order, ended by an invalid entry, where
 * it is live at the place of each ICID. A list has all places of the table that are memory, page after page.
 */

import { type Run, runsOf } from './runs.ts'
import { ENTRY, UNMAPPED_PE } from './tables.ts'
import type { Translation } from './translate.ts'

/**
 * Makes a list of the mapped collections, and of those that are not and that `named` (a byte for each ICID) says translation
 * entries have; how many are mapped. What else is in the table is cleared: Linux reads on behind an invalid entry.
 */
export function packCollections(translation: Translation, named: Uint8Array): number {
  const { entries, collections, targets } = translation
  const runs = runsOf(collections, entries.memory)
  const found: [icid: number, pe: number][] = []
  eachPlace(runs, (address) => {
    if (!entries.readCollection(address) || entries.pe >= targets.pes) return
    const { collection: icid, pe } = entries
    if (icid >= collections.entries || collections.entry(icid) !== address) return
    found.push([icid, pe])
    named[icid] = 0
  })
  const mapped = found.length
  for (const [icid, is] of named.entries()) if (is) found.push([icid, UNMAPPED_PE])
  writeList(translation, runs, found)
  translation.packed = runs.length > 0
  return mapped
}

/** The collections of a list. What cannot be right is left out, and told. */
function readList(
  { entries, collections, targets }: Translation,
  runs: readonly Run[],
  problem: (what: string) => void,
): [icid: number, pe: number][] {
  const found = new Map<number, number>()
  let ended = false
  eachPlace(runs, (address, i) => {
    ended ||= !entries.readCollection(address)
    if (ended) return
    const { collection: icid, pe } = entries
    if (icid >= collections.entries) problem(`collection entry ${i}: collection ${icid} is out of range`)
    else if (found.has(icid)) problem(`collection entry ${i}: collection ${icid} is there twice`)
    else if (pe !== UNMAPPED_PE && pe >= targets.pes)
      problem(`collection entry ${i}: PE ${pe} is none of the ${targets.pes} there are`)
    else found.set(icid, pe)
  })
  return [...found].filter(([, pe]) => pe !== UNMAPPED_PE)
}

/** Puts the collections of a list where their ICIDs are, and nothing anywhere else. */
export function unpackCollections(translation: Translation, problem: (what: string) => void = () => {}): number {
  const { entries, collections } = translation
  const runs = runsOf(collections, entries.memory)
  const list = readList(translation, runs, problem)
  const places = list.map(([icid]) => collections.entry(icid))
  clearAll(translation, runs)
  translation.packed = false
  for (const [i, [icid, pe]] of list.entries()) {
    const address = places[i]!
    if (address >= 0) entries.writeCollection(address, pe, icid)
    else problem(`collection ${icid}: its entry is not memory`)
  }
  return list.length
}

function writeList(translation: Translation, runs: readonly Run[], list: readonly [icid: number, pe: number][]): void {
  clearAll(translation, runs)
  let next = 0
  eachPlace(runs, (address) => {
    const one = list[next++]
    if (one !== undefined) translation.entries.writeCollection(address, one[1], one[0])
  })
}

function clearAll({ entries: { memory } }: Translation, runs: readonly Run[]): void {
  eachPlace(runs, (address) => {
    for (const word of [address, address + 4]) if (memory.read32(word) !== 0) memory.write32(word, 0)
  })
}

function eachPlace(runs: readonly Run[], visit: (address: number, id: number) => void): void {
  for (const { first, address, count } of runs) for (let i = 0; i < count; i++) visit(address + i * ENTRY, first + i)
}
