/** The bus: what it takes, refuses and finds; what an access carries; what the owner's policy makes of a refusal. */

import { performance } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { type Access, type AccessSize, cpuInitiator, type Device, deviceInitiator } from './access.ts'
import { AccessError, Bus, type Range, RangeConflictError, type RangeSpec } from './bus.ts'
import { defaultPolicy, Outcome, type OutcomeName, outcomeNames, silentPolicy, strictPolicy } from './outcome.ts'

const isLong = Number(process.env['VGIC_STEPS'] ?? 1) > 1

const cpu0 = cpuInitiator(0)

/** A device of bytes, which also notes what it was asked. */
function memory(name: string, size = 0x1000): Device & { bytes: DataView; seen: string[] } {
  const bytes = new DataView(new ArrayBuffer(size))
  const seen: string[] = []
  return {
    name,
    bytes,
    seen,
    access(access: Access) {
      const { offset, write } = access
      seen.push(`${write ? 'W' : 'R'}${access.size} ${offset.toString(16)} by ${access.by.cpu}`)
      for (let i = 0; i < access.size; i++) {
        const shift = (i & 3) * 8
        if (write) bytes.setUint8(offset + i, (i < 4 ? access.low : access.high) >>> shift)
        else if (i < 4) access.low |= bytes.getUint8(offset + i) << shift
        else access.high |= bytes.getUint8(offset + i) << shift
      }
      return Outcome.ok
    },
  }
}

/** A device that answers every access with one outcome. */
function refusing(outcome: Outcome): Device {
  return {
    name: 'refusing',
    access: (access) => {
      access.low = 0x55
      access.high = 0x55
      return outcome
    },
  }
}

