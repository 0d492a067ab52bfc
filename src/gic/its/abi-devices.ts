/**
 * The distances in the device table: which devices there are for a save, and which of them a restore comes to. What their
 * translation tables hold is `abi-events.ts`.
 */

import type { EventTable } from './abi-events.ts'
import { type Run, runsOf } from './runs.ts'
import { ENTRY } from './tables.ts'
import type { Translation } from './translate.ts'

/** A distance that does not fit its field is capped: the reader then goes on entry by entry. */
const MOST_AHEAD = 0x3fff

/** Devices of one ITS that a save or a restore takes. */
const MOST_DEVICES = 2 ** 20

/** A device entry: where it is, and the table that it is of. */
export interface Device extends EventTable {
  readonly entry: number
}

/** Those whose entries are noted, in the order of DeviceIDs. */
export function listDevices(translation: Translation, problem: (what: string) => void): Device[] {
  const { entries, devices, places } = translation
  const found: Device[] = []
  for (const { first, address, count } of runsOf(devices, entries.memory, places))
    places.each(address, address + count * ENTRY, (entry) => {
      if (!entries.readDevice(entry)) return
      const device = first + (entry - address) / ENTRY
      const eventBits = translation.usableEventBits()
      if (found.length < MOST_DEVICES) found.push({ device, entry, address: entries.ittAddress, eventBits })
      else problem(`device ${device}: more devices than ${MOST_DEVICES}`)
    })
  return found
}

/** Writes the entries of all devices, each with the distance to the next. */
export function linkDevices({ entries }: Translation, devices: readonly Device[]): void {
  for (const [i, { entry, device, address, eventBits }] of devices.entries()) {
    const next = Math.min((devices[i + 1]?.device ?? device) - device, MOST_AHEAD)
    entries.writeDevice(entry, address, eventBits, next)
  }
}

/** What the distances lead to, from entry 0 on: entry by entry, and from each valid one as far as it says. */
export function followDevices(
  translation: Translation,
  eventIdBits: number,
  problem: (what: string) => void,
): Device[] {
  const { entries, devices } = translation
  const found: Device[] = []
  const wrong: number[] = []
  walkDevices(runsOf(devices, entries.memory), false, (device, entry) => {
    if (!entries.readDevice(entry)) return -1
    const { ittAddress: address, eventBits } = entries
    if (eventBits > eventIdBits) {
      problem(`device ${device}: ${eventBits} EventID bits, where this ITS has ${eventIdBits}`)
      wrong.push(entry)
    } else if (found.length < MOST_DEVICES) found.push({ device, entry, address, eventBits })
    else problem(`device ${device}: more devices than ${MOST_DEVICES}`)
    return distanceAt(translation, entry)
  })
  for (const entry of wrong) entries.clear(entry)
  return found
}

/** Clears what a reader of linked tables would come to and that is not noted. KVM begins anew in each page of a table of two levels. */
export function sweepDevices(translation: Translation): void {
  const { entries, devices, places } = translation
  walkDevices(runsOf(devices, entries.memory), true, (_, entry) => {
    if (places.has(entry) && entries.readDevice(entry)) return distanceAt(translation, entry)
    entries.wipe(entry)
    return -1
  })
}

function distanceAt({ entries: { memory } }: Translation, entry: number): number {
  return (memory.read32(entry + 4) >>> 17) & MOST_AHEAD
}

/** Goes from entry to entry: `read` gives the distance to the next one, 0 for the last, and -1 where none is mapped. */
function walkDevices(runs: Iterable<Run>, anew: boolean, read: (device: number, entry: number) => number): void {
  let next = 0
  for (const { first, address, count } of runs) {
    if (anew) next = first
    while (next < first + count) {
      const device = Math.max(next, first)
      const distance = read(device, address + (device - first) * ENTRY)
      if (distance === 0) return
      next = device + Math.max(distance, 1)
    }
  }
}
