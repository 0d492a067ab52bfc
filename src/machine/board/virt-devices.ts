/** The devices of the board that are more than one frame on its bus: the two flash banks, and the slots of virtio. */

import type { Cluster } from '../../aarch64/cluster.ts'
import { CfiFlash } from '../../devices/flash/cfi-flash.ts'
import { VirtioBlk } from '../../devices/virtio/virtio-blk.ts'
import { VirtioConsole } from '../../devices/virtio/virtio-console.ts'
import type { VirtioDevice } from '../../devices/virtio/virtio-device.ts'
import { VirtioMmio, type VirtioMmioOptions } from '../../devices/virtio/virtio-mmio.ts'
import { VirtioRng } from '../../devices/virtio/virtio-rng.ts'
import type { Bus } from '../../mmio/index.ts'
import { VIRTIO_SLOT_SIZE, VIRTIO_SLOTS, virtMap } from './virt-map.ts'
import type { CompleteOptions } from './virt-options.ts'

/** Bytes of translations that a CPU has to forget, at most, when its flash is memory no longer. */
const TRANSLATIONS = 0x1_0000

/**
 * The first bank is memory to the CPUs as long as it reads as its plain contents; the second stays a device. What nothing was
 * put into is zero, as with QEMU: the null page reads as zeros, and is no instruction. Returns the first. `moved` is told of what
 * commands have to do, in bytes.
 */
export function wireFlash(
  bus: Bus,
  cluster: Cluster,
  firmware: Uint8Array = new Uint8Array(0),
  moved: (bytes: number) => void = () => {},
): CfiFlash {
  const { base, size } = virtMap.flash0
  const bytes = cluster.view(base, size)!
  bytes.set(firmware)
  const flash = new CfiFlash({
    name: 'flash 0',
    size,
    contents: firmware,
    blank: 0,
    plainChanged: (plain) => {
      moved(TRANSLATIONS)
      cluster.setDirect(base, plain)
    },
    written: (offset, length) => {
      moved(length)
      flash.read(offset, bytes.subarray(offset, offset + length))
    },
  })
  const variables = new CfiFlash({
    name: 'flash 1',
    size: virtMap.flash1.size,
    blank: 0,
    written: (_, length) => moved(length),
  })
  bus.register({ base, size, device: flash }, { base: virtMap.flash1.base, size: variables.size, device: variables })
  return flash
}

/** What the virtio devices of the board ask of the machine. */
interface VirtioHosts {
  /** The console takes more of what was typed. */
  receiveReady(): void
  /** Machine time in seconds. */
  waitForListener(): number
  /** A device has more to do than it does at once. */
  later(): void
}

/** The virtio devices that were asked for, and the slots that they are to have; `slow` are those that go on later. */
export function makeVirtio(options: CompleteOptions, hosts: VirtioHosts) {
  const { disks, serials, slots, virtioConsole, seed } = options
  const transmit = (bytes: Uint8Array) => {
    for (const byte of bytes) options.console(byte)
  }
  const console = virtioConsole ? new VirtioConsole({ transmit, ...hosts }) : undefined
  const block = disks.map((disk, i) => new VirtioBlk({ disk, serial: serials[i] ?? '', later: hosts.later }))
  const devices: Placed[] = block.map((device, i) => ({ device, slot: slots.disks?.[i] }))
  if (console !== undefined) devices.push({ device: console, slot: slots.console })
  // It is beside what was asked for, and gives way to that.
  if (devices.length < VIRTIO_SLOTS) devices.push({ device: new VirtioRng(seed), slot: slots.rng })
  return { console, devices, slow: console === undefined ? block : [...block, console] }
}

/** A device, and the slot that it is to have. */
export interface Placed {
  readonly device: VirtioDevice
  readonly slot?: number | undefined
}

/**
 * What is in each slot. Devices that were not given one take, as with QEMU, the last that is free, in their order. Throws a
 * RangeError for a slot that there is not or that is taken, and for more devices than slots.
 */
export function placeVirtio(devices: readonly Placed[]): (VirtioDevice | undefined)[] {
  const slots: (VirtioDevice | undefined)[] = new Array(VIRTIO_SLOTS).fill(undefined)
  for (const { device, slot } of devices) {
    if (slot === undefined) continue
    if (!Number.isInteger(slot) || slot < 0 || slot >= VIRTIO_SLOTS)
      throw new RangeError(`virtio: there is no slot ${slot} for ${device.name}; they are 0 to ${VIRTIO_SLOTS - 1}`)
    if (slots[slot] !== undefined)
      throw new RangeError(`virtio: slot ${slot} is taken twice, the second time by ${device.name}`)
    slots[slot] = device
  }
  for (const { device, slot } of devices) {
    if (slot !== undefined) continue
    const free = slots.lastIndexOf(undefined)
    if (free < 0) throw new RangeError(`virtio: there are ${devices.length} devices and ${VIRTIO_SLOTS} slots`)
    slots[free] = device
  }
  return slots
}

/** Every slot has a transport, with a device behind it or without; they are returned. */
export function wireVirtio(
  bus: Bus,
  devices: readonly Placed[],
  options: (slot: number) => Omit<VirtioMmioOptions, 'device'>,
): VirtioMmio[] {
  return placeVirtio(devices).map((device, slot) => {
    const transport = new VirtioMmio({ ...options(slot), ...(device ? { device } : {}) })
    bus.register(...transport.frame.wire(virtMap.virtio.base + slot * VIRTIO_SLOT_SIZE))
    return transport
  })
}