describe('registering ranges', () => {
  it('refuses an overlap and names both owners with their addresses', () => {
    const bus = new Bus()
    bus.register({ base: 0x0800_0000, size: 0x1_0000, device: memory('GICD') })
    const attempt = () => bus.register({ base: 0x0800_ffff, size: 2, device: memory('UART') })
    expect(attempt).toThrow(RangeConflictError)
    expect(attempt).toThrow('UART [0x0800ffff, 0x08010000] overlaps GICD [0x08000000, 0x0800ffff]')
  })

  it('names the range and not the device where the range has a name of its own', () => {
    const bus = new Bus()
    bus.register({ base: 0, size: 8, device: memory('flash'), name: 'bank 0' })
    expect(() => bus.register({ base: 4, size: 8, device: memory('flash'), name: 'bank 1' })).toThrow(
      /bank 1 .* overlaps bank 0/,
    )
  })

  it('takes a group whole or not at all: a conflict in the 900th of 1,000 ranges leaves nothing behind', () => {
    const bus = new Bus()
    const there = bus.register({ base: 900 * 0x1000 + 0xfff, size: 1, device: memory('there') })
    const group = Array.from({ length: 1000 }, (_, i) => ({
      base: i * 0x1000,
      size: 0x1000,
      device: memory(`part ${i}`),
    }))
    expect(() => bus.register(...group)).toThrow(/part 900 \[0x00384000, 0x00384fff\] overlaps there/)
    expect(bus.ranges()).toEqual(there)
    for (let i = 0; i < 1000; i++) expect(bus.rangeAt(i * 0x1000)).toBeUndefined()
    // Nothing is left that would get in the way of the same group without its fault.
    bus.unregister(...there)
    expect(bus.register(...group)).toHaveLength(1000)
    expect(bus.rangeAt(900 * 0x1000)?.name).toBe('part 900')
  })

  it('refuses two ranges of one group that overlap each other', () => {
    const bus = new Bus()
    const device = memory('a')
    expect(() => bus.register({ base: 8, size: 8, device }, { base: 0, size: 9, device })).toThrow(RangeConflictError)
    expect(bus.ranges()).toEqual([])
  })

  it.each<[string, Partial<RangeSpec>]>([
    ['empty', { size: 0 }],
    ['of negative size', { size: -4 }],
    ['of half a byte', { size: 0.5 }],
    ['below 0', { base: -4 }],
    ['between bytes', { base: 0.5 }],
    ['nowhere', { base: Number.NaN }],
    ['beyond 52 bits of address', { base: 2 ** 52 - 4, size: 8 }],
    ['endless', { size: Number.POSITIVE_INFINITY }],
  ])('refuses a range that is %s, by name', (_, fault) => {
    const bus = new Bus()
    const spec = { base: 0, size: 4, device: memory('odd'), ...fault }
    expect(() => bus.register({ base: 0x100, size: 4, device: memory('fine') }, spec)).toThrow(RangeError)
    expect(() => bus.register(spec)).toThrow(/^odd /)
    expect(bus.ranges()).toEqual([])
  })

  it('takes the last byte of 52 bits of address', () => {
    const bus = new Bus()
    bus.register({ base: 2 ** 52 - 4, size: 4, device: memory('top') })
    expect(bus.write32(2 ** 52 - 4, 0x1234, cpu0)).toBe(Outcome.ok)
    expect(bus.read16(2 ** 52 - 4, cpu0)).toBe(0x1234)
  })

  // All 100,000 in `npm run test:long`.
  it.each([isLong ? 100_000 : 20_000])(
    'takes %i ranges one by one and in one group, finds each, and lets them go again',
    (count) => {
      const device = memory('many', 16)
      const specs = Array.from({ length: count }, (_, i) => ({ base: i * 0x400, size: 16, device }))
      const start = performance.now()
      const bus = new Bus()
      const singles: Range[] = []
      for (const spec of specs) singles.push(...bus.register(spec))
      const other = new Bus()
      const group = other.registerAll(specs)
      for (const at of [bus, other])
        for (const { base } of specs)
          if (at.rangeAt(base + 15)?.base !== base || at.rangeAt(base + 16) !== undefined)
            expect.fail(`another range than that at 0x${base.toString(16)}`)
      for (const range of singles.slice(0, 1000)) bus.unregister(range)
      expect(bus.ranges()).toHaveLength(count - 1000)
      bus.unregisterAll(singles.slice(1000))
      other.unregisterAll(group)
      expect(bus.ranges()).toEqual([])
      expect(other.ranges()).toEqual([])
      // Some 30 times what it takes on an idle core: it fails for a cost that grows with the number of ranges, not for a slow day.
      expect(performance.now() - start).toBeLessThan(30_000)
    },
  )

  it('lets several ranges share a word, each with its bytes', () => {
    const bus = new Bus()
    const devices = ['a', 'b', 'c'].map((name) => memory(name, 2))
    bus.register(
      { base: 0x1000, size: 1, device: devices[0]! },
      { base: 0x1001, size: 1, device: devices[1]! },
      { base: 0x1002, size: 2, device: devices[2]! },
    )
    bus.write8(0x1000, 0xaa, cpu0)
    bus.write8(0x1001, 0xbb, cpu0)
    bus.write16(0x1002, 0xccdd, cpu0)
    expect([bus.read8(0x1000, cpu0), bus.read8(0x1001, cpu0), bus.read16(0x1002, cpu0)]).toEqual([0xaa, 0xbb, 0xccdd])
    expect(bus.write16(0x1001, 0, cpu0)).toBe(Outcome.unmapped)
    expect(devices[1]!.seen).toEqual(['W1 0 by 0', 'R1 0 by 0'])
  })

  it('finds ranges above 4 GiB and across the boundary', () => {
    const bus = new Bus()
    const [across] = bus.register({ base: 2 ** 32 - 0x800, size: 0x1000, device: memory('across') })
    const [above] = bus.register({ base: 2 ** 40, size: 0x1000, device: memory('above') })
    expect(bus.rangeAt(2 ** 32 - 0x801)).toBeUndefined()
    for (const address of [2 ** 32 - 0x800, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 0x7ff])
      expect(bus.rangeAt(address)).toBe(across)
    expect(bus.rangeAt(2 ** 32 + 0x800)).toBeUndefined()
    expect(bus.rangeAt(2 ** 40 + 0xfff)).toBe(above)
    bus.write64(2 ** 32 - 4, 0x1122334455667788n, cpu0)
    expect(bus.read64(2 ** 32 - 4, cpu0)).toBe(0x1122334455667788n)
  })

  it('keeps a range of almost the whole address space beside small ones', () => {
    const bus = new Bus()
    const device = memory('small', 8)
    const [huge] = bus.register({ base: 0x1000, size: 2 ** 51, device: memory('huge', 8) })
    const [small] = bus.register({ base: 0xff8, size: 8, device })
    expect(bus.rangeAt(0xfff)).toBe(small)
    for (const address of [0x1000, 0x40_0000, 2 ** 32, 2 ** 51 + 0xfff]) expect(bus.rangeAt(address)).toBe(huge)
    expect(bus.rangeAt(2 ** 51 + 0x1000)).toBeUndefined()
  })
})

