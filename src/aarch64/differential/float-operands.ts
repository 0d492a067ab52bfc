/**
 * Operands for floating-point instructions: special numbers, numbers near them, and operands that belong together, so that results are
 * exact, tied, cancelled, tiny or huge far more often than with noise. It says nothing about results.
 */
import { specials } from '../isa/fp/differential/cases.ts'
import { bitsOf, type Row } from '../isa/row.ts'
import type { Random } from './random.ts'

/** 1 half, 2 single, 3 double. */
type Size = 1 | 2 | 3

const fractionBits = { 1: 10n, 2: 23n, 3: 52n } as const
const bits = { 1: 16n, 2: 32n, 3: 64n } as const
const biases = { 1: 15, 2: 127, 3: 1023 } as const

const view = new DataView(new ArrayBuffer(8))

function toNumber(size: 2 | 3, value: bigint): number {
  if (size === 3) view.setBigUint64(0, value)
  else view.setUint32(0, Number(value))
  return size === 3 ? view.getFloat64(0) : view.getFloat32(0)
}

function fromNumber(size: 2 | 3, value: number): bigint {
  if (size === 3) view.setFloat64(0, value)
  else view.setFloat32(0, value)
  return size === 3 ? view.getBigUint64(0) : BigInt(view.getUint32(0))
}

/** One number: special, one next to a special one, or of ordinary size with a short, a nearly full or any fraction. */
function number(random: Random, size: Size): bigint {
  const width = bits[size]
  const fraction = fractionBits[size]
  const mask = (1n << width) - 1n
  switch (random.below(4)) {
    case 0:
      return BigInt(specials[size][random.below(specials[size].length)]!)
    case 1: {
      const near = BigInt(specials[size][random.below(specials[size].length)]!)
      return (near + BigInt(random.below(5)) - 2n) & mask
    }
    default: {
      const spread = random.below(3) ? 12 : 2 * biases[size]
      const exponent = BigInt(Math.max(0, biases[size] - (spread >> 1) + random.below(spread)))
      const ones = (1n << fraction) - 1n
      const noise = random.quad() & ones
      const kept = BigInt(random.below(Number(fraction) + 1))
      const low = (1n << (fraction - kept)) - 1n
      const field = [noise, noise & ~low, noise | low][random.below(3)]!
      return (BigInt(random.below(2)) << (width - 1n)) | (exponent << fraction) | field
    }
  }
}

/** Zero, infinity, a quiet and a signaling NaN, the ends of the denormals and of the normal numbers; of either sign. */
function extreme(random: Random, size: Size): bigint {
  const fraction = fractionBits[size]
  const infinity = ((1n << (bits[size] - 1n - fraction)) - 1n) << fraction
  const quiet = infinity | (1n << (fraction - 1n))
  const smallest = 1n << fraction
  const list = [0n, infinity, quiet, infinity | 1n, 1n, smallest - 1n, smallest, infinity - 1n]
  return list[random.below(list.length)]! | (BigInt(random.below(2)) << (bits[size] - 1n))
}

/** A number that has to do with another one: the same, its negative, a neighbour, a multiple by a power of two, its half unit. */
function relative(random: Random, size: Size, a: bigint): bigint {
  const width = bits[size]
  const mask = (1n << width) - 1n
  const sign = 1n << (width - 1n)
  const flip = random.below(2) ? sign : 0n
  switch (random.below(4)) {
    case 0:
      return a ^ flip
    case 1:
      return ((a ^ flip) + BigInt(random.below(5)) - 2n) & mask
    default: {
      // Down or up by so many powers of two: near the width of the fraction, the sum is a tie or just misses one.
      const distance = random.below(2) ? Number(fractionBits[size]) + random.below(4) - 1 : random.below(4)
      const field = (a >> fractionBits[size]) & ((1n << (width - 1n - fractionBits[size])) - 1n)
      const moved = field - BigInt(distance)
      const kept = random.below(2) ? 0n : a & ((1n << fractionBits[size]) - 1n)
      return moved > 0n ? ((a & sign) ^ flip) | (moved << fractionBits[size]) | kept : a ^ flip
    }
  }
}

/** Minus the product, nearly: what a fused addition cancels. */
function cancelling(random: Random, size: Size, a: bigint, b: bigint): bigint {
  if (size === 1) return number(random, size)
  const product = -toNumber(size, a) * toNumber(size, b) * 2 ** -(random.below(2) ? 0 : random.below(60))
  const exact = fromNumber(size, Number.isNaN(product) ? 0 : product)
  const moved = exact + BigInt(random.below(5)) - 2n
  return moved < 0n ? exact : moved & ((1n << bits[size]) - 1n)
}

function sizeOf(random: Random, word: number): Size {
  if (random.below(6) === 0) return (1 + random.below(3)) as Size
  const type = bitsOf(word, [23, 22])
  // Scalar encodings have 11 for half precision; vectors have their size in bit 22.
  return type === 3 && bitsOf(word, [28, 28]) === 1 && bitsOf(word, [30, 30]) === 0 ? 1 : type & 1 ? 3 : 2
}

/** Fills the vector registers that the word names, `v` being 64 halves, low half first. */
export function floatOperands(random: Random, row: Row, word: number, v: bigint[]): void {
  const size = sizeOf(random, word)
  const lanes = 64 >> (size + 2)
  const registers = [bitsOf(word, [9, 5]), bitsOf(word, [20, 16]), bitsOf(word, [14, 10]), bitsOf(word, [4, 0])]
  for (let half = 0; half < 2; half++) {
    const values = [0n, 0n, 0n, 0n]
    const pick = random.below(8) ? number : extreme
    for (let lane = 0; lane < lanes; lane++) {
      const a = pick(random, size)
      const b = random.below(3) ? pick(random, size) : relative(random, size, a)
      // Three operands: the addend is Ra, or Rd of the vector forms.
      const fused = random.below(2) ? cancelling(random, size, a, b) : pick(random, size)
      for (const [index, one] of [a, b, fused, fused].entries()) values[index]! |= one << (BigInt(lane) * bits[size])
    }
    const count = /_floatdp3$/.test(row.name) ? 3 : 2
    for (let index = 0; index < count; index++) v[2 * registers[index]! + half] = values[index]!
    if (/^FML[AS]_/.test(row.name)) v[2 * registers[3]! + half] = values[3]!
  }
}
