/** The virtio transport as a driver sees it (Virtual I/O Device 1.2), and as a hostile one does. */

import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { silentPolicy } from '../../mmio/index.ts'
import { Ram } from '../memory.ts'
import { cpu0, onBus } from '../testing/on-bus.ts'
import { BASE, BUFFERS, driver } from '../testing/virtio-driver.ts'
import type { VirtioDevice, VirtioHost } from './virtio-device.ts'
import { VirtioMmio } from './virtio-mmio.ts'
import { gather, scatter } from './virtqueue.ts'

/** Answers each request with its readable bytes, reversed. */
class Reverser implements VirtioDevice {
  readonly name = 'reverser'
  readonly deviceId = 42
  readonly features = 0b101n
  readonly queueSizes = [8, 4]
  readonly config = Uint8Array.of(1, 2, 3, 4, 5)
  handled = 0
  resets = 0
  later = false
  host: VirtioHost | undefined

  attach(host: VirtioHost) {
    this.host = host
  }

  notify(queue: number) {
    const host = this.host!
    host.process(queue, (chain) => {
      if (this.later) return undefined
      this.handled++
      const bytes = new Uint8Array(Math.min(chain.readLength, 1000))
      gather(host.memory, chain.readable, 0, bytes)
      return scatter(host.memory, chain.writable, 0, bytes.reverse())
    })
  }

  reset() {
    this.resets++
  }

  snapshot() {
    return this.handled
  }

  restore(state: unknown) {
    if (typeof state !== 'number') throw new Error('no number')
    this.handled = state
  }
}

const make = () => {
  const device = new Reverser()
  return { device, ...driver(device) }
}

/** A request of two readable and two writable buffers; returns what was written. */
function roundTrip({ ram, submit, collect }: ReturnType<typeof make>, text = 'abcdef', first = 0) {
  const bytes = new TextEncoder().encode(text)
  ram.write(BUFFERS, bytes)
  ram.bytes.fill(0x2e, 0x1_1000, 0x1_1010)
  submit(
    0,
    [
      { address: BUFFERS, length: 1 },
      { address: BUFFERS + 1, length: bytes.length - 1 },
      { address: BUFFERS + 0x1000, length: 2, write: true },
      { address: BUFFERS + 0x1004, length: 6, write: true },
    ],
    first,
  )
  return { used: collect(0), text: new TextDecoder().decode(ram.bytes.subarray(0x1_1000, 0x1_100c)) }
}

describe('the virtio registers', () => {
  it('say what is there: magic, version 2, device, features by halves (4.2.2)', () => {
    const { read, write } = make()
    expect([read(0x00), read(0x04), read(0x08)]).toEqual([0x74726976, 2, 42])
    const halves = [0, 1, 2].map((half) => {
      write(0x14, half)
      return read(0x10)
    })
    expect(halves).toEqual([0b101, 1, 0])
  })

  it('read DeviceID 0 in an empty slot, which has no queues and no features', () => {
    const transport = new VirtioMmio({ memory: new Ram(BASE, new Uint8Array(16)) })
    const { read, write } = onBus(transport.frame, 0x200, silentPolicy)
    write(0x14, 1)
    expect([0x00, 0x04, 0x08, 0x0c, 0x10, 0x34, 0x100].map((offset) => read(offset))).toEqual([
      0x74726976, 2, 0, 0x554d4551, 0, 0, 0,
    ])
    for (let offset = 0; offset < 0x200; offset += 4) write(offset, 0xffffffff)
    expect(read(0x60)).toBe(0)
  })

  it('are 32 bits wide, and the configuration space is bytes', () => {
    const { read } = make()
    expect([read(0x100), read(0x104), read(0x101, 1), read(0x102, 2), read(0x108), read(0x1fc)]).toEqual([
      0x04030201, 5, 2, 0x0403, 0, 0,
    ])
    expect(read(0x00, 2)).toBe(0)
  })

  it('say that there is no shared memory (4.2.2.1)', () => {
    const { read, write } = make()
    write(0xac, 0)
    expect([read(0xb0), read(0xb4)]).toEqual([0xffffffff, 0xffffffff])
  })

  it('give each queue its largest size, and none to a queue that is not there', () => {
    const { read, write } = make()
    const sizes = [0, 1, 2, 0xffffffff].map((queue) => {
      write(0x30, queue)
      return read(0x34)
    })
    expect(sizes).toEqual([8, 4, 0, 0])
  })

  it('peek without an effect', () => {
    const made = make()
    made.up()
    roundTrip(made)
    const before = made.transport.snapshot()
    for (let offset = 0; offset < 0x200; offset += 4) made.transport.frame.peek(offset, 4, cpu0)
    expect(made.transport.snapshot()).toEqual(before)
  })
})

