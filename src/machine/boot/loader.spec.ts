/** Loading: the kinds of kernels, where they go, what does not fit, and what is no kernel. */

import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ram } from '../../devices/memory.ts'
import { LoaderError, storeSegments } from './loaded.ts'
import { loadKernel } from './loader.ts'
import { gunzip } from './unpack.ts'

const MIB = 2 ** 20
const ram = { base: 0x4000_0000, size: 64 * MIB }
const text = (value: string) => new TextEncoder().encode(value)

function imageFile({ offset = 0, size = 0x20_0000, flags = 0xa, length = 0x1000 } = {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(length))
  view.setBigUint64(8, BigInt(offset), true)
  view.setBigUint64(16, BigInt(size), true)
  view.setBigUint64(24, BigInt(flags), true)
  view.setUint32(56, 0x644d5241, true)
  view.setUint8(100, 0x77)
  return new Uint8Array(view.buffer)
}

type Segment = { type?: number; offset?: bigint; virtual?: bigint; physical?: bigint; length?: bigint; size?: bigint }

function elfFile(
  segments: Segment[],
  { entry = 0x4010_0000n, machine = 183, bits = 2, order = 1, type = 2, length = 0x1000 } = {},
) {
  const view = new DataView(new ArrayBuffer(length))
  view.setUint32(0, 0x7f454c46)
  view.setUint8(4, bits)
  view.setUint8(5, order)
  view.setUint16(16, type, true)
  view.setUint16(18, machine, order === 1)
  view.setBigUint64(24, entry, true)
  view.setBigUint64(32, 64n, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, segments.length, true)
  for (const [i, segment] of segments.entries()) {
    const at = 64 + i * 56
    view.setUint32(at, segment.type ?? 1, true)
    const physical = segment.physical ?? 0x4010_0000n
    const words = [
      segment.offset ?? 0x800n,
      segment.virtual ?? physical,
      physical,
      segment.length ?? 0x100n,
      segment.size ?? 0x200n,
    ]
    for (const [j, word] of words.entries()) view.setBigUint64(at + 8 + j * 8, word, true)
  }
  for (let i = 0x800; i < 0x900; i++) view.setUint8(i, i & 0xff)
  return new Uint8Array(view.buffer)
}

describe('a Linux Image', () => {
  it('goes 2 MiB into the memory, where QEMU puts it, and keeps the room that it asks for', async () => {
    const file = imageFile()
    const kernel = await loadKernel(file, { ram })
    expect(kernel).toMatchObject({
      kind: 'Linux Image',
      entry: 0x4020_0000,
      start: 0x4020_0000,
      end: 0x4040_0000,
      bootProtocol: true,
    })
    expect(kernel.segments).toEqual([{ address: 0x4020_0000, bytes: file, size: 0x1000 }])
  })

  it('goes to its text offset when it has one, and to 512 KiB when it is so old that it gives no size', async () => {
    expect((await loadKernel(imageFile({ offset: 0x8_0000 }), { ram })).entry).toBe(0x4008_0000)
    expect((await loadKernel(imageFile({ offset: 0x1234, size: 0 }), { ram })).entry).toBe(0x4008_0000)
  })

  it('may be packed with gzip, alone or in an EFI zboot image', async () => {
    const packed = gzipSync(imageFile())
    expect((await loadKernel(packed, { ram })).kind).toBe('Linux Image')
    const zboot = new Uint8Array(0x100 + packed.length)
    zboot.set(text('MZ\0\0zimg'))
    new DataView(zboot.buffer).setUint32(8, 0x100, true)
    new DataView(zboot.buffer).setUint32(12, packed.length, true)
    zboot.set(text('gzip'), 24)
    zboot.set(packed, 0x100)
    expect((await loadKernel(zboot, { ram })).kind).toBe('Linux Image')
    zboot.set(text('zstd'), 24)
    await expect(loadKernel(zboot, { ram })).rejects.toThrow('packed with zstd, and only gzip can be unpacked')
    zboot.set(text('gzip'), 24)
    await expect(loadKernel(zboot.subarray(0, zboot.length - 4), { ram })).rejects.toThrow('cut off')
  })

  it.each<[string, Parameters<typeof imageFile>[0], RegExp]>([
    [
      'too large for the memory',
      { size: 63 * MIB },
      /does not fit: it needs 0x40200000 to 0x440fffff, and memory is 0x40000000 to 0x43ffffff$/,
    ],
    ['of a size beyond all memories', { size: Number.MAX_SAFE_INTEGER }, /does not fit/],
    ['at an offset beyond all memories', { offset: Number.MAX_SAFE_INTEGER }, /does not fit/],
    ['big-endian', { flags: 0xb }, /big-endian/],
  ])('is refused when it is %s', async (_, options, message) => {
    await expect(loadKernel(imageFile(options), { ram })).rejects.toThrow(LoaderError)
    await expect(loadKernel(imageFile(options), { ram })).rejects.toThrow(message)
  })
})

