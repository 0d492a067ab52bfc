/**
 * What may be put into the machine's memory before it starts: a Linux Image (plain, gzip, or as an EFI zboot of one), an ELF
 * file, or bytes as they are. It reads bytes, and knows no files.
 */

import { elf, isElf } from './elf.ts'
import { checkFits, type LoadedKernel, LoaderError, type LoadOptions, MIB, viewOf } from './loaded.ts'
import { gunzip, isGzip, unpackZboot } from './unpack.ts'

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
  checkFits('the kernel', start, size, [ram])
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
  checkFits('the flat binary', start, bytes.length, [ram])
  const segments = [{ address: start, bytes, size: bytes.length }]
  return { kind: 'flat binary', entry: start, segments, start, end: start + bytes.length, bootProtocol: true }
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
  return isText(bytes.subarray(0, 512)) ? 'text' : undefined
}

/** The beginning of a text in UTF-8, which may be cut anywhere. */
function isText(bytes: Uint8Array): boolean {
  if (!bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127))) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
