/**
 * What may be put into the machine's memory before it starts: a Linux Image (plain, gzip, or as an EFI zboot of one), an ELF
 * file, or bytes as they are; and where the initial RAM disk and the device tree go. It reads bytes, and knows no files.
 */

import type { GuestMemory } from './memory.ts'
import type { Place } from './virt-map.ts'

/** A file that cannot be loaded: says why in one line. */
export class LoaderError extends Error {
  override readonly name = 'LoaderError'
}

/** Bytes for memory; `size` of them, of which those that `bytes` has not are zero. */
export interface LoadSegment {
  readonly address: number
  readonly bytes: Uint8Array
  readonly size: number
}

export interface LoadedKernel {
  readonly kind: 'Linux Image' | 'ELF' | 'flat binary'
  /** Physical address of the first instruction. */
  readonly entry: number
  readonly segments: readonly LoadSegment[]
  /** First address that it uses, and the one behind its last, with what it says that it needs free. */
  readonly start: number
  readonly end: number
  /** It expects the address of a device tree in X0 (the Linux boot protocol); an ELF file is on its own. */
  readonly bootProtocol: boolean
}

export interface LoadOptions {
  /** Memory that may be loaded into. */
  ram: Place
  /** Where a flat binary goes; 512 KiB into the memory unless given, as with QEMU. */
  address?: number
  /** Take the file for a flat binary, whatever it looks like. */
  flat?: boolean
}

const MIB = 2 ** 20
const IMAGE_MAGIC = 0x644d_5241
const IMAGE_HEADER = 64
const OLD_TEXT_OFFSET = 0x8_0000
/** QEMU keeps the first page for itself, so that an Image without an offset goes 2 MiB up. */
const BOOT_PAGE = 0x1000

/** Reads a kernel of any kind. Throws a LoaderError for what is none, or does not fit the memory. */
export async function loadKernel(file: Uint8Array, options: LoadOptions): Promise<LoadedKernel> {
  if (file.length === 0) throw new LoaderError('the kernel is empty')
  if (options.flat) return flatBinary(file, options)
  const bytes = isGzip(file) ? await gunzip(file, options.ram.size) : await unpackZboot(file, options.ram.size)
  if (isElf(bytes)) return elf(bytes, options)
  if (isImage(bytes)) return image(bytes, options)
  const what = foreign(bytes)
  if (what !== undefined)
    throw new LoaderError(`the kernel is ${what}, not an arm64 Image, an ELF file or a flat binary`)
  return flatBinary(bytes, options)
}

export interface BootLayout {
  readonly initrd: { readonly start: number; readonly end: number } | undefined
  /** Where the device tree goes. */
  readonly dtb: number
}

/**
 * Places the initial RAM disk and the device tree in what the kernel leaves: the disk in the middle of the memory or 128 MiB
 * up, the tree behind it. Sizes are in bytes. Throws a LoaderError when something does not fit.
 */
export function layOut(kernel: LoadedKernel, ram: Place, initrdSize: number | undefined, dtbSize: number): BootLayout {
  const end = ram.base + ram.size
  // Beside a kernel that does not start at the very beginning, the tree may go there, where small guests look for it.
  if (!kernel.bootProtocol && initrdSize === undefined && kernel.start - ram.base >= dtbSize)
    return { initrd: undefined, dtb: ram.base }
  const middle = ram.base + Math.min(ram.size / 2, 128 * MIB)
  const start = alignUp(Math.max(middle, kernel.end), 0x1000)
  const behind = start + (initrdSize ?? 0)
  if (behind > end)
    throw new LoaderError(
      `the initial RAM disk of ${mib(initrdSize ?? 0)} does not fit: ${mib(Math.max(0, end - start))} of the memory's ${mib(ram.size)} are left behind the kernel`,
    )
  const dtb = alignUp(behind, 2 * MIB)
  if (dtb + dtbSize > end)
    throw new LoaderError(
      `the device tree of ${dtbSize} bytes does not fit behind the kernel and the initial RAM disk in ${mib(ram.size)} of memory`,
    )
  return { initrd: initrdSize === undefined ? undefined : { start, end: behind }, dtb }
}