describe('negotiation (3.1.1)', () => {
  it('accepts what was offered with VERSION_1, and part of it', () => {
    const { negotiate } = make()
    expect([negotiate(), negotiate((1n << 32n) | 1n), negotiate(1n << 32n)]).toEqual([11, 11, 11])
  })

  it('refuses FEATURES_OK with what was not offered (2.2.2)', () => {
    const { negotiate } = make()
    expect([negotiate((1n << 32n) | 2n), negotiate((1n << 32n) | (1n << 28n))]).toEqual([3, 3])
  })

  it('goes on with a driver that does not accept VERSION_1, as a device may (6.2): small ones look at the lower half alone', () => {
    const made = make()
    expect(made.negotiate(0b101n)).toBe(11)
    made.setQueue(0)
    made.write(0x70, 15)
    expect(roundTrip(made).text).toBe('fe..dcba....')
  })

  it('settles features with FEATURES_OK', () => {
    const { negotiate, read, write } = make()
    negotiate()
    write(0x24, 0)
    write(0x20, 0xffff)
    write(0x70, 15)
    expect(read(0x70)).toBe(15)
  })

  it('does nothing for a queue before DRIVER_OK, and takes up what waits when it is told again', () => {
    const made = make()
    made.negotiate()
    made.setQueue(0)
    expect(roundTrip(made).used).toEqual([])
    made.write(0x70, 15)
    made.write(0x50, 0)
    expect(made.collect(0)).toHaveLength(1)
  })

  it('resets with status 0: queues, interrupt, and the device', () => {
    const made = make()
    made.up()
    roundTrip(made)
    const before = made.device.resets
    made.write(0x70, 0)
    expect([made.read(0x70), made.read(0x60), made.read(0x44), made.device.resets - before]).toEqual([0, 0, 0, 1])
    expect(made.levels).toEqual([true, false])
    made.ram.bytes.fill(0)
    made.up()
    expect(roundTrip(made).text).toBe('fe..dcba....')
  })
})

describe('a queue', () => {
  it('takes a request of several buffers and answers it, with the bytes written and an interrupt', () => {
    const made = make()
    made.up()
    expect(roundTrip(made)).toEqual({ used: [{ head: 0, written: 6 }], text: 'fe..dcba....' })
    expect([made.read(0x60), made.levels]).toEqual([1, [true]])
    made.write(0x64, 1)
    expect([made.read(0x60), made.levels]).toEqual([0, [true, false]])
  })

  it('goes around its rings and around 2^16', () => {
    const made = make()
    made.up()
    for (let i = 0; i < 70_000; i++) made.submit(0, [{ address: BUFFERS, length: 1 }], i % 8)
    expect(made.device.handled).toBe(70_000)
    expect(made.broken).toEqual([])
  })

  it('raises no interrupt where the driver wants none (2.7.7)', () => {
    const made = make()
    made.up()
    made.ram.write16(made.rings(0) + 0x2000, 1)
    expect(roundTrip(made).used).toHaveLength(1)
    expect([made.read(0x60), made.levels]).toEqual([0, []])
  })

  it('handles all that waits at once, with one interrupt, and leaves what the device does not want yet', () => {
    const made = make()
    made.up()
    made.device.later = true
    for (let i = 0; i < 5; i++) made.submit(0, [{ address: BUFFERS, length: 1 }], i)
    expect([made.device.handled, made.levels]).toEqual([0, []])
    made.device.later = false
    made.write(0x50, 0)
    expect([made.device.handled, made.levels, made.collect(0).map(({ head }) => head)]).toEqual([
      5,
      [true],
      [0, 1, 2, 3, 4],
    ])
  })

  it('keeps its addresses while it is ready', () => {
    const made = make()
    made.up()
    made.write(0x30, 0)
    made.write(0x80, 0)
    made.write(0x38, 2)
    expect(roundTrip(made).used).toHaveLength(1)
  })

  it('stops with QueueReady 0', () => {
    const made = make()
    made.up()
    made.write(0x30, 0)
    made.write(0x44, 0)
    expect([made.read(0x44), roundTrip(made).used]).toEqual([0, []])
  })

  it('that is not there can be notified without harm', () => {
    const made = make()
    made.up()
    for (const queue of [2, 64, 0xffffffff]) made.write(0x50, queue)
    expect([made.device.handled, made.broken]).toEqual([0, []])
  })

  it.each<[string, number, number]>([
    ['of no size', 0, BASE],
    ['of a size that is no power of two', 3, BASE],
    ['larger than the device allows', 16, BASE],
    ['with a misaligned table', 8, BASE + 8],
    ['outside of memory', 8, 0x1000],
    ['that ends outside of memory', 8, BASE + 0x20_0000 - 0x3010],
    ['beyond 32 bits', 8, 2 ** 40 + BASE],
    ['beyond 52 bits', 8, 2 ** 60],
  ])('%s is never ready, and the device needs a reset', (_, size, at) => {
    const made = make()
    made.negotiate()
    expect(made.setQueue(0, size, at)).toBe(0)
    expect(made.read(0x70) & 64).toBe(64)
    expect(made.broken).toHaveLength(1)
    made.negotiate()
    expect(made.setQueue(0)).toBe(1)
    expect(made.read(0x70) & 64).toBe(0)
  })
})

