/**
 * The tables in the form of Linux's ITS table ABI, revision 0, as KVM_DEV_ARM_ITS_SAVE_TABLES leaves them and
 * KVM_DEV_ARM_ITS_RESTORE_TABLES expects them: in guest memory, where GITS_BASER says, found again by it alone.
 *
 * Live entries have that layout already (`tables.ts`). What a save adds: to device and translation entries the distance to the
 * next one; and the collection table becomes a list in no order, ended by an invalid entry, where it is live at the place
 * of each ICID. The ITS may be used on after a save: its next command or MSI unpacks the list first.
 */

import type { ItsState } from './state.ts'
import { ENTRY, type Entries, type Table } from './tables.ts'
import type { Translation } from './translate.ts'

/** Distances that do not fit their field are capped: the reader then goes on entry by entry. */
const MOST_DEVICES_AHEAD = 0x3fff
const MOST_EVENTS_AHEAD = 0xffff

/** Entries that one save or restore looks at, at most, of devices and of events: tables that overlap could have any number. */
const MOST_ENTRIES = 2 ** 24

/** Tables that cannot be saved or restored: names the table and the entry. */
export class ItsTablesError extends Error {
  override readonly name = 'ItsTablesError'
}

/** What a save wrote, or a restore found. */
export interface TablesReport {
  readonly devices: number
  readonly events: number
  readonly collections: number
}

/** Writes the tables into guest memory. Throws an ItsTablesError, having changed nothing, when they cannot be saved. */
export function saveTables(its: ItsState): TablesReport {
  const { translation } = its
  const { devices, entries } = translation
  if (translation.packed) unpackCollections(translation)
  const ids: number[] = []
  const total = { events: 0 }
  eachDevice(translation, (id, address) => {
    if (!entries.readDevice(address)) return
    checkAmount(id, total, translation.usableEventBits())
    ids.push(id)
  })
  const collections = packCollections(translation)
  let events = 0
  for (const [i, id] of ids.entries()) {
    const address = devices.entry(id)
    entries.readDevice(address)
    const { ittAddress, eventBits } = entries
    const next = Math.min((ids[i + 1] ?? id) - id, MOST_DEVICES_AHEAD)
    entries.writeDevice(address, ittAddress, eventBits, next)
    events += linkEvents(translation, ittAddress, translation.usableEventBits())
  }
  return { devices: ids.length, events, collections }
}

/**
 * Takes over tables that a save, here or by KVM, left in guest memory; GITS_BASER must be restored before. Only what the
 * distances lead to counts: other entries are cleared. Throws an ItsTablesError, having changed nothing, when an entry
 * cannot be right.
 */
export function restoreTables(its: ItsState): TablesReport {
  const { translation } = its
  const { entries } = translation
  const collections = checkList(translation)
  const ids: number[] = []
  const total = { events: 0 }
  let events = 0
  const chain = new Chain()
  eachDevice(translation, (id, address) => {
    if (!entries.readDevice(address) || !chain.reaches(id)) return
    if (entries.eventBits > its.config.eventIdBits)
      throw new ItsTablesError(
        `device ${id}: ${entries.eventBits} EventID bits, where this ITS has ${its.config.eventIdBits}`,
      )
    checkAmount(id, total, entries.eventBits)
    ids.push(id)
    chain.follow(id, (entries.memory.read32(address + 4) >>> 17) & MOST_DEVICES_AHEAD)
  })
  for (const id of ids) events += checkEvents(translation, id)

  let at = 0
  eachDevice(translation, (id, address) => {
    if (ids[at] === id) at++
    else entries.clear(address)
  })
  for (const id of ids) unlinkEvents(translation, id)
  translation.packed = true
  unpackCollections(translation)
  return { devices: ids.length, events, collections }
}

/** Puts the collections of a list where their ICIDs are. */
export function unpackCollections(translation: Translation): void {
  translation.packed = false
  const { entries, collections } = translation
  const found: [icid: number, pe: number][] = []
  for (let i = 0; i < collections.entries; i++) {
    const address = collections.entry(i)
    if (address < 0 || !entries.readCollection(address)) break
    found.push([entries.collection, entries.pe])
    entries.clear(address)
  }
  for (const [icid, pe] of found) {
    const address = collections.entry(icid)
    if (address >= 0) entries.writeCollection(address, pe, icid)
  }
}

function packCollections(translation: Translation): number {
  const { entries, collections } = translation
  const found: [icid: number, pe: number][] = []
  for (let icid = 0; icid < collections.entries; icid++) {
    const address = collections.entry(icid)
    if (address < 0) icid = lastOfPage(collections, icid)
    else if (entries.readCollection(address) && entries.collection === icid) found.push([icid, entries.pe])
  }
  for (let i = 0; i < found.length; i++)
    if (collections.entry(i) < 0)
      throw new ItsTablesError(
        `collection table: there are ${found.length} collections to list, and entry ${i} is not memory`,
      )
  for (const [icid] of found) entries.clear(collections.entry(icid))
  for (const [i, [icid, pe]] of found.entries()) entries.writeCollection(collections.entry(i), pe, icid)
  const end = found.length < collections.entries ? collections.entry(found.length) : -1
  if (end >= 0) entries.clear(end)
  translation.packed = true
  return found.length
}

