/** Disks: what an overlay keeps, what it leaves alone, and its limit. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesBase, OverlayDisk, readOnlyDisk } from './disk.ts'

describe('a read-only disk', () => {
  it('is whole sectors of its base, zero beyond it, and cannot be written', () => {
    const disk = readOnlyDisk(bytesBase(new Uint8Array(700).fill(7)))
    const bytes = new Uint8Array(1024).fill(1)
    disk.read(0, bytes)
    expect([disk.size, disk.readOnly, bytes[699], bytes[700], bytes[1023]]).toEqual([1024, true, 7, 0, 0])
    expect(() => disk.write(0, bytes)).toThrow('read-only')
  })
})

describe('an overlay', () => {
  it('is its base until written, then what was written last, over any pieces, and its base stays', () => {
    const size = 0x3_0000
    const piece = fc.record({
      offset: fc.nat({ max: size - 1 }),
      length: fc.nat({ max: 0x1_8000 }),
      fill: fc.nat({ max: 255 }),
    })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const bytes = new Uint8Array(size - 100).fill(0xaa)
        const disk = new OverlayDisk(bytesBase(bytes))
        const plain = new Uint8Array(disk.size)
        plain.set(bytes)
        for (const { offset, length, fill } of pieces) {
          const part = new Uint8Array(Math.min(length, disk.size - offset)).fill(fill)
          disk.write(offset, part)
          plain.set(part, offset)
        }
        const whole = new Uint8Array(disk.size)
        disk.read(0, whole)
        expect(Buffer.compare(whole, plain)).toBe(0)
        expect(bytes.every((byte) => byte === 0xaa)).toBe(true)
        expect(disk.kept).toBeLessThanOrEqual(disk.size)
      }),
      { numRuns: 40 },
    )
  })

  it('refuses to keep more than its limit, and goes on with what it has', () => {
    const disk = new OverlayDisk(bytesBase(new Uint8Array(0x4_0000)), { limit: 0x2_0000 })
    const one = Uint8Array.of(1)
    disk.write(0, one)
    disk.write(0x1_0000, one)
    expect(() => disk.write(0x2_0000, one)).toThrow('the overlay has reached its limit of 131072 bytes')
    disk.write(0xffff, one)
    expect(disk.kept).toBe(0x2_0000)
    const bytes = new Uint8Array(1)
    disk.read(0x2_0000, bytes)
    expect(bytes[0]).toBe(0)
  })
})