describe('a hostile driver', () => {
  type Made = ReturnType<typeof make>
  const buffer = { address: BUFFERS, length: 4 }
  it.each<[string, RegExp, (made: Made) => void]>([
    [
      'a descriptor that is its own next',
      /loop/,
      ({ describe, offer }) => {
        describe(0, 3, buffer, 3)
        offer(0, 3)
      },
    ],
    [
      'a loop of all descriptors',
      /loop/,
      ({ describe, offer }) => {
        for (let i = 0; i < 8; i++) describe(0, i, buffer, (i + 1) % 8)
        offer(0, 0)
      },
    ],
    ['a head beyond the table', /descriptor 8 in a table of 8/, ({ offer }) => offer(0, 8)],
    [
      'a next beyond the table',
      /descriptor 65535/,
      ({ describe, offer }) => {
        describe(0, 0, buffer, 0xffff)
        offer(0, 0)
      },
    ],
    [
      'a buffer outside of memory',
      /a buffer of 4 bytes at 0x1000/,
      ({ submit }) => submit(0, [{ address: 0x1000, length: 4 }]),
    ],
    [
      'a buffer that ends outside of memory',
      /a buffer of 4294967295/,
      ({ submit }) => submit(0, [{ address: BUFFERS, length: 0xffffffff }]),
    ],
    [
      'a buffer at the end of all addresses',
      /a buffer of 16/,
      ({ submit, ram, rings }) => {
        submit(0, [{ address: 0, length: 16 }])
        ram.write64(rings(0), 2n ** 64n - 1n)
      },
    ],
    [
      'a readable buffer behind a writable one',
      /behind one to write/,
      ({ submit }) => submit(0, [{ ...buffer, write: true }, buffer]),
    ],
    [
      'an indirect descriptor',
      /indirect/,
      ({ describe, offer }) => {
        describe(0, 0, buffer, undefined, 4)
        offer(0, 0)
      },
    ],
    [
      'more chains than the queue has entries',
      /9 chains available in a queue of 8/,
      ({ ram, rings }) => ram.write16(rings(0) + 0x2002, 9),
    ],
    ['an index that went back', /65535 chains/, ({ ram, rings }) => ram.write16(rings(0) + 0x2002, 0xffff)],
  ])('with %s puts the device in need of a reset, in bounded work, and it tells why', (_, reason, act) => {
    const made = make()
    made.up()
    act(made)
    const reads = vi.spyOn(made.ram, 'read16')
    made.write(0x50, 0)
    expect(made.broken[0]).toMatch(reason)
    // Two for each descriptor of a chain that visits all of them, and a few for the ring.
    expect(reads.mock.calls.length).toBeLessThan(2 * 8 + 4)
    reads.mockRestore()
    expect(made.broken).toHaveLength(1)
    expect([made.read(0x70) & 64, made.read(0x60), made.levels, made.device.handled]).toEqual([64, 2, [true], 0])
    made.write(0x50, 0)
    expect(made.broken).toHaveLength(1)
    made.ram.bytes.fill(0)
    made.up()
    expect(roundTrip(made).used).toHaveLength(1)
  })

  it('writes anything anywhere, and the transport neither throws nor hangs', () => {
    const write = fc.oneof(
      fc.record({
        offset: fc.nat({ max: 0x1ff }),
        size: fc.constantFrom<1 | 2 | 4 | 8>(4, 4, 4, 1, 2, 8),
        value: fc.oneof(fc.integer(), fc.constantFrom(0, 1, 3, 11, 15, 8, BASE, BASE + 0x2000)),
      }),
      fc.record({ poke: fc.constant(0x2000), value: fc.nat({ max: 8 }).map((n) => n << 16) }),
      fc.record({
        // Descriptors and the available ring, with values that mean something there.
        poke: fc
          .oneof(
            fc.nat({ max: 0x1f }),
            fc.nat({ max: 4 }).map((n) => 0x800 + n),
          )
          .map((n) => n * 4),
        value: fc.oneof(fc.integer(), fc.constantFrom(0, 1, 2, 0x1_0000, 0x2_0000, 0x3_0000, 0x1_0001, BASE, 64)),
      }),
    )
    let handled = 0
    let broken = 0
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), fc.boolean(), (writes, start) => {
        const made = make()
        if (start) made.up()
        for (let i = 0; i < 8; i++) made.describe(0, i, { address: BUFFERS, length: 4 }, i % 2 ? undefined : i + 1)
        for (const step of writes) {
          if ('poke' in step) made.ram.write32(BASE + step.poke, step.value)
          else {
            made.write(step.offset, step.value, step.size)
            made.read(step.offset, step.size)
          }
          if (start) made.write(0x50, 0)
        }
        handled += made.device.handled
        broken += made.broken.length
        expect(made.transport.interrupt.level).toBe(made.read(0x60) !== 0)
      }),
      { numRuns: 200 },
    )
    // The test is worth something only while requests get through and rules are broken.
    expect(handled).toBeGreaterThan(20)
    expect(broken).toBeGreaterThan(20)
  })
})