describe('an ELF file', () => {
  it('goes where its segments say, zeros behind them, and starts at its entry', async () => {
    const kernel = await loadKernel(
      elfFile([{}, { type: 4 }, { physical: 0x4020_0000n, length: 0n }], { entry: 0x4010_0010n }),
      { ram },
    )
    expect(kernel).toMatchObject({
      kind: 'ELF',
      entry: 0x4010_0010,
      start: 0x4010_0000,
      end: 0x4020_0200,
      bootProtocol: false,
    })
    const memory = new Ram(ram.base, new Uint8Array(4 * MIB).fill(0xee))
    storeSegments(memory, kernel.segments)
    expect([
      memory.read8(0x4010_0001),
      memory.read8(0x4010_00ff),
      memory.read8(0x4010_0100),
      memory.read8(0x4010_01ff),
    ]).toEqual([1, 0xff, 0, 0])
    expect([memory.read8(0x4010_0200), memory.read8(0x4020_01ff)]).toEqual([0xee, 0])
  })

  it('that is linked at virtual addresses starts at the physical one of its entry', async () => {
    const file = elfFile([{ virtual: 0xffff_0000_0000_0000n }], { entry: 0xffff_0000_0000_0040n })
    expect((await loadKernel(file, { ram })).entry).toBe(0x4010_0040)
  })

  it('starts where it says also when that is a physical address, and its segments have virtual ones', async () => {
    const high = { virtual: 0xffff_0000_4010_0000n }
    expect((await loadKernel(elfFile([high], { entry: 0x4010_0040n }), { ram })).entry).toBe(0x4010_0040)
  })

  it('may name device registers as a segment without bytes: nothing is loaded there', async () => {
    const devices = { physical: 0x0900_0000n, length: 0n }
    const kernel = await loadKernel(elfFile([devices, {}]), { ram })
    expect(kernel).toMatchObject({ start: 0x4010_0000, entry: 0x4010_0000 })
    expect(kernel.segments).toHaveLength(1)
    await expect(loadKernel(elfFile([devices]), { ram })).rejects.toThrow(/nothing to load/)
  })

  it.each<[string, Uint8Array, RegExp]>([
    [
      'for another machine',
      elfFile([{}], { machine: 62 }),
      /is for x86-64, 64 bits, little-endian: it must be for AArch64/,
    ],
    ['of 32 bits', elfFile([{}], { machine: 40, bits: 1 }), /is for 32-bit Arm, 32 bits/],
    ['big-endian', elfFile([{}], { order: 2 }), /is for AArch64, 64 bits, big-endian/],
    ['not linked', elfFile([{}], { type: 1 }), /an object file that was not linked/],
    ['a core dump', elfFile([{}], { type: 4 }), /of type 4, no executable/],
    ['without segments', elfFile([]), /has nothing to load/],
    ['cut off in its header', elfFile([{}]).subarray(0, 60), /cut off in its header/],
    ['cut off in its program headers', elfFile([{}]).subarray(0, 100), /cut off in its program headers/],
    ['cut off in a segment', elfFile([{}]).subarray(0, 0x880), /cut off in its segment 0/],
    ['with a segment far beyond the file', elfFile([{ offset: 2n ** 63n }]), /cut off in its segment 0/],
    ['with a segment outside of memory', elfFile([{ physical: 0x1000n }]), /segment 0 of the ELF file does not fit/],
    ['with a segment of endless length', elfFile([{ size: 2n ** 64n - 1n }]), /does not fit/],
    ['with a segment longer than itself', elfFile([{ size: 0x10n }]), /longer in the file than in memory/],
    ['with segments over each other', elfFile([{}, { physical: 0x4010_0100n }]), /two segments at 0x40100100/],
    ['that starts nowhere', elfFile([{}], { entry: 0n }), /starts at 0x0, which is in none of its segments/],
  ])('is refused when it is %s', async (_, file, message) => {
    await expect(loadKernel(file, { ram })).rejects.toThrow(LoaderError)
    await expect(loadKernel(file, { ram })).rejects.toThrow(message)
  })
})

