/**
 * Guest memory as the board's devices see it: what DMA reads and writes. The CPU has its own way to the same bytes. An address
 * comes from the guest, so every method checks it.
 */

/** A DMA to where there is no memory. Devices turn it into what their specification says of a failed transfer. */
export class GuestMemoryError extends RangeError {
  /** Tells it from other errors. */
  override readonly name = 'GuestMemoryError'
}

/** Values are little-endian and need no alignment. Addresses are in bytes; each method throws a GuestMemoryError outside. */
export interface GuestMemory {
  /** Whether all `length` bytes from `address` on are memory. */
  contains(address: number, length: number): boolean
  /** A byte. */
  read8(address: number): number
  /** A half word, 0 to 0xffff. */
  read16(address: number): number
  /** In `| 0` form. */
  read32(address: number): number
  /** A double word, unsigned. */
  read64(address: number): bigint
  /** Stores the low byte of `value`. */
  write8(address: number, value: number): void
  /** Stores the low half word of `value`. */
  write16(address: number, value: number): void
  /** Stores a word. */
  write32(address: number, value: number): void
  /** Stores a double word. */
  write64(address: number, value: bigint): void
  /** Fills `into` with the bytes from `address` on. */
  read(address: number, into: Uint8Array): void
  /** Stores all of `from` at `address`. */
  write(address: number, from: Uint8Array): void
}

/** Who is told of accesses. */
export interface RamOptions {
  /** Called before each access, with its bytes: what moves them may have to be bounded. */
  accessed?: (length: number) => void
  /** Called after a device's write: a CPU that has translated the bytes there must forget that. */
  written?: (address: number, length: number) => void
}

/** One block of RAM from `base` on, as a view of bytes that may belong to somebody else. */
export class Ram implements GuestMemory {
  /** First address, in bytes. */
  readonly base: number
  /** The bytes themselves: who writes here tells nobody. */
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #accessed: ((length: number) => void) | undefined
  readonly #written: ((address: number, length: number) => void) | undefined

  constructor(base: number, bytes: Uint8Array, options: RamOptions = {}) {
    this.base = base
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#accessed = options.accessed
    this.#written = options.written
  }

  contains(address: number, length: number): boolean {
    return (
      Number.isSafeInteger(address) &&
      Number.isSafeInteger(length) &&
      length >= 0 &&
      address >= this.base &&
      address + length <= this.base + this.bytes.length
    )
  }

  /** A byte. */
  read8(address: number): number {
    return this.#view.getUint8(this.#at(address, 1))
  }

  /** A half word, 0 to 0xffff. */
  read16(address: number): number {
    return this.#view.getUint16(this.#at(address, 2), true)
  }

  read32(address: number): number {
    return this.#view.getInt32(this.#at(address, 4), true)
  }

  /** A double word, unsigned. */
  read64(address: number): bigint {
    return this.#view.getBigUint64(this.#at(address, 8), true)
  }

  /** Stores the low byte of `value`. */
  write8(address: number, value: number): void {
    this.#view.setUint8(this.#at(address, 1), value)
    this.#written?.(address, 1)
  }

  /** Stores the low half word of `value`. */
  write16(address: number, value: number): void {
    this.#view.setUint16(this.#at(address, 2), value, true)
    this.#written?.(address, 2)
  }

  /** Stores a word. */
  write32(address: number, value: number): void {
    this.#view.setInt32(this.#at(address, 4), value, true)
    this.#written?.(address, 4)
  }

  /** Stores a double word. */
  write64(address: number, value: bigint): void {
    this.#view.setBigUint64(this.#at(address, 8), value, true)
    this.#written?.(address, 8)
  }

  read(address: number, into: Uint8Array): void {
    const at = this.#at(address, into.length)
    into.set(this.bytes.subarray(at, at + into.length))
  }

  write(address: number, from: Uint8Array): void {
    this.bytes.set(from, this.#at(address, from.length))
    this.#written?.(address, from.length)
  }

  #at(address: number, length: number): number {
    if (!this.contains(address, length))
      throw new GuestMemoryError(`no memory at 0x${address.toString(16)} for ${length} bytes`)
    this.#accessed?.(length)
    return address - this.base
  }
}
