/** Where the initial RAM disk and the device tree go: QEMU's places, seen in its `info roms`. */

import { describe, expect, it } from 'vitest'
import { layOut } from './layout.ts'
import type { LoadedKernel } from './loaded.ts'

const MIB = 2 ** 20
const ram = { base: 0x4000_0000, size: 64 * MIB }
const flash = { base: 0, size: 64 * MIB }

describe('the layout', () => {
  const kernel = (start: number, end: number, bootProtocol = true): LoadedKernel => ({
    kind: bootProtocol ? 'Linux Image' : 'ELF',
    entry: start,
    segments: [{ address: start, bytes: new Uint8Array(4), size: end - start }],
    start,
    end,
    bootProtocol,
  })
  const linux = kernel(0x4020_0000, 0x4140_0000)

  it('puts the RAM disk in the middle of the memory or 128 MiB up, and the tree 2 MiB-aligned behind it', () => {
    expect(layOut(linux, ram, 0x12_3456, 0x4000)).toEqual({
      initrd: { start: 0x4200_0000, end: 0x4212_3456 },
      dtb: 0x4220_0000,
    })
    expect(layOut(linux, { base: 0x4000_0000, size: 2 ** 30 }, undefined, 0x4000)).toEqual({
      initrd: undefined,
      dtb: 0x4800_0000,
    })
  })

  it('makes way for a large kernel', () => {
    expect(layOut(kernel(0x4020_0000, 0x4280_0001), ram, 10, 10).initrd).toEqual({
      start: 0x4280_1000,
      end: 0x4280_100a,
    })
  })

  it('puts the tree of an ELF file at the start of the memory when there is room, with an initial RAM disk too', () => {
    const elf = kernel(0x4008_0000, 0x4009_0000, false)
    expect(layOut(elf, ram, undefined, 0x8_0000, flash).dtb).toBe(0x4000_0000)
    expect(layOut(elf, ram, 0x1000, 0x8_0000, flash)).toEqual({
      initrd: { start: 0x4200_0000, end: 0x4200_1000 },
      dtb: 0x4000_0000,
    })
  })

  it('puts it at the start of the flash for an ELF file at the start of the memory, and behind both for one that is in both', () => {
    const elf = kernel(0x4000_0000, 0x4009_0000, false)
    expect(layOut(elf, ram, undefined, 0x4000, flash).dtb).toBe(0)
    expect(layOut(elf, ram, undefined, 0x4000).dtb).toBe(0x4200_0000)
    const both = { ...elf, segments: [...elf.segments, { address: 0, bytes: new Uint8Array(4), size: 4 }] }
    expect(layOut(both, ram, undefined, 0x4000, flash).dtb).toBe(0x4200_0000)
  })

  it('refuses what does not fit, and says what is left', () => {
    expect(() => layOut(linux, ram, 40 * MIB, 10)).toThrow(
      "the initial RAM disk of 40 MiB does not fit: 32 MiB of the memory's 64 MiB are left behind the kernel",
    )
    expect(() => layOut(linux, ram, 31 * MIB, 2 * MIB)).toThrow(/device tree of 2097152 bytes does not fit/)
  })
})