describe('a flat binary', () => {
  it('goes 512 KiB into the memory, or where it is told to', async () => {
    const file = Uint8Array.of(0x1f, 0x20, 0x03, 0xd5)
    expect(await loadKernel(file, { ram })).toMatchObject({
      kind: 'flat binary',
      entry: 0x4008_0000,
      end: 0x4008_0004,
      bootProtocol: true,
    })
    expect((await loadKernel(file, { ram, address: 0x4100_0000 })).entry).toBe(0x4100_0000)
    await expect(loadKernel(file, { ram, address: 0x43ff_fffe })).rejects.toThrow(/flat binary does not fit/)
  })

  it('may be anything when it is said to be one', async () => {
    expect((await loadKernel(text('hello'), { ram, flat: true })).kind).toBe('flat binary')
  })
})

describe('what is no kernel is named in one line', () => {
  it.each<[string, Uint8Array]>([
    ['text', text('#!/bin/sh\necho this is not a kernel\n')],
    ['packed with xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1)],
    ['a device tree', Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed, 0)],
    ['a cpio archive', text('070701000000')],
    ['Debian packages', text('!<arch>\ndebian-binary')],
    ['a Windows or EFI program', Uint8Array.of(0x4d, 0x5a, 0, 1, 2)],
  ])('%s', async (what, file) => {
    await expect(loadKernel(file, { ram })).rejects.toThrow(LoaderError)
    await expect(loadKernel(file, { ram })).rejects.toThrow(what)
  })

  it('nothing at all', async () => {
    await expect(loadKernel(new Uint8Array(0), { ram })).rejects.toThrow('the kernel is empty')
  })

  it('anything else: it loads or is refused as a LoaderError', async () => {
    const beginnings = [elfFile([{}]), imageFile(), gzipSync(imageFile()), new Uint8Array(200)]
    const damage = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...beginnings),
        damage,
        fc.nat({ max: 0x1000 }),
        async (file, changes, length) => {
          const bytes = Uint8Array.from(file.subarray(0, Math.max(1, length)))
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          try {
            const { segments } = await loadKernel(bytes, { ram })
            for (const { address, size } of segments) {
              expect(address).toBeGreaterThanOrEqual(ram.base)
              expect(address + size).toBeLessThanOrEqual(ram.base + ram.size)
            }
          } catch (error) {
            expect(error).toBeInstanceOf(LoaderError)
            expect((error as Error).message).not.toContain('\n')
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('gzip data', () => {
  it('is unpacked up to the limit and no further', async () => {
    const packed = gzipSync(new Uint8Array(64 * MIB))
    expect(packed.length).toBeLessThan(MIB)
    await expect(gunzip(packed, MIB)).rejects.toThrow("gzip data of more than the memory's 1 MiB")
    expect(await gunzip(gzipSync(text('abc')), 3)).toEqual(text('abc'))
  })

  it('that is damaged or cut off is refused', async () => {
    const packed = gzipSync(imageFile())
    await expect(gunzip(packed.subarray(0, packed.length - 9), MIB)).rejects.toThrow('damaged or cut off')
    await expect(gunzip(Uint8Array.of(0x1f, 0x8b, 1, 2, 3), MIB)).rejects.toThrow(LoaderError)
  })
})