/** Which entries of a table the distances lead to: from 0 on entry by entry, and from each of them as far as it says. */
class Chain {
  #next = 0

  reaches(id: number): boolean {
    return id >= this.#next
  }

  follow(id: number, distance: number): void {
    this.#next = distance === 0 ? Number.POSITIVE_INFINITY : id + distance
  }
}

/** Visits every device entry that has an address. */
function eachDevice({ devices }: Translation, visit: (id: number, address: number) => void): void {
  let looks = 0
  for (let id = 0; id < devices.entries; id++) {
    const address = devices.entry(id)
    if (address >= 0) visit(id, address)
    else id = lastOfPage(devices, id)
    if (++looks > MOST_ENTRIES)
      throw new ItsTablesError(`device table: it has more than ${MOST_ENTRIES} entries that are memory`)
  }
}

/** Of a table of two levels, the last ID on the page of this one; of a flat one, the ID itself. */
function lastOfPage(table: Table, id: number): number {
  if (!table.indirect) return id
  const perPage = table.pageSize / ENTRY
  return Math.floor(id / perPage) * perPage + perPage - 1
}

function checkAmount(id: number, total: { events: number }, eventBits: number): void {
  total.events += 2 ** eventBits
  if (total.events > MOST_ENTRIES)
    throw new ItsTablesError(`device ${id}: the translation tables up to here have more than ${MOST_ENTRIES} entries`)
}

/** Writes the distances into a translation table; how many entries map something. */
function linkEvents({ entries }: Translation, ittAddress: number, eventBits: number): number {
  let count = 0
  let ahead = -1
  // From the end, so that each entry's successor is known; an entry that is not memory ends a table.
  let event = 2 ** eventBits - 1
  if (!entries.memory.contains(ittAddress, (event + 1) * ENTRY)) event = lastInMemory(entries, ittAddress, event)
  for (; event >= 0; event--) {
    const address = ittAddress + event * ENTRY
    if (!entries.readTranslation(address)) continue
    const distance = ahead < 0 ? 0 : Math.min(ahead - event, MOST_EVENTS_AHEAD)
    entries.writeTranslation(address, entries.intid, entries.icid, distance)
    ahead = event
    count++
  }
  return count
}

function lastInMemory(entries: Entries, ittAddress: number, end: number): number {
  let event = 0
  while (event <= end && entries.memory.contains(ittAddress + event * ENTRY, ENTRY)) event++
  return event - 1
}

/** Checks what the distances of a device's translation table lead to; how many entries that is. */
function checkEvents(translation: Translation, id: number): number {
  const { entries } = translation
  entries.readDevice(translation.devices.entry(id))
  const { ittAddress, eventBits } = entries
  const chain = new Chain()
  let count = 0
  for (let event = 0; event < 2 ** eventBits; event++) {
    if (!chain.reaches(event)) continue
    const address = ittAddress + event * ENTRY
    if (!entries.memory.contains(address, ENTRY))
      throw new ItsTablesError(`device ${id}: the translation entry of event ${event} is not memory`)
    if (!entries.readTranslation(address)) continue
    if (!translation.isLpi(entries.intid))
      throw new ItsTablesError(`device ${id}, event ${event}: INTID ${entries.intid} is no LPI`)
    chain.follow(event, entries.memory.read32(address + 4) >>> 16)
    count++
  }
  return count
}

/** Sets the distances to 0, and clears what they do not lead to. */
function unlinkEvents({ entries, devices }: Translation, id: number): void {
  const device = devices.entry(id)
  entries.readDevice(device)
  const { ittAddress, eventBits } = entries
  entries.writeDevice(device, ittAddress, eventBits)
  const chain = new Chain()
  for (let event = 0; event < 2 ** eventBits; event++) {
    const address = ittAddress + event * ENTRY
    if (!entries.memory.contains(address, ENTRY)) break
    if (!entries.readTranslation(address)) continue
    if (!chain.reaches(event)) {
      entries.clear(address)
      continue
    }
    chain.follow(event, entries.memory.read32(address + 4) >>> 16)
    entries.writeTranslation(address, entries.intid, entries.icid)
  }
}

/** Checks the collections of a saved table; how many there are. */
function checkList(translation: Translation): number {
  const found = new Set<number>()
  const { collections, entries } = translation
  for (let i = 0; i < collections.entries; i++) {
    const address = collections.entry(i)
    if (address < 0 || !entries.readCollection(address)) break
    const { collection: icid, pe } = entries
    if (pe >= translation.targets.pes)
      throw new ItsTablesError(`collection entry ${i}: PE ${pe} is none of the ${translation.targets.pes} there are`)
    if (collections.entry(icid) < 0)
      throw new ItsTablesError(`collection entry ${i}: collection ${icid} is out of range`)
    if (found.has(icid)) throw new ItsTablesError(`collection entry ${i}: collection ${icid} is there twice`)
    found.add(icid)
  }
  return found.size
}
