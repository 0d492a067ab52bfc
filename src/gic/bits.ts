/** Bit arithmetic on 32-bit words in `| 0` form. */

/** Number of the lowest bit set; nothing of use for 0, which no caller passes. Short enough to be inlined always. */
export function lowestBit(word: number): number {
  return Math.clz32(word & -word) ^ 31
}

/** The bits `count` wide from 0 up; `count` is 0 to 32. */
export function lowBits(count: number): number {
  return count >= 32 ? -1 : (1 << count) - 1
}

/** Four bytes of an array as a little-endian word. */
export function bytesToWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