/** Puts segments into memory. */
export function storeSegments(memory: GuestMemory, segments: readonly LoadSegment[]): void {
  for (const { address, bytes, size } of segments) {
    memory.write(address, bytes)
    if (size > bytes.length) memory.write(address + bytes.length, new Uint8Array(size - bytes.length))
  }
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Unpacks gzip data. Throws a LoaderError when it is damaged, or is more than `limit` bytes: it is never unpacked further. */
export async function gunzip(packed: Uint8Array, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(packed)
      controller.close()
    },
  })
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > limit) throw new LoaderError(`gzip data of more than the memory's ${mib(limit)}`)
      chunks.push(value)
    }
  } catch (error) {
    await reader.cancel().catch(() => {})
    if (error instanceof LoaderError) throw error
    throw new LoaderError('gzip data that is damaged or cut off')
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function isImage(bytes: Uint8Array): boolean {
  return bytes.length >= IMAGE_HEADER && viewOf(bytes).getUint32(56, true) === IMAGE_MAGIC
}

/** Documentation/arch/arm64/booting: text offset, image size and flags are little-endian 64-bit words from 8 on. */
function image(bytes: Uint8Array, { ram }: LoadOptions): LoadedKernel {
  const view = viewOf(bytes)
  const said = view.getBigUint64(16, true)
  const offset = said === 0n ? OLD_TEXT_OFFSET : Number(view.getBigUint64(8, true))
  if (view.getBigUint64(24, true) & 1n)
    throw new LoaderError('the kernel is a big-endian Image, and only little-endian ones run')
  const start = ram.base + offset + (offset < BOOT_PAGE ? 2 * MIB : 0)
  const size = Math.max(bytes.length, Number(said))
  checkFits('the kernel', start, size, ram)
  return {
    kind: 'Linux Image',
    entry: start,
    segments: [{ address: start, bytes, size: bytes.length }],
    start,
    end: start + size,
    bootProtocol: true,
  }
}

function flatBinary(bytes: Uint8Array, { ram, address }: LoadOptions): LoadedKernel {
  const start = address ?? ram.base + OLD_TEXT_OFFSET
  checkFits('the flat binary', start, bytes.length, ram)
  const segments = [{ address: start, bytes, size: bytes.length }]
  return { kind: 'flat binary', entry: start, segments, start, end: start + bytes.length, bootProtocol: true }
}

/** An EFI zboot image is a small program with a packed Image in it (Linux, drivers/firmware/efi/libstub/zboot-header.S). */
async function unpackZboot(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  if (bytes.length < IMAGE_HEADER || viewOf(bytes).getUint32(4, true) !== 0x676d_697a) return bytes
  const view = viewOf(bytes)
  const [offset, size] = [view.getUint32(8, true), view.getUint32(12, true)]
  const method = text(bytes.subarray(24, 56))
  if (method !== 'gzip')
    throw new LoaderError(`the kernel is an EFI zboot image packed with ${method}, and only gzip can be unpacked`)
  if (offset + size > bytes.length) throw new LoaderError('the kernel is an EFI zboot image that is cut off')
  return gunzip(bytes.subarray(offset, offset + size), limit)
}

function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0) === 0x7f45_4c46
}

const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  40: '32-bit Arm',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
}

