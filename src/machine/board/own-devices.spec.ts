/** Devices of the embedder's own on the board: place, interrupt, deadline, DMA, node; and what is refused. */

import { describe, expect, it } from 'vitest'
import { cpuInitiator, Frame, registerTable, word } from '../../mmio/index.ts'
import { planBoot } from '../boot/boot.ts'
import { encodeValue } from '../device-tree/fdt.ts'
import { virtTree } from '../device-tree/virt-dtb.ts'
import { a64, words } from '../testing/guest.ts'
import { VirtMachine } from '../virt.ts'
import type { OwnDevice, OwnDeviceSlot } from './own-devices.ts'

/** Rings some milliseconds after a write to its first register; the second is where it puts a 1 by DMA when it does. */
class Bell {
  due = Number.POSITIVE_INFINITY
  address = 0
  rang: number[] = []
  readonly frame = new Frame<Bell>(bellRegisters, this)
  readonly slot: OwnDeviceSlot

  constructor(slot: OwnDeviceSlot) {
    this.slot = slot
  }

  wire(base: number) {
    return this.frame.wire(base)
  }

  deadline() {
    return this.due
  }

  timePassed() {
    if (this.slot.seconds() < this.due) return
    this.rang.push(this.slot.seconds())
    this.due = Number.POSITIVE_INFINITY
    if (this.address !== 0) this.slot.memory.write32(this.address, 1)
    this.slot.interrupt(true)
  }
}

const bellRegisters = registerTable<Bell>('BELL', 0x1000, [
  word('BELL_START', 0x0, {
    write: (bell, _, value) => {
      bell.due = bell.slot.seconds() + value / 1000
    },
  }),
  word('BELL_ADDRESS', 0x4, {
    read: (bell) => bell.address,
    write: (bell, _, value) => {
      bell.address = value
    },
  }),
])

function belfry() {
  const bells: Bell[] = []
  const device = (name: string): OwnDevice => ({
    name,
    properties: { compatible: 'example,bell' },
    attach: (slot) => {
      const bell = new Bell(slot)
      bells.push(bell)
      return bell
    },
  })
  return { bells, devices: [device('bell'), device('gong')] }
}

describe('a device of one’s own', () => {
  it('has registers at a place of its own, and an SPI', () => {
    const { bells, devices } = belfry()
    const machine = new VirtMachine({ memory: 2 ** 23, devices })
    expect(bells.map(({ slot }) => [slot.base, slot.intid])).toEqual([
      [0x0c00_0000, 144],
      [0x0c01_0000, 145],
    ])
    machine.bus.write32(0x0c01_0004, 0x4000_0000, cpuInitiator(0))
    expect(bells.map(({ address }) => address)).toEqual([0, 0x4000_0000])
    bells[1]!.slot.interrupt(true)
    expect(machine.gic.explain(145, 0).gates.find(({ gate }) => gate === 'pending')?.open).toBe(true)
    expect(machine.gic.explain(144, 0).gates.find(({ gate }) => gate === 'pending')?.open).toBe(false)
  })

  it('acts at its deadline while the guest sleeps, to the nanosecond, and writes memory', async () => {
    const { bells, devices } = belfry()
    const machine = new VirtMachine({ memory: 2 ** 23, devices })
    // The guest starts the bell for 7 ms and sleeps.
    const kernel = words(a64.movz(0, 0xc00, 1), a64.movz(1, 7), 0xb900_0001, a64.wfi)
    const plan = await planBoot({ kernel }, { cpus: 1, memory: 2 ** 23, gic: 2, devices })
    plan.start(machine)
    bells[0]!.address = 0x4020_0000
    expect(machine.run(1e9)).toBe('waiting')
    expect(bells[0]!.rang).toEqual([machine.seconds])
    expect(machine.seconds).toBeGreaterThanOrEqual(0.007)
    expect(machine.seconds).toBeLessThan(0.007_001)
    expect(machine.ram.read32(0x4020_0000)).toBe(1)
  })

  it('has a node in the device tree with its place, its interrupt and what it says of itself', () => {
    const { devices } = belfry()
    const tree = virtTree({ cpus: 1, memory: 2 ** 23, gic: 2, devices: [{ ...devices[0]!, edge: true }, devices[1]!] })
    const of = (name: string, property: string) =>
      tree.children.find((child) => child.name === name)?.properties.get(property)
    expect(of('bell@c000000', 'compatible')).toEqual(encodeValue('example,bell'))
    expect(of('bell@c000000', 'reg')).toEqual(encodeValue([0, 0x0c00_0000, 0, 0x1_0000]))
    expect(of('bell@c000000', 'interrupts')).toEqual(encodeValue([0, 112, 1]))
    expect(of('gong@c010000', 'interrupts')).toEqual(encodeValue([0, 113, 4]))
  })

  it.each([
    ['a name that no node can have', [{ name: 'a b' }], "devices: 'a b' is no name of a node"],
    [
      'more than there is room for',
      Array.from({ length: 65 }, () => ({ name: 'x' })),
      'devices: 65; there is room for 64',
    ],
    ['registers beyond its place', [{ name: 'x', size: 0x2_0000 }], "devices: 'x' reaches beyond its 64 KiB"],
  ])('is refused with %s', (_, wanted: { name: string; size?: number }[], message) => {
    const devices = wanted.map(({ name, size = 0x1000 }): OwnDevice => {
      const device = new Frame(registerTable('X', size, []), {})
      return { name, attach: () => ({ wire: (base) => device.wire(base) }) }
    })
    expect(() => new VirtMachine({ memory: 2 ** 23, devices })).toThrow(message)
  })
})
