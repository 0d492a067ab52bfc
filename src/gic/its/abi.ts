/**
 * The tables in the form of Linux's ITS table ABI, revision 0, as KVM_DEV_ARM_ITS_SAVE_TABLES leaves them and
 * KVM_DEV_ARM_ITS_RESTORE_TABLES expects them: in guest memory, where GITS_BASER says, found again by it alone.
 *
 * Live entries have that layout already (`tables.ts`). What a save adds: to device and translation entries the distance to the
 * next one (`abi-events.ts`); and the collection table becomes a list (`abi-collections.ts`). The ITS may be used on after a
 * save: its next command or MSI unpacks the list first.
 *
 * A guest made these tables, and may have put them anywhere and over each other. Neither a save nor a restore fails for that:
 * every address was memory when it was listed, every place is looked at once, and what cannot be right is left out and told.
 */

import { packCollections, unpackCollections } from './abi-collections.ts'
import { type EventTable, linkEvents, unlinkEvents } from './abi-events.ts'
import { runsOf } from './runs.ts'
import type { ItsState } from './state.ts'
import { ENTRY } from './tables.ts'

/** A distance that does not fit its field is capped: the reader then goes on entry by entry. */
const MOST_AHEAD = 0x3fff

/** Devices of one ITS that a save or a restore takes, and problems that it tells of. */
const MOST_DEVICES = 2 ** 20
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

/** A device entry: where it is, and the table that it is of. */
interface Device extends EventTable {
  readonly entry: number
}

/** Writes the tables into guest memory. */
export function saveTables(its: ItsState): TablesReport {
  const { translation } = its
  const { entries, collections } = translation
  if (translation.packed) unpackCollections(translation)
  const problems = new Problems()
  const devices = listDevices(its, problems)
  const named = new Uint8Array(collections.entries)
  const events = linkEvents(translation, devices, named)
  const packed = packCollections(translation, named)
  for (const [i, { entry, device, address, eventBits }] of devices.entries()) {
    const next = Math.min((devices[i + 1]?.device ?? device) - device, MOST_AHEAD)
    entries.writeDevice(entry, address, eventBits, next)
  }
  return { devices: devices.length, events, collections: packed, problems: problems.list() }
}

/**
 * Takes over tables that a save, here or by KVM, left in guest memory; GITS_BASER must be restored before. Only what the
 * distances lead to counts: other entries are cleared.
 */
export function restoreTables(its: ItsState): TablesReport {
  const { translation } = its
  const problems = new Problems()
  const tell = (what: string) => problems.tell(what)
  const devices = followDevices(its, problems)
  const events = unlinkEvents(translation, devices, tell)
  for (const { entry, address, eventBits } of devices) translation.entries.writeDevice(entry, address, eventBits)
  const collections = unpackCollections(translation, tell)
  return { devices: devices.length, events, collections, problems: problems.list() }
}

function listDevices(its: ItsState, problems: Problems): Device[] {
  const { entries, devices } = its.translation
  const found: Device[] = []
  for (const { first, address, count } of runsOf(devices, entries.memory))
    for (let i = 0; i < count; i++) {
      const entry = address + i * ENTRY
      if (!entries.readDevice(entry)) continue
      const device = { device: first + i, entry, address: entries.ittAddress }
      if (found.length < MOST_DEVICES) found.push({ ...device, eventBits: its.translation.usableEventBits() })
      else problems.tell(`device ${device.device}: more devices than ${MOST_DEVICES}`)
    }
  return found
}

/** What the distances lead to, from entry 0 on: entry by entry, and from each valid one as far as it says. Clears the others. */
function followDevices(its: ItsState, problems: Problems): Device[] {
  const { entries, devices } = its.translation
  const { memory } = entries
  const { eventIdBits } = its.config
  const found: Device[] = []
  let next = 0
  for (const { first, address: base, count } of runsOf(devices, memory))
    for (let i = 0; i < count; i++) {
      const entry = base + i * ENTRY
      const device = first + i
      if (!entries.readDevice(entry)) continue
      const { ittAddress: address, eventBits } = entries
      const reached = device >= next
      const distance = (memory.read32(entry + 4) >>> 17) & MOST_AHEAD
      if (reached) next = distance === 0 ? Number.POSITIVE_INFINITY : device + distance
      if (reached && eventBits > eventIdBits)
        problems.tell(`device ${device}: ${eventBits} EventID bits, where this ITS has ${eventIdBits}`)
      else if (reached && found.length < MOST_DEVICES) {
        found.push({ device, entry, address, eventBits })
        continue
      } else if (reached) problems.tell(`device ${device}: more devices than ${MOST_DEVICES}`)
      entries.clear(entry)
    }
  return found
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