function elf(bytes: Uint8Array, { ram }: LoadOptions): LoadedKernel {
  const fail = (why: string): never => {
    throw new LoaderError(`the ELF file ${why}`)
  }
  if (bytes.length < 64) fail('is cut off in its header')
  const view = viewOf(bytes)
  const machine = view.getUint16(18, bytes[5] !== 2)
  if (bytes[4] !== 2 || bytes[5] !== 1 || machine !== 183)
    fail(
      `is for ${ELF_MACHINES[machine] ?? `machine ${machine}`}, ${bytes[4] === 2 ? 64 : 32} bits, ${bytes[5] === 1 ? 'little' : 'big'}-endian: it must be for AArch64, 64 bits, little-endian`,
    )
  const type = view.getUint16(16, true)
  if (type !== 2 && type !== 3)
    fail(type === 1 ? 'is an object file that was not linked' : `is of type ${type}, no executable`)
  const table = Number(view.getBigUint64(32, true))
  const [entrySize, count] = [view.getUint16(54, true), view.getUint16(56, true)]
  if (entrySize !== 56 || table + count * 56 > bytes.length) fail('is cut off in its program headers')

  const wanted = view.getBigUint64(24, true)
  let entry: number | undefined
  const segments: LoadSegment[] = []
  for (let i = 0; i < count; i++) {
    const at = table + i * 56
    const word = (offset: number) => view.getBigUint64(at + offset, true)
    if (view.getUint32(at, true) !== 1 || word(40) === 0n) continue
    const [offset, virtual, address, length, size] = [word(8), word(16), Number(word(24)), word(32), Number(word(40))]
    if (length > word(40)) fail(`has a segment ${i} that is longer in the file than in memory`)
    if (offset + length > BigInt(bytes.length)) fail(`is cut off in its segment ${i}`)
    // A linker script may name device registers as a section: there is nothing to load.
    if (length === 0n && address + size <= ram.base) continue
    checkFits(`segment ${i} of the ELF file`, address, size, ram)
    if (wanted >= virtual && wanted < virtual + BigInt(size)) entry ??= address + Number(wanted - virtual)
    segments.push({ address, bytes: bytes.subarray(Number(offset), Number(offset + length)), size })
  }
  if (segments.length === 0) fail('has nothing to load')
  // A kernel linked for virtual addresses may give its entry as the physical one that it has before it turns its MMU on.
  if (segments.some(({ address, size }) => wanted >= address && wanted < address + size)) entry ??= Number(wanted)
  if (entry === undefined) return fail(`starts at 0x${wanted.toString(16)}, which is in none of its segments`)
  segments.sort((a, b) => a.address - b.address)
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1]
    if (before !== undefined && before.address + before.size > segment.address)
      fail(`has two segments at 0x${segment.address.toString(16)}`)
  }
  const last = segments[segments.length - 1]!
  const [start, end] = [segments[0]!.address, last.address + last.size]
  return { kind: 'ELF', entry, segments, start, end, bootProtocol: false }
}

function checkFits(what: string, start: number, size: number, ram: Place): void {
  if (start >= ram.base && size <= ram.base + ram.size - start) return
  const range = (base: number, length: number) => `0x${base.toString(16)} to 0x${(base + length - 1).toString(16)}`
  throw new LoaderError(
    `${what} does not fit: it needs ${range(start, size)}, and memory is ${range(ram.base, ram.size)}`,
  )
}

/** Beginnings of files that people take for kernels: offset, bytes in hexadecimal, what it is. */
const FOREIGN: readonly (readonly [number, string, string])[] = [
  [0, 'fd377a585a00', 'packed with xz'],
  [0, '28b52ffd', 'packed with zstd'],
  [0, '425a68', 'packed with bzip2'],
  [0, '02214c18', 'packed with lz4'],
  [0, '04224d18', 'packed with lz4'],
  [0, '27051956', 'a U-Boot image (uImage)'],
  [0, 'd00dfeed', 'a device tree or FIT image'],
  [0, '504b0304', 'a zip archive'],
  [0, '213c617263683e', 'an ar archive, as Debian packages are'],
  [0, '303730373031', 'a cpio archive, as initial RAM disks are'],
  [0x24, '18286f01', 'a zImage for 32-bit Arm'],
  [0x202, '48647253', 'a bzImage for x86'],
  [0, '4d5a', 'a Windows or EFI program of another machine'],
]

function foreign(bytes: Uint8Array): string | undefined {
  for (const [at, magic, what] of FOREIGN) {
    const there = Array.from(bytes.subarray(at, at + magic.length / 2), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('')
    if (there === magic) return what
  }
  const start = bytes.subarray(0, 512)
  return start.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
    ? 'text'
    : undefined
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end))
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}

function mib(bytes: number): string {
  return bytes < MIB ? `${bytes} bytes` : `${Math.round((bytes / MIB) * 10) / 10} MiB`
}
