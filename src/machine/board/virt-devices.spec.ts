/** Which slot of virtio a device takes: QEMU's order, or the one that it was given. */

import { describe, expect, it } from 'vitest'
import { VirtioRng } from '../../devices/virtio/virtio-rng.ts'
import { cpuInitiator } from '../../mmio/index.ts'
import { VirtMachine } from '../virt.ts'
import { placeVirtio } from './virt-devices.ts'
import { virtMap } from './virt-map.ts'

const [a, b, c] = [new VirtioRng(), new VirtioRng(), new VirtioRng()]

describe('a slot of virtio', () => {
  it('is the last free one for a device without one, as on QEMU 7.2: -device a -device b,bus=virtio-mmio-bus.3 -device c', () => {
    const slots = placeVirtio([{ device: a }, { device: b, slot: 3 }, { device: c }])
    expect([slots.indexOf(a), slots.indexOf(b), slots.indexOf(c), slots.length]).toEqual([31, 3, 30, 32])
  })

  it('is passed by where another device was given it', () => {
    const slots = placeVirtio([{ device: a }, { device: b, slot: 31 }])
    expect([slots.indexOf(a), slots.indexOf(b)]).toEqual([30, 31])
  })

  it.each([
    [[{ device: a, slot: 32 }], 'there is no slot 32'],
    [[{ device: a, slot: 0.5 }], 'there is no slot 0.5'],
    [
      [
        { device: a, slot: 0 },
        { device: b, slot: 0 },
      ],
      'slot 0 is taken twice',
    ],
    [Array.from({ length: 33 }, () => ({ device: a })), '33 devices and 32 slots'],
  ])('is refused where it cannot be', (devices, reason) => {
    expect(() => placeVirtio(devices)).toThrow(reason)
  })

  it('of the machine has the disk that was given it: 2 is the DeviceID of a block device (Virtual I/O Device 1.2, 5)', () => {
    const disk = { size: 512, readOnly: false, read: () => {}, write: () => {}, flush: () => {} }
    const machine = new VirtMachine({ disks: [disk, disk], slots: { disks: [0] } })
    const id = (slot: number) => machine.bus.read32(virtMap.virtio.base + slot * 0x200 + 8, cpuInitiator(0))
    expect([id(0), id(31), id(30), id(29)]).toEqual([2, 2, 4, 0])
  })

  it('is there for 32 disks, and then none is left for entropy', () => {
    const disk = { size: 512, readOnly: false, read: () => {}, write: () => {}, flush: () => {} }
    const machine = new VirtMachine({ disks: new Array(32).fill(disk) })
    expect(machine.bus.read32(virtMap.virtio.base + 8, cpuInitiator(0))).toBe(2)
    expect(() => new VirtMachine({ disks: new Array(33).fill(disk) })).toThrow('disks: 33')
    expect(() => new VirtMachine({ disks: new Array(32).fill(disk), virtioConsole: true })).toThrow('disks: 32')
  })
})
