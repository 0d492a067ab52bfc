/**
 * The tables in the form of Linux's ITS table ABI, revision 0, as KVM_DEV_ARM_ITS_SAVE_TABLES leaves them and
 * KVM_DEV_ARM_ITS_RESTORE_TABLES expects them: in guest memory, where GITS_BASER says, found again by it alone.
 *
 * Live entries have that layout already (`tables.ts`). What a save adds: to device and translation entries the distance to the
 * next one (`abi-devices.ts`, `abi-events.ts`); and the collection table becomes a list (`abi-collections.ts`). The ITS may be
 * used on after a save: its next command or MSI unpacks the list first.
 *
 * A save looks at the entries that are noted (`places.ts`), and a restore at what the distances lead to, so both cost what is
 * mapped, however large the tables are. Before the first entry of a table there is no distance: a restore reads on from its
 * beginning to there. What it passes over maps nothing from then on, though it be left in memory, and a save clears of it what
 * another reader would come to.
 *
 * A guest made these tables, and may have put them anywhere and over each other. Neither a save nor a restore fails for that:
 * every address was memory when it was listed, every place is looked at once, and what cannot be right is left out and told.
 */

import { packCollections, unpackCollections } from './abi-collections.ts'
import { followDevices, linkDevices, listDevices, sweepDevices } from './abi-devices.ts'
import { linkEvents, type Stretch, stretchesOf, sweepEvents, unlinkEvents } from './abi-events.ts'
import { runsOf } from './runs.ts'
import type { ItsState } from './state.ts'
import { ENTRY } from './tables.ts'
import type { Translation } from './translate.ts'

/** Problems that a save or a restore tells of. */
const MOST_PROBLEMS = 16

/** What a save wrote, or a restore took over. */
export interface TablesReport {
  /** Devices that were saved or restored. */
  readonly devices: number
  /** Translations that were saved or restored. */
  readonly events: number
  /** Those that are mapped to a PE. */
  readonly collections: number
  /** What was left out, by table and entry: at most 16 lines, and how many more there were. Empty as a rule. */
  readonly problems: readonly string[]
}

/**
 * Writes the tables into guest memory. The cost is that of the mapped entries, and of a descriptor for each page of a collection
 * table of two levels; after a snapshot or registers were restored, once, that of all tables; after `restoreTables`, also that
 * of the collection table and of what lies before the first mapped entry of each other table.
 */
export function saveTables(its: ItsState): TablesReport {
  const { translation } = its
  const { places } = translation
  const problems = new Problems()
  const tell = (what: string) => problems.tell(what)
  const unknown = places.knowledge === 'unknown'
  if (translation.packed) unpackCollections(translation)
  if (unknown) noteTables(translation)
  const devices = listDevices(translation, tell)
  const stretches = stretchesOf(translation, devices)
  if (unknown) noteEvents(translation, stretches)
  const named = new Set<number>()
  const events = linkEvents(translation, stretches, named)
  if (places.knowledge === 'only') sweepEvents(translation, stretches)
  const collections = packCollections(translation, named)
  linkDevices(translation, devices)
  if (places.knowledge === 'only') sweepDevices(translation)
  return { devices: devices.length, events, collections, problems: problems.list() }
}

/**
 * Takes over tables that a save, here or by KVM, left in guest memory; GITS_BASER must be restored before. Only what the
 * distances lead to counts: whatever else is in the tables maps nothing. The cost is that of the mapped entries, of a descriptor
 * for each page of tables of two levels, and of what lies before the first mapped entry of each table, which no distance leads to.
 */
export function restoreTables(its: ItsState): TablesReport {
  const { translation } = its
  const problems = new Problems()
  const tell = (what: string) => problems.tell(what)
  translation.places.clear()
  translation.places.knowledge = 'only'
  const devices = followDevices(translation, its.config.eventIdBits, tell)
  const events = unlinkEvents(translation, stretchesOf(translation, devices), tell)
  for (const { device, entry, address, eventBits } of devices) {
    translation.entries.writeDevice(entry, address, eventBits)
    translation.noteDevice(device, entry)
  }
  const collections = unpackCollections(translation, tell)
  return { devices: devices.length, events, collections, problems: problems.list() }
}

/** Notes whatever entries device table and collection table have. */
function noteTables(translation: Translation): void {
  const { entries, devices, collections, places } = translation
  places.knowledge = 'noted'
  for (const { first, address, count } of runsOf(devices, entries.memory))
    for (let i = 0; i < count; i++) {
      const entry = address + i * ENTRY
      if (entries.readDevice(entry)) translation.noteDevice(first + i, entry)
    }
  for (const { address, count } of runsOf(collections, entries.memory))
    for (let i = 0; i < count; i++) if (entries.readCollection(address + i * ENTRY)) places.add(address + i * ENTRY)
}

function noteEvents({ entries, places }: Translation, stretches: readonly Stretch[]): void {
  for (const { tables, end } of stretches)
    for (let address = tables[0]!.address; address < end; address += ENTRY)
      if (entries.readTranslation(address)) places.add(address)
}

class Problems {
  readonly #lines: string[] = []
  #more = 0

  tell(what: string): void {
    if (this.#lines.length < MOST_PROBLEMS) this.#lines.push(what)
    else this.#more++
  }

  list(): string[] {
    return this.#more === 0 ? this.#lines : [...this.#lines, `and ${this.#more} more`]
  }
}
