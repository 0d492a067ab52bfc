/** The legacy interface of the virtio transport (Virtual I/O Device 1.2, 4.2.4) as a small driver of that time uses it. */

import { describe, expect, it } from 'vitest'
import { silentPolicy } from '../../mmio/index.ts'
import { Ram } from '../memory.ts'
import { onBus } from '../testing/on-bus.ts'
import type { VirtioDevice } from './virtio-device.ts'
import { VirtioMmio } from './virtio-mmio.ts'

const BASE = 0x4000_0000
const QUEUE = BASE + 0x4000
const BUFFER = BASE + 0x1_0000

/** Fills each buffer with sevens. */
function setUp() {
  const ram = new Ram(BASE, new Uint8Array(0x2_0000))
  const device: VirtioDevice = {
    name: 'sevens',
    deviceId: 9,
    features: 0b110n,
    queueSizes: [16],
    config: Uint8Array.of(1, 2, 3, 4),
    attach: (host) => {
      device.notify = (queue) =>
        host.process(queue, (chain) => {
          const [segment] = chain.writable
          if (segment === undefined) return 0
          host.memory.write(segment.address, new Uint8Array(segment.length).fill(7))
          return segment.length
        })
    },
    notify: () => {},
    reset: () => {},
    snapshot: () => null,
    restore: () => {},
  }
  const levels: boolean[] = []
  const broken: string[] = []
  const options = { memory: ram, legacy: true, device, interrupt: (level: boolean) => levels.push(level) }
  const transport = new VirtioMmio({ ...options, broken: (reason) => broken.push(reason) })
  return { ram, transport, levels, broken, ...onBus(transport.frame, 0x200, silentPolicy) }
}

/** Queue 0 of 8 entries at QUEUE, by the number of its page; its used ring is on the page behind. */
function start({ read, write }: ReturnType<typeof setUp>, { size = 8, align = 4096 } = {}) {
  write(0x28, 4096)
  for (const status of [0, 1, 3]) write(0x70, status)
  write(0x20, 0b110)
  write(0x30, 0)
  const before = read(0x40)
  if (size > 0) write(0x38, size)
  if (align > 0) write(0x3c, align)
  write(0x40, QUEUE / 4096)
  write(0x70, 7)
  return before
}

/** Makes a buffer available in descriptor 0 as the first chain; returns the used ring's index and first entry. */
function request({ ram, write }: ReturnType<typeof setUp>, used = QUEUE + 0x1000, size = 8) {
  ram.write64(QUEUE, BigInt(BUFFER))
  ram.write32(QUEUE + 8, 5)
  ram.write16(QUEUE + 12, 2)
  ram.write16(QUEUE + 16 * size + 4, 0)
  ram.write16(QUEUE + 16 * size + 2, 1)
  write(0x50, 0)
  return [ram.read16(used + 2), ram.read32(used + 4), ram.read32(used + 8)]
}

describe('the legacy interface of virtio', () => {
  it('says version 1, and offers the low features alone: VERSION_1 is not among them', () => {
    const { read, write } = setUp()
    expect([read(0x00), read(0x04), read(0x08), read(0x0c)]).toEqual([0x7472_6976, 1, 9, 0x554d_4551])
    expect([read(0x10), read(0x34), read(0x100)]).toEqual([0b110, 16, 0x0403_0201])
    write(0x14, 1)
    expect(read(0x10)).toBe(0)
  })

  it('puts a queue to use with the number of its page: descriptors, available ring, and the used ring aligned (2.7.2)', () => {
    const made = setUp()
    expect(start(made)).toBe(0)
    expect(made.read(0x40)).toBe(QUEUE / 4096)
    expect(request(made)).toEqual([1, 0, 5])
    expect([made.ram.read8(BUFFER + 4), made.ram.read8(BUFFER + 5)]).toEqual([7, 0])
    expect([made.read(0x60), made.levels]).toEqual([1, [true]])
    made.write(0x64, 1)
    expect([made.read(0x60), made.levels]).toEqual([0, [true, false]])
  })

  it('aligns the used ring to what QueueAlign says, and to a page, with all entries, where the driver says nothing', () => {
    const made = setUp()
    start(made, { align: 64 })
    // 128 bytes of descriptors and 22 of the available ring, up to the next 64.
    expect(request(made, QUEUE + 192)).toEqual([1, 0, 5])
    const other = setUp()
    start(other, { size: 0, align: 0 })
    expect(request(other, QUEUE + 0x1000, 16)).toEqual([1, 0, 5])
  })

  it('serves a driver that has not said DRIVER_OK yet (3.1.2)', () => {
    const made = setUp()
    start(made)
    made.write(0x70, 3)
    expect(request(made)).toEqual([1, 0, 5])
  })

  it('takes the queue out of use with page 0, and with a reset, which leaves the page size', () => {
    const made = setUp()
    start(made)
    made.write(0x40, 0)
    expect([made.read(0x40), request(made)[0]]).toEqual([0, 0])
    made.write(0x70, 0)
    // As Linux does: the page size is set once, before the first reset.
    made.write(0x38, 8)
    made.write(0x40, QUEUE / 4096)
    expect([made.read(0x40), request(made)[0]]).toEqual([QUEUE / 4096, 1])
  })

  it('breaks on a queue that is not in memory, and says so', () => {
    const made = setUp()
    made.write(0x28, 4096)
    made.write(0x40, 0x10)
    expect(made.broken).toEqual(['a descriptor table at 0x10000'])
    expect(made.read(0x40)).toBe(0)
  })

  it('keeps its state apart from that of version 2', () => {
    const made = setUp()
    start(made)
    const saved = JSON.parse(JSON.stringify(made.transport.snapshot()))
    const other = setUp()
    other.transport.restore(saved)
    expect(other.transport.snapshot()).toEqual(saved)
    expect(other.read(0x40)).toBe(QUEUE / 4096)
    expect(() => other.transport.restore({ ...saved, legacy: false })).toThrow(/of the other version/)
  })
})