describe('unregistering and moving', () => {
  it('unregisters all of a group or none', () => {
    const bus = new Bus()
    const [a, b] = bus.register({ base: 0, size: 4, device: memory('a') }, { base: 8, size: 4, device: memory('b') })
    bus.unregister(a!)
    expect(() => bus.unregister(b!, a!)).toThrow(RangeError)
    expect(bus.ranges()).toEqual([b])
    bus.unregister(b!)
    expect(bus.read32(8, cpu0)).toBe(0)
    expect(bus.outcome).toBe(Outcome.unmapped)
  })

  it('refuses a handle of another bus', () => {
    const other = new Bus().register({ base: 0, size: 4, device: memory('a') })
    const bus = new Bus()
    bus.register({ base: 0, size: 4, device: memory('a') })
    expect(() => bus.unregister(...other)).toThrow('not registered')
  })

  it('moves a group over its own old place, and the counters go on', () => {
    const bus = new Bus()
    const ranges = bus.register(
      { base: 0x1000, size: 0x1000, device: memory('a') },
      { base: 0x2000, size: 0x1000, device: memory('b') },
    )
    bus.write32(0x1004, 1, cpu0)
    bus.read32(0x2004, cpu0)
    const moved = bus.move(ranges, 0x1000)
    expect(bus.rangeAt(0x1000)).toBeUndefined()
    expect(bus.read32(0x2004, cpu0)).toBe(1)
    expect(moved.map(({ name, base, reads, writes }) => ({ name, base, reads, writes }))).toEqual([
      { name: 'a', base: 0x2000, reads: 1, writes: 1 },
      { name: 'b', base: 0x3000, reads: 1, writes: 0 },
    ])
    expect(() => bus.move(ranges, 0)).toThrow('not registered')
  })

  it('leaves a group where it is when one of its new places is taken, or is none', () => {
    const bus = new Bus()
    const group = bus.register(
      { base: 0x1000, size: 0x1000, device: memory('a') },
      { base: 0x2000, size: 0x1000, device: memory('b') },
    )
    bus.register({ base: 0x4fff, size: 1, device: memory('wall') })
    expect(() => bus.move(group, 0x2000)).toThrow(/b .* overlaps wall/)
    for (const distance of [-0x1001, 2 ** 52, 0.5, Number.NaN])
      expect(() => bus.move(group, distance)).toThrow(RangeError)
    expect(bus.rangeAt(0x1000)).toBe(group[0])
    expect(bus.rangeAt(0x2000)).toBe(group[1])
  })
})

