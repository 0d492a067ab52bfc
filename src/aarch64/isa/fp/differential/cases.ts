/**
 * Random test cases: instruction words within the rows' patterns, register values crowded with special numbers, every FPCR mode.
 * Deterministic from a seed. It says nothing about results.
 */
import type { Row } from '../../row.ts'
import { CASE, caseBytes } from './qemu.ts'

/** xorshift32: good enough for operands, and the same everywhere. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0 || 1
  }

  next(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return x >>> 0
  }

  below(limit: number): number {
    return this.next() % limit
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }
}

/** Encodings by element size (1 half, 2 single, 3 double): zeros, infinities, NaNs, denormals, the ends of ranges, ties. */
export const specials = {
  1: [0, 0x8000, 0x3c00, 0xbc00, 1, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x7d01, 0xfe55, 0x7fff, 0x8001],
  2: [
    0, 0x80000000, 0x3f7fffff, 0x3f800000, 0xbf800000, 1, 0x80000001, 0x7fffff, 0x800000, 0x80800000, 0x7f7fffff,
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f812345, 0xff800001, 0x3f000000, 0x3fc00000, 0x40200000,
    0x4b000001, 0x4f000000, 0x4effffff, 0xcf000000, 0x4f800000, 0x5f000000, 0x5f800000, 0x477fefff, 0x477ff000,
    0x33000000, 0x33800001, 0x38800000, 0x387fffff, 0x7e800000, 0x7f000000, 0x00400000, 0x00200000, 0x001fffff,
    0x80000000,
  ],
  3: [
    0n,
    1n << 63n,
    0x3fefffffffffffffn,
    0x3ff0000000000000n,
    0xbff0000000000000n,
    1n,
    0x800fffffffffffffn,
    0x10000000000000n,
    0x7fefffffffffffffn,
    0x7ff0000000000000n,
    0xfff0000000000000n,
    0x7ff8000000000000n,
    0xfff8123456789abcn,
    0x7ff0123456789abcn,
    0xfff0000000000001n,
    0x3fe0000000000000n,
    0x4004000000000000n,
    0x41e0000000000000n,
    0x41dfffffffe00000n,
    0xc1e0000000200000n,
    0x41f0000000000000n,
    0x43e0000000000000n,
    0xc3e0000000000000n,
    0x43dfffffffffffffn,
    0x43f0000000000000n,
    0x43efffffffffffffn,
    0x36a0000000000000n,
    0x3690000000000000n,
    0x380fffffffffffffn,
    0x3810000000000000n,
    0x47efffffe0000000n,
    0x47effffff0000000n,
    0x3e60000000000000n,
    0x40effc0000000000n,
    0x40f0000000000000n,
    0x7fd0000000000000n,
    0x7fe0000000000000n,
    0x0008000000000000n,
  ],
} as const

const integers = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 63n, ~0n]

/** Sixteen bytes: a mixture of special numbers of one size, near-equal exponents, integers, and noise. */
function fillVector(view: DataView, at: number, random: Random): void {
  const kind = random.below(8)
  if (kind === 0) for (let i = 0; i < 16; i += 4) view.setUint32(at + i, random.next(), true)
  else if (kind === 1) for (let i = 0; i < 16; i += 2) view.setUint16(at + i, random.pick(specials[1]), true)
  else if (kind === 2) for (let i = 0; i < 16; i += 4) view.setUint32(at + i, random.pick(specials[2]), true)
  else if (kind === 3) for (let i = 0; i < 16; i += 8) view.setBigUint64(at + i, random.pick(specials[3]), true)
  else if (kind === 4) {
    // Singles of ordinary size.
    for (let i = 0; i < 16; i += 4)
      view.setUint32(at + i, (random.next() & 0x807fffff) | ((110 + random.below(40)) << 23), true)
  } else if (kind === 5) {
    for (let i = 0; i < 16; i += 8) {
      const high = (random.next() & 0x800fffff) | ((1000 + random.below(80)) << 20)
      view.setUint32(at + i + 4, high, true)
      // Half of them with short fractions, so that some operations are exact.
      view.setUint32(at + i, random.below(2) ? random.next() : 0, true)
    }
  } else if (kind === 6)
    for (let i = 0; i < 16; i++)
      view.setUint8(at + i, random.pick([0, 1, 0x7f, 0x80, 0x81, 0xff, random.below(256), random.below(40)]))
  else for (let i = 0; i < 16; i += 8) view.setBigUint64(at + i, BigInt.asUintN(64, random.pick(integers)), true)
}

const fpcrModes = [
  0,
  0,
  0,
  1 << 24,
  1 << 24,
  1 << 22,
  2 << 22,
  3 << 22,
  1 << 24,
  1 << 25,
  1 << 26,
  (1 << 24) | (3 << 22),
  0x7c00000,
]
const fpsrStates = [0, 0x10, 0x10, 0x08000010, 0x9f]

/** Fills a case's registers and system registers. */
export function fillCase(bytes: Uint8Array, index: number, random: Random): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index * caseBytes, caseBytes)
  for (let v = 0; v < 32; v++) fillVector(view, CASE.V + 16 * v, random)
  for (let x = 0; x < 16; x++) {
    const value = random.below(2) ? random.pick(integers) : (BigInt(random.next()) << 32n) | BigInt(random.next())
    view.setBigUint64(
      CASE.X + 8 * x,
      BigInt.asUintN(64, random.below(3) ? value : value >> BigInt(random.below(64))),
      true,
    )
  }
  view.setBigUint64(CASE.FPCR, BigInt(random.pick(fpcrModes) >>> 0), true)
  view.setBigUint64(CASE.FPSR, BigInt(random.pick(fpsrStates) >>> 0), true)
  view.setBigUint64(CASE.NZCV, BigInt((random.below(16) << 28) >>> 0), true)
  view.setBigUint64(CASE.ESR, 0n, true)
}

/** Rows with a general register: `Rd` or `Rn` by which side it is on. The agent keeps X16 to X30 for itself. */
const generalDestination = /_float2int|_float2fix|asimdins_[WX]_[wx]/
const generalSource = /_float2int|_float2fix|asimdins_(DR|IR)_r/

/** A random word of the row's pattern. It may be one of the unallocated ones inside it. */
export function randomWord(row: Row, random: Random): number {
  let word = 0
  for (const char of row.pattern) word = (word << 1) | (char === 'x' ? random.below(2) : Number(char))
  const tame = (lsb: number) => {
    const register = (word >>> lsb) & 31
    if (register > 15 && register < 31) word &= ~(16 << lsb)
  }
  if (generalDestination.test(row.name)) tame(0)
  if (generalSource.test(row.name)) tame(5)
  return word >>> 0
}
