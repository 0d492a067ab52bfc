/**
 * (DeviceID, EventID) to (INTID, PE): the walk from device table over translation table and collection table that MSIs,
 * commands and `explain` all make. It reads at most eight words of guest memory, allocates nothing, and changes nothing.
 */

import type { GuestMemory } from '../memory.ts'
import type { LpiTargets } from './lpi-targets.ts'
import { Places } from './places.ts'
import { Reason } from './reasons.ts'
import { ENTRY, Entries, NO_MEMORY, NO_PAGE, NO_TABLE, type Table, UNMAPPED_PE } from './tables.ts'

/** First LPI (IHI 0069 2.2). */
export const FIRST_LPI = 8192

export class Translation {
  readonly places = new Places()
  readonly entries: Entries
  readonly devices: Table
  readonly collections: Table
  readonly targets: LpiTargets
  readonly #memory: GuestMemory
  readonly #eventIdBits: number

  /** The collection table is in the form of a save: a list in no order (`abi.ts`). */
  packed = false

  /** Where the last walk came by; negative or of an older walk from the missing link on. */
  deviceEntry = -1
  translationEntry = -1
  collectionEntry = -1

  constructor(memory: GuestMemory, devices: Table, collections: Table, targets: LpiTargets, eventIdBits: number) {
    this.entries = new Entries(memory, this.places)
    this.devices = devices
    this.collections = collections
    this.targets = targets
    this.#memory = memory
    this.#eventIdBits = eventIdBits
  }

  /** The whole way. `Reason.delivered` says that `entries.intid` and `entries.pe` are the LPI and its PE. */
  walk(deviceId: number, eventId: number): Reason {
    const event = this.event(deviceId, eventId)
    if (event !== Reason.delivered) return event
    if (!this.isLpi(this.entries.intid)) return Reason.intidInvalid
    return this.collection(this.entries.icid)
  }

  /** As far as the translation entry: `entries.intid` and `entries.icid`. */
  event(deviceId: number, eventId: number): Reason {
    const slot = this.slot(deviceId, eventId)
    if (slot !== Reason.delivered) return slot
    const mapped = this.entries.readTranslation(this.translationEntry) && this.#counts(this.translationEntry)
    return mapped ? Reason.delivered : Reason.eventUnmapped
  }

  /** As far as the place of the translation entry: `translationEntry`. */
  slot(deviceId: number, eventId: number): Reason {
    const device = this.device(deviceId)
    if (device !== Reason.delivered) return device
    const bits = this.usableEventBits()
    if (bits < 32 && eventId >>> bits !== 0) return Reason.eventOutOfRange
    this.translationEntry = this.entries.ittAddress + eventId * ENTRY
    return this.#memory.contains(this.translationEntry, ENTRY) ? Reason.delivered : Reason.ittMemory
  }

  /** The device entry: `entries.ittAddress` and `entries.eventBits`. */
  device(deviceId: number): Reason {
    const address = this.devices.entry(deviceId)
    this.deviceEntry = address
    if (address < 0) {
      if (address === NO_TABLE) return Reason.noDeviceTable
      if (address === NO_PAGE) return Reason.deviceUnmapped
      return address === NO_MEMORY ? Reason.deviceTableMemory : Reason.deviceOutOfRange
    }
    return this.entries.readDevice(address) && this.#counts(address) ? Reason.delivered : Reason.deviceUnmapped
  }

  /** The collection entry: `entries.pe`. An entry that holds another collection's ID is not this one's. */
  collection(icid: number): Reason {
    if (this.packed) return this.#listed(icid)
    const address = this.collections.entry(icid)
    this.collectionEntry = address
    if (address < 0) {
      if (address === NO_TABLE) return Reason.noCollectionTable
      if (address === NO_PAGE) return Reason.collectionUnmapped
      return address === NO_MEMORY ? Reason.collectionTableMemory : Reason.collectionOutOfRange
    }
    if (!this.entries.readCollection(address) || this.entries.collection !== icid || !this.#counts(address))
      return Reason.collectionUnmapped
    return this.entries.pe < this.targets.pes ? Reason.delivered : Reason.targetInvalid
  }

  /** The same in a packed table, which is searched: only `explain` and the like come here, as use unpacks it. */
  #listed(icid: number): Reason {
    for (let i = 0; i < this.collections.entries; i++) {
      const address = this.collections.entry(i)
      this.collectionEntry = address
      if (address < 0) continue
      if (!this.entries.readCollection(address)) break
      if (this.entries.collection !== icid) continue
      if (this.entries.pe !== UNMAPPED_PE)
        return this.entries.pe < this.targets.pes ? Reason.delivered : Reason.targetInvalid
    }
    return Reason.collectionUnmapped
  }

  /** Whether what is in memory there is an entry, and none that a restored list has left behind. */
  #counts(address: number): boolean {
    return this.places.knowledge !== 'only' || this.places.has(address)
  }

  /** Notes where a device's entry is, and by which page it is found. */
  noteDevice(deviceId: number, address: number): void {
    if (this.devices.indirect) this.places.add(this.devices.descriptor(deviceId))
    this.places.add(address)
  }

  /** Notes what a whole walk came by: tables may be in memory from before this ITS was, as after a hibernation. */
  noteWalk(deviceId: number): void {
    this.noteDevice(deviceId, this.deviceEntry)
    this.places.add(this.translationEntry)
    this.places.add(this.collectionEntry)
  }

  /** EventID bits of the device entry read last; never more than the ITS has, whatever the entry says. */
  usableEventBits(): number {
    return Math.min(this.entries.eventBits, this.#eventIdBits)
  }

  isLpi(intid: number): boolean {
    return intid >= FIRST_LPI && intid < this.targets.lpiEnd
  }
}