describe('saved state of a transport', () => {
  it('goes on as if never stopped', () => {
    const made = make()
    made.up()
    roundTrip(made)
    const saved = JSON.parse(JSON.stringify(made.transport.snapshot()))
    const other = make()
    other.ram.bytes.set(made.ram.bytes)
    other.transport.restore(saved)
    expect(other.transport.snapshot()).toEqual(saved)
    expect([other.levels, other.device.handled]).toEqual([[true], 1])
    // The rings go on where they were: the second chain, the second used entry.
    other.describe(0, 5, { address: BUFFERS, length: 1 })
    other.ram.write16(other.rings(0) + 0x2004 + 2, 5)
    other.ram.write16(other.rings(0) + 0x2002, 2)
    other.write(0x50, 0)
    expect(other.collect(0)).toEqual([
      { head: 0, written: 6 },
      { head: 5, written: 0 },
    ])
  })

  it('is refused by name where it is of another device, of another memory, or none, and changes nothing', () => {
    const made = make()
    made.up()
    const saved = made.transport.snapshot()
    const other = make()
    const before = other.transport.snapshot()
    const [queue, ...rest] = saved.queues
    expect(() => other.transport.restore({ ...saved, deviceId: 2 })).toThrow(/of another device than virtio-reverser/)
    expect(() => other.transport.restore({ ...saved, queues: [] })).toThrow(/of another device/)
    expect(() => other.transport.restore({ ...saved, queues: [{ ...queue!, driver: 0x1000 }, ...rest] })).toThrow(
      /has an available ring at 0x1000/,
    )
    expect(() => other.transport.restore({ ...saved, queues: [{ ...queue!, used: -1 }, ...rest] })).toThrow(
      /queues\[0\] used must be/,
    )
    expect(() => other.transport.restore({ ...saved, device: 'x' })).toThrow('no number')
    expect(other.transport.snapshot()).toEqual(before)
  })
})
