/** A driver for the virtio specs: brings a device up as 3.1.1 says and hands it chains of buffers. It is no part of the package. */

import { silentPolicy } from '../../mmio/index.ts'
import { Ram } from '../memory.ts'
import type { VirtioDevice } from '../virtio/virtio-device.ts'
import { VirtioMmio } from '../virtio/virtio-mmio.ts'
import { onBus } from './on-bus.ts'

export const BASE = 0x4000_0000
/** Rings are below, buffers from here on. */
export const BUFFERS = BASE + 0x1_0000

export type Buffer = { address: number; length: number; write?: boolean }

export function driver(device: VirtioDevice, memorySize = 0x20_0000) {
  const levels: boolean[] = []
  const broken: string[] = []
  const ram = new Ram(BASE, new Uint8Array(memorySize))
  const transport = new VirtioMmio({
    memory: ram,
    device,
    interrupt: (level) => levels.push(level),
    broken: (reason) => broken.push(reason),
  })
  const port = onBus(transport.frame, 0x200, silentPolicy)
  const { read, write } = port
  const rings = (queue: number) => BASE + queue * 0x4000
  const available = device.queueSizes.map(() => 0)
  const used = device.queueSizes.map(() => 0)

  function negotiate(features = device.features | (1n << 32n)) {
    write(0x70, 0)
    write(0x70, 1)
    write(0x70, 3)
    for (const half of [0, 1]) {
      write(0x24, half)
      write(0x20, Number((features >> BigInt(32 * half)) & 0xffff_ffffn))
    }
    write(0x70, 11)
    return read(0x70)
  }

  function setQueue(queue: number, size = 8, at = rings(queue)) {
    write(0x30, queue)
    write(0x38, size)
    for (const [offset, address] of [
      [0x80, at],
      [0x90, at + 0x2000],
      [0xa0, at + 0x3000],
    ] as const) {
      write(offset, address % 2 ** 32)
      write(offset + 4, Math.floor(address / 2 ** 32))
    }
    write(0x44, 1)
    return read(0x44)
  }

  function up(size = 8) {
    negotiate()
    for (const [queue, most] of device.queueSizes.entries()) setQueue(queue, Math.min(size, most))
    write(0x70, 15)
    available.fill(0)
    used.fill(0)
  }

  function describe(queue: number, index: number, buffer: Buffer, next?: number, flags = 0) {
    const at = rings(queue) + index * 16
    ram.write64(at, BigInt(buffer.address))
    ram.write32(at + 8, buffer.length)
    ram.write16(at + 12, (buffer.write ? 2 : 0) | (next === undefined ? 0 : 1) | flags)
    ram.write16(at + 14, next ?? 0)
  }

  /** Makes the chain that starts at `head` available, without telling the device. */
  function offer(queue: number, head: number, size = 8) {
    ram.write16(rings(queue) + 0x2004 + 2 * (available[queue]! % size), head)
    available[queue]!++
    ram.write16(rings(queue) + 0x2002, available[queue]!)
  }

  /** Chains these buffers from descriptor `first` on, makes them available, and tells the device. */
  function submit(queue: number, buffers: readonly Buffer[], first = 0, size = 8) {
    for (const [i, buffer] of buffers.entries())
      describe(queue, first + i, buffer, i + 1 < buffers.length ? first + i + 1 : undefined)
    offer(queue, first, size)
    write(0x50, queue)
  }

  /** What the device gave back since the last call. */
  function collect(queue: number, size = 8): { head: number; written: number }[] {
    const entries = []
    for (
      const end = ram.read16(rings(queue) + 0x3002);
      used[queue] !== end;
      used[queue] = (used[queue]! + 1) & 0xffff
    ) {
      const at = rings(queue) + 0x3004 + 8 * (used[queue]! % size)
      entries.push({ head: ram.read32(at), written: ram.read32(at + 4) })
    }
    return entries
  }

  return { ram, transport, levels, broken, rings, negotiate, setQueue, up, describe, offer, submit, collect, ...port }
}
