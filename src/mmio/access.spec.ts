/** Lanes and byte order: among them the seed thread's mask32 and write_mask32 cases, with the answers that memory gives. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Access,
  type AccessSize,
  cpuInitiator,
  deviceInitiator,
  extractLanes,
  laneMask,
  mergeLanes,
  swapBytes,
} from './access.ts'

/** The oracle: a register as the bytes of memory, least significant first, which is what lanes are about. */
function bytesOf(word: number): DataView {
  const view = new DataView(new ArrayBuffer(4))
  view.setInt32(0, word, true)
  return view
}

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const lane = fc.constantFrom<[number, AccessSize]>([0, 1], [1, 1], [2, 1], [3, 1], [0, 2], [2, 2], [0, 4])

describe('lanes of a word', () => {
  it("merges a byte into bits 15:8 and nothing else, where the thread's mask32 cleared `len` bits instead of bytes", () => {
    const old = 0x11223344
    const merged = mergeLanes(old, 0x00 << 8, laneMask(1, 1))
    expect(merged).toBe(0x11220044)
    // The thread: origvalue &= ~((BIT_ULL(len) - 1) << (offset * 8)) clears one bit for a length of one byte.
    expect(old & ~(((1 << 1) - 1) << 8)).not.toBe(merged)
  })

  it('merges a halfword into the upper half', () => {
    expect(mergeLanes(0x11223344, 0xbeef << 16, laneMask(2, 2)) >>> 0).toBe(0xbeef3344)
  })

  it('merges a byte with bit 7 set into the top lane without touching the sign of the rest', () => {
    expect(mergeLanes(0x00aabbcc, 0x80 << 24, laneMask(3, 1)) >>> 0).toBe(0x80aabbcc)
  })

  it('merges as a store to memory does, for every lane of every word', () => {
    fc.assert(
      fc.property(word, word, lane, (old, value, [offset, size]) => {
        const memory = bytesOf(old)
        if (size === 1) memory.setInt8(offset, value)
        else if (size === 2) memory.setInt16(offset, value, true)
        else memory.setInt32(offset, value, true)
        const mask = laneMask(offset, size)
        expect(mergeLanes(old, value << (offset * 8), mask)).toBe(memory.getInt32(0, true))
      }),
    )
  })

  it("extracts as a load from memory does, where the thread's write_mask32 swapped the bytes before it shifted", () => {
    fc.assert(
      fc.property(word, lane, (value, [offset, size]) => {
        const memory = bytesOf(value)
        const expected =
          size === 1 ? memory.getUint8(offset) : size === 2 ? memory.getUint16(offset, true) : memory.getInt32(0, true)
        expect(extractLanes(value, offset, size)).toBe(expected)
      }),
    )
  })

  it('gives byte 3 of 0x11223344 to a load of offset 3, which a shift after a swap to big endian would answer with 0x44', () => {
    expect(extractLanes(0x11223344, 3, 1)).toBe(0x11)
    const swappedFirst = (0x44332211 >>> 24) & 0xff
    expect(swappedFirst).toBe(0x44)
  })

  it('numbers lanes within the word, whatever the word', () => {
    expect(laneMask(0x407, 1)).toBe(0xff000000 | 0)
    expect(extractLanes(0x7fffffff, 0x406, 2)).toBe(0x7fff)
  })
})

describe('swapBytes', () => {
  it.each<[AccessSize, number, number, number, number]>([
    [1, 0x11, 0, 0x11, 0],
    [2, 0x1122, 0, 0x2211, 0],
    [4, 0x11223344, 0, 0x44332211, 0],
    [4, 0x112233ff, 0, 0xff332211 | 0, 0],
    [8, 0x55667788, 0x11223344, 0x44332211, 0x88776655 | 0],
  ])('reverses the %i bytes of an access', (size, low, high, swappedLow, swappedHigh) => {
    const access = new Access()
    Object.assign(access, { size, low, high })
    swapBytes(access)
    expect([access.low, access.high]).toEqual([swappedLow, swappedHigh])
    swapBytes(access)
    expect([access.low, access.high]).toEqual([low, high])
  })
})

describe('initiators', () => {
  it('are Non-secure and little-endian unless said, and a device is no CPU', () => {
    expect(cpuInitiator(3)).toEqual({ cpu: 3, secure: false, bigEndian: false })
    expect(cpuInitiator(0, { secure: true, bigEndian: true })).toEqual({ cpu: 0, secure: true, bigEndian: true })
    expect(deviceInitiator(7)).toMatchObject({ cpu: -1, secure: false, deviceId: 7 })
  })
})
