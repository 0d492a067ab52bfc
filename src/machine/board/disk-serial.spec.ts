/** The serial number of a disk, from the machine's options to what a driver is told (Virtual I/O Device 1.2, 5.2.6). */

import { expect, it } from 'vitest'
import { bytesBase, OverlayDisk } from '../../devices/disk.ts'
import { cpuInitiator } from '../../mmio/index.ts'
import { VirtMachine } from '../virt.ts'
import { virtMap } from './virt-map.ts'

it.each([
  ['what the options say', ['first', 'vgic-disk-of-20-char'], 'vgic-disk-of-20-char'],
  ['nothing where they say nothing', ['first'], ''],
])('VIRTIO_BLK_T_GET_ID gives %s', (_, serials, expected) => {
  const disks = [0, 1].map(() => new OverlayDisk(bytesBase(new Uint8Array(512))))
  const machine = new VirtMachine({ memory: 2 ** 20, legacyVirtio: false, disks, serials, slots: { disks: [1, 0] } })
  const { bus, ram } = machine
  const write = (offset: number, value: number) => bus.write32(virtMap.virtio.base + offset, value, cpuInitiator(0))
  const at = (offset: number) => virtMap.ram.base + offset
  // Status, features (VIRTIO_F_VERSION_1), and a queue of four.
  for (const [offset, value] of [
    ...[
      [0x70, 3],
      [0x24, 1],
      [0x20, 1],
      [0x70, 11],
      [0x30, 0],
      [0x38, 4],
    ],
    ...[
      [0x80, at(0)],
      [0x90, at(0x100)],
      [0xa0, at(0x200)],
      [0x44, 1],
      [0x70, 15],
    ],
  ] as [number, number][])
    write(offset, value)
  const describe = (n: number, address: number, length: number, flags: number) => {
    ram.write64(at(16 * n), BigInt(address))
    ram.write32(at(16 * n + 8), length)
    ram.write32(at(16 * n + 12), flags | ((n + 1) << 16))
  }
  describe(0, at(0x300), 16, 1)
  describe(1, at(0x400), 20, 3)
  describe(2, at(0x500), 1, 2)
  ram.write32(at(0x300), 8)
  ram.write8(at(0x500), 0xff)
  ram.write16(at(0x102), 1)
  write(0x50, 0)
  const text = new Uint8Array(20)
  ram.read(at(0x400), text)
  expect(ram.read8(at(0x500))).toBe(0)
  expect(new TextDecoder().decode(text).replace(/\0+$/, '')).toBe(expected)
})
