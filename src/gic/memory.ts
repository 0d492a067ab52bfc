/**
 * Guest memory as the GIC sees it: what holds LPI tables, ITS tables and command queues. The embedder lends it; the GIC never
 * trusts an address that the guest gave without asking `contains` first.
 */

export interface GuestMemory {
  /** Whether all `length` bytes from `address` on are memory that the GIC may read and write. */
  contains(address: number, length: number): boolean
  /** The little-endian 32-bit word at a 4-byte aligned address that is contained, in `| 0` form. */
  read32(address: number): number
  /** Stores a word at a 4-byte aligned address that is contained. */
  write32(address: number, value: number): void
  /** The byte at an address that is contained. */
  read8(address: number): number
  /** Stores the low byte of `value` at an address that is contained. */
  write8(address: number, value: number): void
}

/** A block of bytes from `base` on, as guest memory: for tests, replay, and machines whose RAM is one array. */
export class ByteMemory implements GuestMemory {
  /** First address, in bytes. */
  readonly base: number
  /** The bytes themselves. */
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(base: number, bytes: Uint8Array) {
    this.base = base
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  contains(address: number, length: number): boolean {
    return address >= this.base && length >= 0 && address + length <= this.base + this.bytes.length
  }

  read32(address: number): number {
    return this.#view.getInt32(address - this.base, true)
  }

  /** As of any guest memory. */
  write32(address: number, value: number): void {
    this.#view.setInt32(address - this.base, value, true)
  }

  /** As of any guest memory. */
  read8(address: number): number {
    return this.#view.getUint8(address - this.base)
  }

  /** As of any guest memory. */
  write8(address: number, value: number): void {
    this.#view.setUint8(address - this.base, value)
  }
}
