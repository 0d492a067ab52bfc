/**
 * One access in flight, and who makes it. Values are 32-bit words in `| 0` form, because a JavaScript number above 2^31 - 1
 * would be allocated; a 64-bit value is two of them. Nothing here knows a register.
 */

/** Width of an access in bytes. */
export type AccessSize = 1 | 2 | 4 | 8

/** Who makes an access. Keep one object per CPU (and Security state) and pass it along: the bus never copies it. */
export interface Initiator {
  /** Index of the CPU, from 0; -1 for a device's own access (an MSI, DMA). */
  readonly cpu: number
  /** Security state of the access. Devices without a notion of security ignore it. */
  readonly secure: boolean
  /** The initiator stores and loads its values most significant byte first. */
  readonly bigEndian: boolean
  /** The DeviceID that an MSI carries to an ITS; only for devices. */
  readonly deviceId?: number
}

/** The initiator of a CPU's accesses: Non-secure and little-endian unless said. */
export function cpuInitiator(cpu: number, options: { secure?: boolean; bigEndian?: boolean } = {}): Initiator {
  return { cpu, secure: options.secure ?? false, bigEndian: options.bigEndian ?? false }
}

/** The initiator of a device's own writes, as an MSI is. */
export function deviceInitiator(deviceId = 0): Initiator {
  return { cpu: -1, secure: false, bigEndian: false, deviceId }
}

const nobody: Initiator = { cpu: -1, secure: false, bigEndian: false }

/** Filled by the bus, read and answered by a device. Valid only during the call: never keep it. */
export class Access {
  /** As the initiator gave it, in bytes: for those who report an access. A device goes by `offset`. */
  address = 0
  /** From the base of the range, in bytes; 0 where no range holds the access. */
  offset = 0
  /** Width in bytes. */
  size: AccessSize = 4
  /** A store; else a load. */
  write = false
  /** The value written, or the answer of a read: right-aligned, bits above `size` zero. */
  low = 0
  /** Bits 63:32 of an 8-byte access, else 0. */
  high = 0
  /** Who makes it. */
  by: Initiator = nobody
}

/** A device on a bus: one method for both directions, so that a call site on the path of every access is one. */
export interface Device {
  /** Stands in errors, and in what lists a bus. */
  readonly name: string
  /**
   * Carries one access out: reads `low` and `high`, or fills them in. Returns an Outcome, and throws for nothing that
   * a guest can do.
   */
  access(access: Access): number
}

/** The bits of a right-aligned value that an access of this width carries (its low word). */
export function sizeMask(size: AccessSize): number {
  return size === 1 ? 0xff : size === 2 ? 0xffff : -1
}

/** The two low bytes of a word, exchanged; the rest is zero. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
}

/** The four bytes of a word in reverse, in `| 0` form. */
export function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)
}

/** Turns the value of an access between little and big endian, in place. */
export function swapBytes(access: Access): void {
  if (access.size === 2) access.low = swap16(access.low)
  else if (access.size === 4) access.low = swap32(access.low)
  else if (access.size === 8) {
    const low = access.low
    access.low = swap32(access.high)
    access.high = swap32(low)
  }
}

/** Puts the lanes `mask` of `value` over `old`: what the seed thread's mask32 was meant to do. */
export function mergeLanes(old: number, value: number, mask: number): number {
  return (old & ~mask) | (value & mask)
}

/** The lanes of the 32-bit word that an access of `size` bytes at byte `offset` touches. */
export function laneMask(offset: number, size: AccessSize): number {
  return size >= 4 ? -1 : sizeMask(size) << ((offset & 3) * 8)
}

/** `size` bytes of a word from byte `offset` on: what the seed thread's write_mask32 was meant to do. */
export function extractLanes(word: number, offset: number, size: AccessSize): number {
  return size >= 4 ? word : (word >>> ((offset & 3) * 8)) & sizeMask(size)
}
