/**
 * ELF files: segments for their physical addresses, and the physical address of the entry. Relocations and symbols are not
 * read; an ELF file is no Linux kernel, and gets no registers set.
 */

import { checkFits, type LoadedKernel, LoaderError, type LoadOptions, type LoadSegment, viewOf } from './loaded.ts'

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0) === 0x7f45_4c46
}

const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  40: '32-bit Arm',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
}

/** @throws LoaderError for what is none for this machine */
export function elf(bytes: Uint8Array, { ram, flash }: LoadOptions): LoadedKernel {
  const places = flash === undefined ? [ram] : [ram, flash]
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
    checkFits(`segment ${i} of the ELF file`, address, size, places)
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
