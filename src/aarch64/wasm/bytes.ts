/**
 * A growing byte buffer with the variable-length integers of the WebAssembly binary format (LEB128).
 * It knows nothing of sections or instructions.
 */

export class Bytes {
  data: Uint8Array
  length = 0

  constructor(capacity = 256) {
    this.data = new Uint8Array(capacity)
  }

  private grow(extra: number): void {
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.length + extra))
    larger.set(this.data.subarray(0, this.length))
    this.data = larger
  }

  byte(value: number): void {
    if (this.length === this.data.length) this.grow(1)
    this.data[this.length++] = value
  }

  /** Unsigned LEB128 of a number below 2^32. */
  u32(value: number): void {
    value >>>= 0
    while (value > 0x7f) {
      this.byte((value & 0x7f) | 0x80)
      value >>>= 7
    }
    this.byte(value)
  }

  /** Signed LEB128 of a 32-bit number; 0xffffffff and -1 are the same number. */
  s32(value: number): void {
    value |= 0
    for (;;) {
      const low = value & 0x7f
      value >>= 7
      if ((value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)) {
        this.byte(low)
        return
      }
      this.byte(low | 0x80)
    }
  }

  /** Signed LEB128 of a 64-bit number; values of 2^63 and above are taken as their two's complement. */
  s64(value: bigint): void {
    value = BigInt.asIntN(64, value)
    for (;;) {
      const low = Number(value & 0x7fn)
      value >>= 7n
      if ((value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)) {
        this.byte(low)
        return
      }
      this.byte(low | 0x80)
    }
  }

  append(other: Bytes): void {
    if (this.length + other.length > this.data.length) this.grow(other.length)
    this.data.set(other.data.subarray(0, other.length), this.length)
    this.length += other.length
  }

  /** A name: its length in bytes and its UTF-8 bytes. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text)
    this.u32(encoded.length)
    for (const one of encoded) this.byte(one)
  }

  take(): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.length)
    copy.set(this.data.subarray(0, this.length))
    return copy
  }
}
