/** Guest memory of a replay: what was stored, zero elsewhere, pages for two-level tables, and its bounds. */

import { describe, expect, it } from 'vitest'
import { TraceMemory, type TwoLevelTable } from './guest-memory.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

function table(base = 0x4210_0000, pageSize = 65536): { -readonly [K in keyof TwoLevelTable]: TwoLevelTable[K] } {
  return { valid: true, indirect: true, base, pageSize, entries: 65536 }
}

const pageOf = (memory: TraceMemory, descriptor: number): number =>
  (memory.read32(descriptor + 4) & 0xf_ffff) * 2 ** 32 + ((memory.read32(descriptor) & 0xffff_0000) >>> 0)

describe('the guest memory of a replay', () => {
  it('holds what was stored, across pages, little-endian, and zero elsewhere', () => {
    const memory = new TraceMemory()
    memory.store(0x4000_0ffe, bytes(0x11, 0x22, 0x33, 0x84))
    expect([memory.read8(0x4000_0ffe), memory.read8(0x4000_0fff), memory.read8(0x4000_1000)]).toEqual([
      0x11, 0x22, 0x33,
    ])
    expect(memory.read32(0x4000_1000)).toBe(0x8433)
    memory.write32(0xf_0000_0000, -2)
    expect(memory.read32(0xf_0000_0000)).toBe(-2)
    expect(memory.read32(0x4000_2000)).toBe(0)
  })

  it('is not there beyond addresses of 52 bits, and takes no bytes there', () => {
    const memory = new TraceMemory()
    expect(memory.contains(2 ** 52 - 4, 4)).toBe(true)
    expect(memory.contains(2 ** 52 - 4, 8)).toBe(false)
    memory.store(2 ** 60, bytes(1, 2, 3, 4))
    expect(memory.read8(2 ** 52 - 1)).toBe(0)
  })

  it('fills at 64 MiB and says so, instead of growing', () => {
    const memory = new TraceMemory()
    for (let page = 0; page < 16384; page++) memory.write8(page * 4096, 1)
    expect(memory.full).toBe(false)
    memory.write8(16384 * 4096, 1)
    expect(memory.full).toBe(true)
    expect(memory.read8(16384 * 4096)).toBe(0)
    // What is there goes on.
    memory.write8(0, 7)
    expect(memory.read8(0)).toBe(7)
  })
})

describe('the first level of a two-level table (IHI 0069 12.19.1, GITS_BASER.Indirect)', () => {
  it('reads as valid pointers to zeroed pages of its own, one for each descriptor', () => {
    const memory = new TraceMemory()
    memory.lendPagesTo([table()])
    const descriptors = Array.from({ length: 8 }, (_, i) => 0x4210_0000 + 8 * i)
    const pages = descriptors.map((at) => pageOf(memory, at))
    expect(descriptors.every((at) => memory.read32(at + 4) < 0)).toBe(true)
    expect(new Set(pages).size).toBe(8)
    expect(pages.every((page) => page % 65536 === 0 && memory.contains(page, 65536))).toBe(true)
    memory.write32(pages[3]! + 8, 0x55)
    expect(pages.map((page) => memory.read32(page + 8))).toEqual([0, 0, 0, 0x55, 0, 0, 0, 0])
    // Again, the same pages.
    expect(descriptors.map((at) => pageOf(memory, at))).toEqual(pages)
  })

  it('is zero behind the last descriptor, and where the table is flat or not valid', () => {
    const memory = new TraceMemory()
    const it = table()
    memory.lendPagesTo([it])
    expect(memory.read32(0x4210_0044)).toBe(0)
    it.indirect = false
    expect(memory.read32(0x4210_0004)).toBe(0)
    it.indirect = true
    it.valid = false
    expect(memory.read32(0x4210_0004)).toBe(0)
  })

  it('is what the trace says where it says so, valid or not', () => {
    const memory = new TraceMemory()
    memory.lendPagesTo([table()])
    memory.store(0x4210_0000, bytes(0, 0, 0x50, 0x42, 0, 0, 0, 0x80))
    memory.store(0x4210_0008, bytes(0, 0, 0, 0, 0, 0, 0, 0))
    expect(pageOf(memory, 0x4210_0000)).toBe(0x4250_0000)
    expect(memory.read32(0x4210_000c)).toBe(0)
    expect(memory.read32(0x4210_0014)).toBeLessThan(0)
  })

  it('has new pages once the table is elsewhere, and keeps them while it is not', () => {
    const memory = new TraceMemory()
    const it = table()
    memory.lendPagesTo([it])
    const first = pageOf(memory, 0x4210_0000)
    memory.write32(first, 1)
    memory.tablesChanged()
    expect(memory.read32(first)).toBe(1)
    it.base = 0x4310_0000
    memory.tablesChanged()
    expect(memory.read32(first)).toBe(0)
    expect(pageOf(memory, 0x4310_0000)).not.toBe(first)
    expect(memory.read32(0x4210_0004)).toBe(0)
  })
})
