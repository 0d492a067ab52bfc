/** Coalesced writes: order kept, nothing lost, a full ring seen; as the KVM API document describes coalesced MMIO. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Access, type AccessSize, cpuInitiator, type Device } from './access.ts'
import { Bus } from './bus.ts'
import { type CoalescedOptions, CoalescedWrites } from './coalesced.ts'
import { Outcome } from './outcome.ts'

const cpu0 = cpuInitiator(0)
const BASE = 0x1_2000_0000

const line = ({ write, size, offset, low, high, by }: Access) =>
  `${write ? 'W' : 'R'}${size} ${offset.toString(16)} = ${high >>> 0}:${low >>> 0} CPU ${by.cpu}`

function recorder(outcome: Outcome = Outcome.ok): Device & { seen: string[] } {
  const seen: string[] = []
  return {
    name: 'recorder',
    seen,
    access: (access) => {
      seen.push(line(access))
      if (!access.write) access.low = 0x55
      return outcome
    },
  }
}

function setUp(capacity: number, options: CoalescedOptions) {
  const bus = new Bus()
  const ring = new CoalescedWrites('ring', capacity, options)
  bus.register({ base: BASE, size: 0x1000, device: ring })
  return { bus, ring }
}

describe('a coalesced region', () => {
  it('keeps writes with place, width, value and initiator, and drains them in order', () => {
    const device = recorder()
    const { bus, ring } = setUp(8, { behind: device })
    bus.write32(BASE + 4, 0xffffffff, cpu0)
    bus.write64(BASE + 8, 0x1_0000_0002n, cpuInitiator(3))
    bus.write8(BASE + 1, 9, cpu0)
    expect([bus.outcome, ring.waiting, device.seen]).toEqual([Outcome.ok, 3, []])
    const drained: string[] = []
    expect(ring.drain((access) => drained.push(`${line(access)} at ${access.address - BASE}`))).toBe(3)
    expect(drained).toEqual(['W4 4 = 0:4294967295 CPU 0 at 4', 'W8 8 = 1:2 CPU 3 at 8', 'W1 1 = 0:9 CPU 0 at 1'])
    expect([ring.waiting, ring.drain(), device.seen]).toEqual([0, 0, []])
  })

  it('goes on through the end of its ring many times over', () => {
    const { bus, ring } = setUp(3, { full: () => {} })
    for (let i = 0; i < 50; i++) {
      bus.write32(BASE, i, cpu0)
      if (i % 2 === 1) {
        const values: number[] = []
        ring.drain(({ low }) => values.push(low))
        expect(values).toEqual([i - 1, i])
      }
    }
  })

  it('when full, passes what waits and then the new write to the device behind', () => {
    const device = recorder()
    const { bus, ring } = setUp(2, { behind: device })
    for (const value of [1, 2, 3, 4]) expect(bus.write32(BASE, value, cpu0)).toBe(Outcome.ok)
    expect(device.seen.map((entry) => entry.slice(7, 10))).toEqual(['0:1', '0:2', '0:3'])
    expect(ring.waiting).toBe(1)
  })

  it('when full, calls for a drain, and keeps the new write after it', () => {
    const drained: number[] = []
    const { bus, ring } = setUp(2, { full: () => void ring.drain(({ low }) => drained.push(low)) })
    for (const value of [1, 2, 3]) bus.write32(BASE, value, cpu0)
    expect(drained).toEqual([1, 2])
    expect(ring.waiting).toBe(1)
  })

  it('refuses a write as unmapped, an abort by default, when nobody drains a full ring', () => {
    const { bus, ring } = setUp(1, { full: () => {} })
    expect(bus.write32(BASE, 1, cpu0)).toBe(Outcome.ok)
    expect(bus.aborts(bus.write32(BASE, 2, cpu0))).toBe(true)
    const values: number[] = []
    ring.drain(({ low }) => values.push(low))
    expect(values).toEqual([1])
  })

  it('lets no read overtake a write: it drains first and asks the device behind', () => {
    const device = recorder()
    const { bus } = setUp(8, { behind: device })
    bus.write16(BASE + 2, 7, cpu0)
    expect(bus.read32(BASE, cpu0)).toBe(0x55)
    expect(device.seen).toEqual(['W2 2 = 0:7 CPU 0', 'R4 0 = 0:0 CPU 0'])
  })

  it('is write-only without a device behind', () => {
    const { bus, ring } = setUp(8, { full: () => {} })
    bus.read32(BASE, cpu0)
    expect(bus.outcome).toBe(Outcome.mode)
    expect(() => ring.drain()).toThrow(/no device behind/)
  })

  it('counts the writes that the device behind refuses too late for their initiator', () => {
    const { bus, ring } = setUp(8, { behind: recorder(Outcome.reserved) })
    bus.write32(BASE, 1, cpu0)
    bus.write32(BASE, 2, cpu0)
    ring.drain()
    expect(ring.refused).toBe(2)
  })

  it('does bounded work when the device behind writes to the region for every write that it takes', () => {
    let taken = 0
    const echo: Device = {
      name: 'echo',
      access: () => {
        taken++
        bus.write32(BASE, taken, cpu0)
        return Outcome.ok
      },
    }
    const { bus, ring } = setUp(4, { behind: echo })
    for (let i = 0; i < 4; i++) bus.write32(BASE, i, cpu0)
    expect(ring.drain()).toBe(4)
    expect(taken).toBe(4)
    expect(ring.waiting).toBe(4)
    bus.write32(BASE, 99, cpu0)
    expect(taken).toBe(8)
  })

  it('loses and reorders no write, whatever the ring and whenever it is drained', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<AccessSize>(1, 2, 4) },
      { weight: 1, arbitrary: fc.constantFrom('drain' as const, 'read' as const) },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        const device = recorder()
        const { bus, ring } = setUp(capacity, { behind: device })
        const written: string[] = []
        for (const [i, what] of steps.entries()) {
          if (what === 'drain') ring.drain()
          else if (what === 'read') bus.read32(BASE, cpu0)
          else {
            expect(bus.write(BASE + (i % 16) * 8, what, i, 0, cpu0)).toBe(Outcome.ok)
            written.push(`W${what} ${((i % 16) * 8).toString(16)} = 0:${i} CPU 0`)
          }
          expect(ring.waiting).toBeLessThanOrEqual(capacity)
        }
        ring.drain()
        expect(device.seen.filter((entry) => entry.startsWith('W'))).toEqual(written)
      }),
    )
  })

  it.each([0, -1, 1.5, 65_537, Number.NaN])('refuses a ring of %d', (capacity) => {
    expect(() => new CoalescedWrites('ring', capacity, { full: () => {} })).toThrow(/^ring: a ring holds 1 to 65536/)
  })

  it('refuses to be where a full ring could only lose writes', () => {
    expect(() => new CoalescedWrites('ring', 4, {})).toThrow(/^ring: a full ring needs/)
  })
})
