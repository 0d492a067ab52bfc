/** RAM as DMA sees it: values, bytes, bounds. */

import { describe, expect, it } from 'vitest'
import { GuestMemoryError, Ram } from './memory.ts'

const BASE = 0x4000_0000

describe('Ram', () => {
  it('holds values of every width, little-endian and at any alignment', () => {
    const ram = new Ram(BASE, new Uint8Array(32))
    ram.write64(BASE + 1, 0x1122334455667788n)
    expect([ram.read8(BASE + 1), ram.read16(BASE + 2), ram.read32(BASE + 5)]).toEqual([0x88, 0x6677, 0x11223344])
    ram.write32(BASE + 1, -2)
    expect([ram.read32(BASE + 1), ram.read64(BASE + 1)]).toEqual([-2, 0x11223344fffffffen])
    ram.write16(BASE + 8, 0xabcd)
    ram.write8(BASE + 8, 0xef)
    expect(ram.read16(BASE + 8)).toBe(0xabef)
    const bytes = new Uint8Array(3)
    ram.read(BASE + 7, bytes)
    expect([...bytes]).toEqual([0x22, 0xef, 0xab])
  })

  it('refuses what does not lie in it whole, wherever that is', () => {
    const ram = new Ram(BASE, new Uint8Array(32))
    const bad: [number, number][] = [
      [BASE - 1, 1],
      [BASE + 32, 1],
      [BASE + 29, 4],
      [0, 1],
      [-1, 1],
      [2 ** 63, 8],
      [Number.NaN, 1],
      [BASE + 0.5, 1],
      [BASE, -1],
      [BASE, 33],
      [BASE, Number.POSITIVE_INFINITY],
    ]
    for (const [address, length] of bad) expect(ram.contains(address, length), `${address}, ${length}`).toBe(false)
    expect(ram.contains(BASE + 32, 0)).toBe(true)
    for (const address of [BASE - 4, BASE + 29, 2 ** 60]) {
      expect(() => ram.read32(address)).toThrow(GuestMemoryError)
      expect(() => ram.write32(address, 1)).toThrow(GuestMemoryError)
      expect(() => ram.read(address, new Uint8Array(4))).toThrow(GuestMemoryError)
      expect(() => ram.write(address, new Uint8Array(4))).toThrow(GuestMemoryError)
    }
    expect(ram.bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('tells of every write, and of no other', () => {
    const written: number[][] = []
    const ram = new Ram(BASE, new Uint8Array(64), {
      written: (address, length) => written.push([address - BASE, length]),
    })
    ram.write8(BASE, 1)
    ram.write16(BASE + 1, 1)
    ram.write32(BASE + 4, 1)
    ram.write64(BASE + 8, 1n)
    ram.write(BASE + 16, new Uint8Array(20))
    ram.read64(BASE)
    expect(() => ram.write(BASE + 60, new Uint8Array(5))).toThrow(GuestMemoryError)
    expect(written).toEqual([
      [0, 1],
      [1, 2],
      [4, 4],
      [8, 8],
      [16, 20],
    ])
  })
})
