/** The devices of the board that are more than one frame on its bus: the two flash banks, and the slots of virtio. */

import type { Cluster } from '../../aarch64/cluster.ts'
import { CfiFlash } from '../../devices/flash/cfi-flash.ts'
import type { VirtioDevice } from '../../devices/virtio/virtio-device.ts'
import { VirtioMmio, type VirtioMmioOptions } from '../../devices/virtio/virtio-mmio.ts'
import type { Bus } from '../../mmio/index.ts'
import { VIRTIO_SLOT_SIZE, VIRTIO_SLOTS, virtMap } from './virt-map.ts'

/**
 * The first bank is memory to the CPUs as long as it reads as its plain contents; the second stays a device. What nothing was
 * put into is zero, as with QEMU: the null page reads as zeros, and is no instruction. Returns the first.
 */
export function wireFlash(bus: Bus, cluster: Cluster, firmware: Uint8Array = new Uint8Array(0)): CfiFlash {
  const { base, size } = virtMap.flash0
  const bytes = cluster.view(base, size)!
  bytes.set(firmware)
  const flash = new CfiFlash({
    name: 'flash 0',
    size,
    contents: firmware,
    blank: 0,
    plainChanged: (plain) => cluster.setDirect(base, plain),
    written: (offset, length) => flash.read(offset, bytes.subarray(offset, offset + length)),
  })
  const variables = new CfiFlash({ name: 'flash 1', size: virtMap.flash1.size, blank: 0 })
  bus.register({ base, size, device: flash }, { base: virtMap.flash1.base, size: variables.size, device: variables })
  return flash
}

/** Every slot has a transport, which are returned. As QEMU does, devices take slots from the last one down. */
export function wireVirtio(
  bus: Bus,
  devices: readonly VirtioDevice[],
  options: (slot: number) => Omit<VirtioMmioOptions, 'device'>,
): VirtioMmio[] {
  return Array.from({ length: VIRTIO_SLOTS }, (_, slot) => {
    const device = devices[VIRTIO_SLOTS - 1 - slot]
    const transport = new VirtioMmio({ ...options(slot), ...(device ? { device } : {}) })
    bus.register(...transport.frame.wire(virtMap.virtio.base + slot * VIRTIO_SLOT_SIZE))
    return transport
  })
}
