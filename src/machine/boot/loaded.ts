/**
 * What loading comes to: bytes for places in the memory, where to start, and one clear error for what cannot be loaded. Reading
 * the kinds of files is `loader.ts` and `elf.ts`.
 */

import type { GuestMemory } from '../../devices/memory.ts'
import { MOST_MEMORY, type Place } from '../board/virt-map.ts'

/** A file that cannot be loaded: says why in one line. */
export class LoaderError extends Error {
  /** Tells it from other errors. */
  override readonly name: string = 'LoaderError'
  /** Which of the files it is about, where that is known. */
  about: 'kernel' | 'initrd' | 'dtb' | undefined
}

/** A file that would fit a larger memory. */
export class NoRoomError extends LoaderError {
  override readonly name = 'NoRoomError'
}

/** Bytes for memory; `size` of them, of which those that `bytes` has not are zero. */
export interface LoadSegment {
  /** First address, in bytes. */
  readonly address: number
  /** What goes there. */
  readonly bytes: Uint8Array
  /** In bytes; what is beyond `bytes` is zero. */
  readonly size: number
}

/** A kernel as it goes into memory. */
export interface LoadedKernel {
  /** What the file was. */
  readonly kind: 'Linux Image' | 'ELF' | 'flat binary'
  /** Physical address of the first instruction. */
  readonly entry: number
  /** What goes where. */
  readonly segments: readonly LoadSegment[]
  /** First address that it uses, and the one behind its last, with what it says that it needs free. */
  readonly start: number
  /** First address behind all of it, what it zeroes included. */
  readonly end: number
  /** It expects the address of a device tree in X0 (the Linux boot protocol); an ELF file is on its own. */
  readonly bootProtocol: boolean
}

/** Where kernels may go. */
export interface LoadOptions {
  /** Memory that may be loaded into. */
  ram: Place
  /** Flash that may be loaded into too, by an ELF file that is linked for it. */
  flash?: Place
  /** Where a flat binary goes; 512 KiB into the memory unless given, as with QEMU. */
  address?: number
  /** Take the file for a flat binary, whatever it looks like. */
  flat?: boolean
}

export const MIB = 2 ** 20

/** Puts segments into memory. */
export function storeSegments(memory: Pick<GuestMemory, 'write'>, segments: readonly LoadSegment[]): void {
  for (const { address, bytes, size } of segments) {
    memory.write(address, bytes)
    if (size > bytes.length) memory.write(address + bytes.length, new Uint8Array(size - bytes.length))
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Throws a LoaderError unless what is loaded lies in one of the places. */
export function checkFits(what: string, start: number, size: number, places: readonly Place[]): void {
  if (places.some((place) => start >= place.base && size <= place.base + place.size - start)) return
  const range = (base: number, length: number) => `0x${base.toString(16)} to 0x${(base + length - 1).toString(16)}`
  const ram = places[0]!
  // No memory of the board starts lower or goes further.
  const possible = start >= ram.base && start + size <= ram.base + MOST_MEMORY
  throw new (possible ? NoRoomError : LoaderError)(
    `${what} does not fit: it needs ${range(start, size)}, and memory is ${range(ram.base, ram.size)}`,
  )
}

export function mib(bytes: number): string {
  return bytes < MIB ? `${bytes} bytes` : `${Math.round((bytes / MIB) * 10) / 10} MiB`
}
