/**
 * What the benchmarks run on: a GICv2 on a bus, wired either way, and a bus whose code has met many devices, so that no
 * call on the path of an access is cheap because it has only ever had one target.
 */

import { GicV2, type GicV2Config } from 'vgic'
import {
  type Access,
  type BankView,
  Bus,
  constant,
  cpuInitiator,
  type Device,
  Frame,
  type Initiator,
  Outcome,
  perIrq,
  registerTable,
  type Wiring,
} from 'vgic/mmio'
import { ORDER_MASK, unpredictable } from './baseline.ts'

export const GICD = 0x0800_0000
export const GICC = 0x0801_0000

export interface Machine {
  readonly gic: GicV2
  readonly bus: Bus
  readonly cpus: readonly Initiator[]
}

/** A GICv2 that is switched on for every CPU, with all SPIs level-sensitive, Group 0, and priority 0xA0. */
export function machine(config: GicV2Config, wiring: Wiring = 'frame'): Machine {
  const gic = new GicV2(config)
  const bus = new Bus()
  bus.register(...gic.frames.gicd.wire(GICD, wiring), ...gic.frames.gicc.wire(GICC, wiring))
  const cpus = gic.cpus.map(({ cpu }) => cpuInitiator(cpu))
  bus.write32(GICD, 1, cpus[0]!)
  for (const by of cpus) {
    bus.write32(GICC, 1, by)
    bus.write32(GICC + 4, 0xf0, by)
    for (let intid = 0; intid < gic.config.intids; intid++) bus.write8(GICD + 0x400 + intid, 0xa0, by)
  }
  return { gic, bus, cpus }
}

/** Lets SPI or PPI `intid` through to CPU `cpu` at priority 0x80. */
export function enable({ bus, cpus }: Machine, intid: number, cpu: number): void {
  const by = cpus[cpu]!
  bus.write8(GICD + 0x400 + intid, 0x80, by)
  if (intid >= 32) bus.write8(GICD + 0x800 + intid, 1 << cpu, by)
  bus.write32(GICD + 0x100 + (intid >>> 5) * 4, 1 << (intid & 31), by)
}

/** Devices and tables of different shapes: eight of each. */
const DEVICES = 8
const deviceAt = (i: number) => 0x0900_0000 + i * 0x1000
export const tableAt = (i: number) => 0x0a00_0000 + i * 0x1000
/** Where each of the eight tables has a constant, a bank of bits, and a bank of bytes. */
export const offsets = { constant: 0x000, bank: 0x104, byte: 0x423 } as const

/** A bus with eight devices without a table, and eight frames, each with a table, a state and handlers of its own. */
export function mixedBus(): Bus {
  const bus = new Bus()
  devices().forEach((device, i) => {
    bus.register({ base: deviceAt(i), size: 0x1000, device })
  })
  views().forEach((view, i) => {
    const table = registerTable<Int32Array>(`TABLE${i}`, 0x1000, [
      constant<Int32Array>('ID', 0x000, constants[i]!),
      perIrq<Int32Array>('BITSn', 0x100, { bits: 1, bank: 'replace', view }),
      perIrq<Int32Array>('BYTESn', 0x400, { bits: 8, bank: 'replace', widths: [1, 4], view }),
    ])
    bus.register(...new Frame(table, new Int32Array(256)).wire(tableAt(i)))
  })
  return bus
}

/**
 * Shows the shared code of bus, frame and bank every device and table there is, in an unpredictable order, until what the
 * compiler has seen of it is as mixed as in a machine with many devices.
 */
export function acquaint(mixed: Bus, machines: readonly Machine[]): number {
  const order = unpredictable(DEVICES)
  const by = cpuInitiator(0)
  let sum = 0
  for (let i = 0; i < 100_000; i++) {
    const device = order[i & ORDER_MASK]!
    const word = (i * 4) & 0xffc
    sum += mixed.read(deviceAt(device), 4, by) + mixed.write(deviceAt(device) + word, 4, i, 0, by)
    sum += mixed.read(tableAt(device) + word, 4, by) + mixed.write(tableAt(device) + word, 4, i, 0, by)
    sum += mixed.read(tableAt(device) + (i & 0xfff), 1, by) + mixed.write(tableAt(device) + (i & 0xfff), 1, i, 0, by)
    const { bus } = machines[i % machines.length]!
    sum += bus.read(GICD + word, 4, by) + bus.read(GICC + word, 4, by) + bus.read(GICD + 0x400 + (i & 0x3ff), 1, by)
    bus.write(GICD + 0xd00 + (i & 0xff), 1, 0, 0, by)
  }
  return sum
}

type View = BankView<Int32Array>
const assign = (words: Int32Array, at: number, value: number, mask: number) => {
  words[at] = (words[at]! & ~mask) | (value & mask)
}

/** Written out, because functions made in a loop share their code, and the compiler sees through that. */
const constants: readonly (() => number)[] = [() => 0, () => 1, () => 2, () => 3, () => 4, () => 5, () => 6, () => 7]

function views(): View[] {
  return [
    { read: (words, at) => words[at]!, assign: (d, at, value, mask) => assign(d, at, value, mask) },
    { read: (words, at) => ~words[at]!, assign: (d, at, value, mask) => assign(d, at, ~value, mask) },
    { read: (words, at) => words[at]! ^ 1, assign: (d, at, value, mask) => assign(d, at, value ^ 1, mask) },
    { read: (words, at) => words[at]! & -2, assign: (d, at, value, mask) => assign(d, at, value & -2, mask) },
    { read: (words, at) => words[at]! | 4, assign: (d, at, value, mask) => assign(d, at, value | 4, mask) },
    { read: (words, at) => -words[at]! | 0, assign: (d, at, value, mask) => assign(d, at, -value, mask) },
    { read: (words, at) => words[at]! >>> 1, assign: (d, at, value, mask) => assign(d, at, value << 1, mask) },
    { read: (words, at) => words[at]! << 1, assign: (d, at, value, mask) => assign(d, at, value >>> 1, mask) },
  ]
}

function device<T extends Device>(literal: T): Device {
  return literal
}

function answer(access: Access, value: number): Outcome {
  access.low = value
  return Outcome.ok
}

function devices(): Device[] {
  return [
    device({ name: 'A', a: 0, access: (access: Access) => answer(access, 1) }),
    device({ name: 'B', b: 0, access: (access: Access) => answer(access, 2) }),
    device({ name: 'C', c: 0, access: (access: Access) => answer(access, 3) }),
    device({ name: 'D', d: 0, access: (access: Access) => answer(access, 4) }),
    device({ name: 'E', e: 0, access: (access: Access) => answer(access, 5) }),
    device({ name: 'F', f: 0, access: (access: Access) => answer(access, 6) }),
    device({ name: 'G', g: 0, access: (access: Access) => answer(access, 7) }),
    device({ name: 'H', h: 0, access: (access: Access) => answer(access, 8) }),
  ]
}