describe('an access', () => {
  it('must lie whole in one range, at both ends and across two ranges that touch', () => {
    const bus = new Bus()
    bus.register({ base: 0x1000, size: 6, device: memory('a') }, { base: 0x1006, size: 0x100, device: memory('b') })
    const outcomes = [0xffe, 0x1000, 0x1002, 0x1003, 0x1005, 0x1006, 0x1102, 0x1103].map((address) => {
      bus.read32(address, cpu0)
      return outcomeNames[bus.outcome]
    })
    const [ok, no] = ['ok', 'unmapped']
    expect(outcomes).toEqual([no, ok, ok, no, no, ok, ok, no])
  })

  it('reaches the device with offset, width, direction and initiator', () => {
    const bus = new Bus()
    const device = memory('device')
    bus.register({ base: 0x9000, size: 0x1000, device })
    bus.write8(0x9010, 0x1ff, cpuInitiator(3))
    bus.read64(0x9010, deviceInitiator(5))
    expect(device.seen).toEqual(['W1 10 by 3', 'R8 10 by -1'])
    expect(bus.read64(0x9010, cpu0)).toBe(0xffn)
  })

  it('carries values of every width, and reads 8 and 16 bits zero-extended', () => {
    const bus = new Bus()
    bus.register({ base: 0, size: 0x1000, device: memory('device') })
    bus.write64(8, 0xfedcba9876543210n, cpu0)
    expect(bus.read64(8, cpu0)).toBe(0xfedcba9876543210n)
    expect(bus.read32(12, cpu0)).toBe(0xfedcba98)
    expect(bus.read(12, 4, cpu0)).toBe(0xfedcba98 | 0)
    expect(bus.read16(14, cpu0)).toBe(0xfedc)
    expect(bus.read8(15, cpu0)).toBe(0xfe)
    expect(bus.high).toBe(0)
    bus.write16(8, 0x12345, cpu0)
    expect(bus.read32(8, cpu0)).toBe(0x76542345)
  })

  it('swaps the bytes of a big-endian initiator, so that a device sees the order of memory', () => {
    const bus = new Bus()
    const device = memory('device')
    bus.register({ base: 0, size: 0x1000, device })
    const big = cpuInitiator(0, { bigEndian: true })
    bus.write64(0, 0x0102030405060708n, big)
    expect([...new Uint8Array(device.bytes.buffer, 0, 8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(bus.read64(0, big)).toBe(0x0102030405060708n)
    expect(bus.read32(0, big)).toBe(0x01020304)
    expect(bus.read16(2, big)).toBe(0x0304)
    expect(bus.read8(3, big)).toBe(4)
    expect(bus.read32(0, cpu0)).toBe(0x04030201)
    bus.write16(6, 0xaabb, big)
    expect(device.bytes.getUint8(6)).toBe(0xaa)
  })

  it('is cut to its width even when a device answers with more', () => {
    const bus = new Bus()
    const device: Device = {
      name: 'loose',
      access: (access) => {
        access.low = 0xffffffff
        access.high = 0xffffffff
        return Outcome.ok
      },
    }
    bus.register({ base: 0, size: 16, device })
    expect([bus.read(0, 1, cpu0), bus.high]).toEqual([0xff, 0])
    expect([bus.read(0, 2, cpu0), bus.high]).toEqual([0xffff, 0])
    expect([bus.read(0, 4, cpu0), bus.high]).toEqual([-1, 0])
    expect([bus.read(0, 8, cpu0), bus.high]).toEqual([-1, -1])
  })

  it('of no known width, or at no address, is refused and not thrown', () => {
    const bus = new Bus()
    const device = memory('device')
    bus.register({ base: 0, size: 0x1000, device })
    for (const size of [0, 3, 5, 16, -1, Number.NaN]) {
      expect(bus.read(0, size as AccessSize, cpu0)).toBe(0)
      expect(bus.outcome).toBe(Outcome.width)
    }
    for (const address of [-1, -4, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(bus.write(address, 4, 0, 0, cpu0)).toBe(Outcome.unmapped)
    expect(device.seen).toEqual([])
  })

  it('is counted for its range by direction, refused ones included, and nothing else is', () => {
    const bus = new Bus()
    const [a, b] = bus.register(
      { base: 0, size: 8, device: memory('a') },
      { base: 8, size: 8, device: refusing(Outcome.reserved) },
    )
    bus.read32(0, cpu0)
    bus.read8(7, cpu0)
    bus.write32(4, 0, cpu0)
    bus.write32(6, 0, cpu0)
    bus.write32(8, 0, cpu0)
    expect([a!.reads, a!.writes, b!.reads, b!.writes]).toEqual([2, 1, 0, 1])
  })

  it('may nest: the outer one keeps its value, and 8 levels are the end of it', () => {
    const bus = new Bus()
    const by = cpuInitiator(2)
    let calls = 0
    const echo: Device = {
      name: 'echo',
      access: (access) => {
        calls++
        access.low = calls
        const mine = access.low
        bus.read32(0, cpu0)
        access.low = mine
        expect(access.by).toBe(by.cpu === access.by.cpu ? by : cpu0)
        return Outcome.ok
      },
    }
    bus.register({ base: 0, size: 4, device: echo })
    expect(bus.read32(0, by)).toBe(1)
    expect(bus.outcome).toBe(Outcome.ok)
    expect(calls).toBe(8)
    bus.read32(0, by)
    expect(calls).toBe(16)
  })

  it('leaves the bus usable when a device throws', () => {
    const bus = new Bus()
    const broken: Device = {
      name: 'broken',
      access: () => {
        throw new Error('a bug')
      },
    }
    bus.register({ base: 0, size: 4, device: broken }, { base: 4, size: 4, device: memory('fine') })
    for (let i = 0; i < 20; i++) expect(() => bus.read32(0, cpu0)).toThrow('a bug')
    bus.write32(4, 7, cpu0)
    expect(bus.read32(4, cpu0)).toBe(7)
  })

  it('may take its own range off the bus', () => {
    const bus = new Bus()
    const device: Device = {
      name: 'one-shot',
      access: () => {
        bus.unregister(range!)
        return Outcome.ok
      },
    }
    const [range] = bus.register({ base: 0, size: 4, device })
    expect(bus.write32(0, 1, cpu0)).toBe(Outcome.ok)
    expect(bus.write32(0, 1, cpu0)).toBe(Outcome.unmapped)
  })
})

describe('the observer', () => {
  it('sees every access with its address, its range if it has one, its value and its outcome', () => {
    const bus = new Bus()
    bus.register({ base: 0x1_0000_0000, size: 8, device: memory('ram') })
    const seen: string[] = []
    bus.observer = (range, access, outcome) =>
      seen.push(
        `${access.write ? 'W' : 'R'}${access.size} ${access.address.toString(16)} = ${access.low.toString(16)} CPU ${access.by.cpu} ${range?.name} ${outcomeNames[outcome]}`,
      )
    bus.write16(0x1_0000_0002, 0xabcd, cpu0)
    bus.read32(0x1_0000_0000, cpuInitiator(1))
    bus.read32(0x5000, cpuInitiator(1))
    bus.observer = undefined
    bus.read32(0x5000, cpu0)
    expect(seen).toEqual([
      'W2 100000002 = abcd CPU 0 ram ok',
      'R4 100000000 = -54330000 CPU 1 ram ok',
      'R4 5000 = 0 CPU 1 undefined unmapped',
    ])
  })

  it('sees no offset where there is no range that it could be from', () => {
    const bus = new Bus()
    bus.register({ base: 0, size: 16, device: memory('ram') })
    const seen: number[] = []
    bus.observer = (_, access) => seen.push(access.offset)
    bus.read32(8, cpu0)
    bus.read32(0x5000, cpu0)
    expect(seen).toEqual([8, 0])
  })

  it('may make accesses of its own without changing the one that it sees', () => {
    const bus = new Bus()
    bus.register({ base: 0, size: 16, device: memory('ram') })
    bus.write32(0, 0x1111, cpu0)
    bus.write32(8, 0x2222, cpu0)
    let nested = 0
    bus.observer = (_, access) => {
      if (access.address !== 0) return
      nested = bus.read32(8, cpu0)
    }
    expect(bus.read32(0, cpu0)).toBe(0x1111)
    expect(nested).toBe(0x2222)
  })

  it('cannot run away when it reads what it observes', () => {
    const bus = new Bus()
    let calls = 0
    bus.register({ base: 0, size: 16, device: memory('ram') })
    bus.observer = () => {
      calls++
      bus.read32(0, cpu0)
    }
    bus.read32(0, cpu0)
    expect(calls).toBeLessThanOrEqual(9)
  })
})

describe('the policy', () => {
  const refusals = outcomeNames.filter((name): name is Exclude<OutcomeName, 'ok'> => name !== 'ok')

  it.each(refusals)('silent makes %s read as zero and ignore writes', (name) => {
    const bus = new Bus(silentPolicy)
    bus.register({ base: 0, size: 8, device: refusing(Outcome[name]) })
    expect(bus.read64(0, cpu0)).toBe(0n)
    expect(bus.outcome).toBe(Outcome[name])
    expect(bus.aborts(bus.write32(0, 1, cpu0))).toBe(false)
  })

  it.each(refusals)('default makes %s an abort only where nothing is there', (name) => {
    const bus = new Bus()
    bus.register({ base: 0, size: 8, device: refusing(Outcome[name]) })
    expect(bus.read32(0, cpu0)).toBe(0)
    expect(bus.aborts(bus.outcome)).toBe(name === 'unmapped')
    expect(defaultPolicy[name] === 'abort').toBe(name === 'unmapped')
  })

  it.each(refusals)('strict throws %s with the address and the CPU', (name) => {
    const bus = new Bus(strictPolicy)
    bus.register({ base: 0x40, size: 8, device: refusing(Outcome[name]) })
    const by = cpuInitiator(6)
    expect(() => bus.read32(0x40, by)).toThrow(AccessError)
    expect(() => bus.write16(0x44, 0, by)).toThrow(`write of 2 bytes at 0x00000044 by CPU 6: ${name}`)
    expect(bus.outcome).toBe(Outcome[name])
  })

  it('never aborts an access that is ok', () => {
    expect(new Bus(strictPolicy).aborts(Outcome.ok)).toBe(false)
  })
})
