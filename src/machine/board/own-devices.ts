/**
 * Devices of the embedder's own on the board, where QEMU's `virt` has its platform bus: each gets a place, an SPI, the guest's
 * memory, machine time, and a node in the device tree. What they do is their own.
 */

import type { GuestMemory } from '../../devices/memory.ts'
import type { Bus, InterruptSource, RangeSpec, SourceGate } from '../../mmio/index.ts'
import type { FdtValue } from '../device-tree/fdt.ts'
import { type Place, virtMap, virtSpi } from './virt-map.ts'

/** What a device of one's own gets from the board when it is made. */
export interface OwnDeviceSlot {
  /** First address of its registers; it need not know. */
  readonly base: number
  /** INTID of its interrupt, an SPI. */
  readonly intid: number
  /** Sets the level of its interrupt wire. */
  interrupt(level: boolean): void
  /** RAM, for DMA: throws a GuestMemoryError for an address that is none. */
  readonly memory: GuestMemory
  /** Machine time in seconds since the machine was switched on. */
  seconds(): number
}

/** A device as it is on the board. */
export interface OwnDeviceParts {
  /** Its registers: a Frame of the framework has this. `base` is the first address. */
  wire(base: number): readonly RangeSpec[]
  /** Machine time in seconds at which it has to do something by itself; Infinity, or no such method, for never. Asked often. */
  deadline?(): number
  /** Machine time has passed, to a deadline or anywhere before. Called often. */
  timePassed?(): void
  /** What keeps its interrupt wire low, for `why`: the gates of an InterruptSource (`maskedStatus` makes those of most). */
  interruptGates?(): readonly SourceGate[]
}

/** A device of one's own: what is to be known of it before it is made, and how to make it. */
export interface OwnDevice {
  /** Name of its node in the device tree, without the address: `dial`. */
  readonly name: string
  /** Properties of the node, as `{ compatible: 'example,dial' }`; `reg` and `interrupts` are the board's to say. */
  readonly properties?: Readonly<Record<string, FdtValue>>
  /** Edge-triggered interrupt in the device tree; level-sensitive unless given. */
  readonly edge?: boolean
  /** Makes it; called once for each machine. */
  attach(slot: OwnDeviceSlot): OwnDeviceParts
}

/** Bytes of address space that each has, and how many there may be: QEMU's platform bus has 64 interrupts. */
export const OWN_DEVICE_SIZE = 0x1_0000
/** The most that there may be. */
export const MOST_OWN_DEVICES = 64

/** Where the `n`th is, and its SPI as a device tree counts. */
export function ownPlace(n: number): { readonly place: Place; readonly spi: number } {
  const base = virtMap.platform.base + n * OWN_DEVICE_SIZE
  return { place: { base, size: OWN_DEVICE_SIZE }, spi: virtSpi.platform + n }
}

/** Throws a RangeError for more of them than there is room for, and for a name that no node can have. */
export function checkOwnDevices(devices: readonly OwnDevice[]): void {
  if (devices.length > MOST_OWN_DEVICES)
    throw new RangeError(`devices: ${devices.length}; there is room for ${MOST_OWN_DEVICES}`)
  for (const { name } of devices)
    if (!/^[A-Za-z][\w,.+-]{0,30}$/.test(name))
      throw new RangeError(
        `devices: '${name}' is no name of a node: letters, digits and ,._+- after a letter, 31 at most`,
      )
}

/** All of a machine's, at work. */
export class OwnDevices {
  readonly #names: readonly string[]
  readonly #parts: readonly OwnDeviceParts[]

  constructor(devices: readonly OwnDevice[], bus: Bus, slot: (n: number) => OwnDeviceSlot) {
    this.#names = devices.map(({ name }) => name)
    this.#parts = devices.map((device, n) => device.attach(slot(n)))
    for (const [n, parts] of this.#parts.entries()) {
      const { place } = ownPlace(n)
      const ranges = parts.wire(place.base)
      for (const { base, size } of ranges)
        if (base < place.base || base + size > place.base + place.size)
          throw new RangeError(`devices: '${devices[n]!.name}' reaches beyond its ${OWN_DEVICE_SIZE / 1024} KiB`)
      bus.register(...ranges)
    }
  }

  /** Those that say what keeps their interrupt low, by INTID. */
  *interruptSources(): Generator<[intid: number, source: InterruptSource]> {
    for (const [n, parts] of this.#parts.entries())
      if (parts.interruptGates !== undefined)
        yield [32 + ownPlace(n).spi, { name: this.#names[n]!, interruptGates: () => parts.interruptGates!() }]
  }

  /** The soonest of their deadlines, in seconds of machine time. */
  deadline(): number {
    let soonest = Number.POSITIVE_INFINITY
    for (const parts of this.#parts) soonest = Math.min(soonest, parts.deadline?.() ?? Number.POSITIVE_INFINITY)
    return soonest
  }

  /** Tells every one that has to know. */
  timePassed(): void {
    for (const parts of this.#parts) parts.timePassed?.()
  }
}
