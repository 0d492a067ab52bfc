/**
 * Integer operations that wasm does not have, as library functions: bit and byte reversal, the high half of a product, CRC32.
 */
import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'

/** Swaps neighbouring groups of `bits` bits of the i64 local 0. */
function swapGroups(code: Code, bits: number, mask: bigint): void {
  code.get(0).i64(bits).op(i64.shr_u).i64(mask).op(i64.and)
  code.get(0).i64(mask).op(i64.and).i64(bits).op(i64.shl)
  code.op(i64.or).set(0)
}

const groupMasks = [
  [1, 0x5555555555555555n],
  [2, 0x3333333333333333n],
  [4, 0x0f0f0f0f0f0f0f0fn],
  [8, 0x00ff00ff00ff00ffn],
  [16, 0x0000ffff0000ffffn],
  [32, 0x00000000ffffffffn],
] as const

export const reverseBits64: LibraryFunction = {
  name: 'reverseBits64',
  parameters: ['i64'],
  results: ['i64'],
  body: (code) => {
    for (const [bits, mask] of groupMasks) swapGroups(code, bits, mask)
    code.get(0)
  },
}

export const reverseBits32: LibraryFunction = {
  name: 'reverseBits32',
  parameters: ['i32'],
  results: ['i32'],
  body: (code, module) => {
    code.get(0).op(i64.extend_i32_u).call(module.indexOf(reverseBits64)).i64(32).op(i64.shr_u, i32.wrap_i64)
  },
}

const byteReversals = new Map<number, LibraryFunction>()

/** Reverses the bytes of each container of 2, 4 or 8 bytes in a 64-bit value. */
export function reverseBytes(container: 2 | 4 | 8): LibraryFunction {
  let found = byteReversals.get(container)
  if (!found) {
    found = {
      name: `reverseBytes${container}`,
      parameters: ['i64'],
      results: ['i64'],
      body: (code) => {
        for (const [bits, mask] of groupMasks) if (bits >= 8 && bits < container * 8) swapGroups(code, bits, mask)
        code.get(0)
      },
    }
    byteReversals.set(container, found)
  }
  return found
}

/** CLS of a 64-bit value: how many bits below the sign bit equal it. */
export const countLeadingSign: LibraryFunction = {
  name: 'countLeadingSign',
  parameters: ['i64'],
  results: ['i64'],
  body: (code) => {
    code.get(0).get(0).i64(1).op(i64.shr_s, i64.xor, i64.clz).i64(1).op(i64.sub)
  },
}

/** The high 64 bits of an unsigned product, from four products of halves. */
export const umulh: LibraryFunction = {
  name: 'umulh',
  parameters: ['i64', 'i64'],
  results: ['i64'],
  body: (code) => {
    const low = 0xffffffffn
    const middle = code.local('i64')
    const other = code.local('i64')
    const half = (local: number, high: boolean) => {
      code.get(local)
      if (high) code.i64(32).op(i64.shr_u)
      else code.i64(low).op(i64.and)
    }
    half(0, false)
    half(1, false)
    code.op(i64.mul).i64(32).op(i64.shr_u)
    half(0, true)
    half(1, false)
    code.op(i64.mul, i64.add).set(middle)
    half(0, false)
    half(1, true)
    code.op(i64.mul).get(middle).i64(low).op(i64.and, i64.add).set(other)
    half(0, true)
    half(1, true)
    code.op(i64.mul).get(middle).i64(32).op(i64.shr_u, i64.add).get(other).i64(32).op(i64.shr_u, i64.add)
  },
}

export const smulh: LibraryFunction = {
  name: 'smulh',
  parameters: ['i64', 'i64'],
  results: ['i64'],
  body: (code, module) => {
    code.get(0).get(1).call(module.indexOf(umulh))
    code.get(0).i64(63).op(i64.shr_s).get(1).op(i64.and, i64.sub)
    code.get(1).i64(63).op(i64.shr_s).get(0).op(i64.and, i64.sub)
  },
}

function makeCrc32(castagnoli: boolean): LibraryFunction {
  return {
    name: castagnoli ? 'crc32c' : 'crc32',
    parameters: ['i32', 'i64', 'i32'],
    results: ['i32'],
    body: (code) => {
      const bits = code.local('i32')
      // Bit by bit: the polynomials 0x04c11db7 and 0x1edc6f41, reflected.
      code.get(2).i32(3).op(i32.shl).set(bits)
      code.loop()
      code.get(0).get(1).op(i32.wrap_i64, i32.xor).i32(1).op(i32.and).if('i32')
      code.i32(castagnoli ? 0x82f63b78 : 0xedb88320)
      code.else().i32(0).end()
      code.get(0).i32(1).op(i32.shr_u, i32.xor).set(0)
      code.get(1).i64(1).op(i64.shr_u).set(1)
      code.get(bits).i32(1).op(i32.sub).tee(bits).brIf(0)
      code.end().get(0)
    },
  }
}

const crcPlain = makeCrc32(false)
const crcCastagnoli = makeCrc32(true)

/** (accumulator, value, bytes) -> accumulator. */
export function crc32(castagnoli: boolean): LibraryFunction {
  return castagnoli ? crcCastagnoli : crcPlain
}
