/** Doorbells: what rings one, what does not, and where that goes; on the bus, as the KVM API document describes ioeventfd. */

import { describe, expect, it } from 'vitest'
import { type Access, type AccessSize, cpuInitiator, type Device } from './access.ts'
import { Bus } from './bus.ts'
import { type Doorbell, DoorbellConflictError, Doorbells } from './doorbell.ts'
import { Outcome, outcomeNames } from './outcome.ts'

const cpu0 = cpuInitiator(0)
const BASE = 0x0a00_0000

function setUp(behind?: Device) {
  const bus = new Bus()
  const doorbells = new Doorbells('doorbells', behind)
  bus.register({ base: BASE, size: 0x200, device: doorbells })
  const rung: string[] = []
  const bell = (name: string, offset: number, size: AccessSize | 'any', match?: number | bigint): Doorbell => ({
    name,
    offset,
    size,
    ...(match === undefined ? {} : { match }),
    ring: ({ size, low, by }) => rung.push(`${name}: ${size} bytes, ${low >>> 0}, CPU ${by.cpu}`),
  })
  const add = (...args: Parameters<typeof bell>) => {
    const one = bell(...args)
    doorbells.add(one)
    return one
  }
  const write = (offset: number, size: AccessSize, value: number, high = 0) =>
    outcomeNames[bus.write(BASE + offset, size, value, high, cpu0)]
  return { bus, doorbells, rung, add, write }
}

/** Notes what reaches it. */
function behind(): Device & { seen: string[] } {
  const seen: string[] = []
  return {
    name: 'behind',
    seen,
    access: (access: Access) => {
      seen.push(`${access.write ? 'W' : 'R'}${access.size} ${access.offset} ${access.low}`)
      if (!access.write) access.low = 0x77
      return Outcome.ok
    },
  }
}

describe('a doorbell', () => {
  it('rings for a write at its place and of its width, whatever the value, with who wrote', () => {
    const { add, write, rung } = setUp()
    add('notify', 0x50, 4)
    expect([write(0x50, 4, 7), write(0x50, 4, -1)]).toEqual(['ok', 'ok'])
    expect(rung).toEqual(['notify: 4 bytes, 7, CPU 0', 'notify: 4 bytes, 4294967295, CPU 0'])
  })

  it('of any width rings for every one', () => {
    const { add, write, rung } = setUp()
    add('notify', 0x50, 'any')
    for (const size of [1, 2, 4, 8] as const) expect(write(0x50, size, 1)).toBe('ok')
    expect(rung).toHaveLength(4)
  })

  it('is silent for another width, another place, a place inside of it, and a read', () => {
    const { bus, add, write, rung } = setUp()
    add('notify', 0x50, 4)
    expect([write(0x50, 2, 7), write(0x50, 8, 7), write(0x54, 4, 7), write(0x51, 1, 7), write(0x4e, 4, 7)]).toEqual(
      Array(5).fill('reserved'),
    )
    expect(bus.read32(BASE + 0x50, cpu0)).toBe(0)
    expect(bus.outcome).toBe(Outcome.mode)
    expect(rung).toEqual([])
  })

  it('shares its place with others that match other values, and each rings for its own', () => {
    const { add, write, rung } = setUp()
    for (const queue of [0, 1, 2]) add(`queue ${queue}`, 0x50, 4, queue)
    add('short', 0x50, 2, 1)
    expect([write(0x50, 4, 2), write(0x50, 4, 0), write(0x50, 2, 1), write(0x50, 4, 3)]).toEqual([
      'ok',
      'ok',
      'ok',
      'reserved',
    ])
    expect(rung.map((line) => line.split(':')[0])).toEqual(['queue 2', 'queue 0', 'short'])
  })

  it('matches all 64 bits, and a value with its top bit set', () => {
    const { add, write, rung } = setUp()
    add('wide', 0, 8, 0x8000_0001_0000_0002n)
    add('high', 8, 4, 0xffff_fffe)
    expect([write(0, 8, 2, 0x8000_0001 | 0), write(0, 8, 2, 1), write(8, 4, -2)]).toEqual(['ok', 'reserved', 'ok'])
    expect(rung).toHaveLength(2)
  })

  it('passes what is not its own to the device behind, and keeps what is', () => {
    const device = behind()
    const { bus, add, write, rung } = setUp(device)
    add('queue 1', 0x50, 4, 1)
    write(0x50, 4, 1)
    write(0x50, 4, 2)
    write(0x60, 1, 3)
    expect(bus.read32(BASE + 0x50, cpu0)).toBe(0x77)
    expect(rung).toHaveLength(1)
    expect(device.seen).toEqual(['W4 80 2', 'W1 96 3', 'R4 80 0'])
  })

  it('sees the bytes of memory of a big-endian initiator, as every device does', () => {
    const { bus, add, rung } = setUp()
    add('queue 1', 0x50, 4, 1)
    bus.write32(BASE + 0x50, 0x0100_0000, cpuInitiator(3, { bigEndian: true }))
    expect(rung).toEqual(['queue 1: 4 bytes, 1, CPU 3'])
  })

  it.each<[string, AccessSize | 'any', number | undefined, AccessSize | 'any', number | undefined]>([
    ['the same twice', 4, 1, 4, 1],
    ['two without a match', 4, undefined, 4, undefined],
    ['one for every value and one for one', 4, undefined, 4, 1],
    ['one for every width and one for one', 'any', undefined, 2, 1],
    ['two for every width', 'any', undefined, 'any', undefined],
  ])('is refused where a write could ring two: %s, in either order', (_, size, match, otherSize, otherMatch) => {
    for (const [a, b] of [
      [
        [size, match],
        [otherSize, otherMatch],
      ],
      [
        [otherSize, otherMatch],
        [size, match],
      ],
    ] as const) {
      const { add, write, rung } = setUp()
      add('old', 0x50, ...a!)
      expect(() => add('new', 0x50, ...b!)).toThrow(DoorbellConflictError)
      expect(() => add('new', 0x50, ...b!)).toThrow('doorbells new and old at offset 0x50 would ring together')
      add('elsewhere', 0x54, ...b!)
      write(0x50, 4, 1)
      write(0x50, 2, 1)
      expect(rung.every((line) => line.startsWith('old'))).toBe(true)
    }
  })

  it.each<[string, AccessSize | 'any', number | bigint]>([
    ['a match without a width', 'any', 1],
    ['a match too wide for a byte', 1, 256],
    ['a negative match', 4, -1],
    ['a match too wide for 64 bits', 8, 2n ** 64n],
    ['a fraction', 4, 1.5],
  ])('is refused by name with %s', (_, size, match) => {
    expect(() => setUp().add('odd', 0, size, match)).toThrow(/^doorbell odd: /)
  })

  it.each([-4, 0.5, Number.NaN])('is refused at offset %d', (offset) => {
    expect(() => setUp().add('odd', offset, 4)).toThrow(RangeError)
  })

  it('is silent once removed, which leaves its neighbours and its place free', () => {
    const { doorbells, add, write, rung } = setUp()
    const one = add('one', 0x50, 4, 1)
    add('two', 0x50, 4, 2)
    doorbells.remove(one)
    expect([write(0x50, 4, 1), write(0x50, 4, 2)]).toEqual(['reserved', 'ok'])
    expect(() => doorbells.remove(one)).toThrow(/one is not here/)
    add('one again', 0x50, 4, 1)
    write(0x50, 4, 1)
    expect(rung.map((line) => line.split(':')[0])).toEqual(['two', 'one again'])
  })
})
