/**
 * What Advanced SIMD encodings have in common: fields, the width that an instruction works on, reserved size patterns, and
 * the text of its operands. Scalar forms differ from vector forms in bit 28 alone, so one semantic function serves both.
 */
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf } from '../row.ts'
import type { Size, Width } from './lanes.ts'

export const Q: Field = [30, 30]
export const U: Field = [29, 29]
export const SCALAR: Field = [28, 28]
export const SIZE: Field = [23, 22]
export const SZ: Field = [22, 22]
export const Rm: Field = [20, 16]
export const Rn: Field = [9, 5]
export const Rd: Field = [4, 0]

/** Patterns that are unallocated in many groups; the names say which. */
export const noSize0 = 'xxxxxxxx00xxxxxxxxxxxxxxxxxxxxxx'
export const noSize1 = 'xxxxxxxx01xxxxxxxxxxxxxxxxxxxxxx'
export const noSize2 = 'xxxxxxxx10xxxxxxxxxxxxxxxxxxxxxx'
export const noSize3 = 'xxxxxxxx11xxxxxxxxxxxxxxxxxxxxxx'
/** The arrangement 1D of a vector form: size 3 without Q. */
export const no1D = 'x0x0xxxx11xxxxxxxxxxxxxxxxxxxxxx'
/** Its floating-point kin: sz set without Q. */
export const noFp1D = 'x0x0xxxxx1xxxxxxxxxxxxxxxxxxxxxx'

export const isScalar = (e: Emitter): boolean => e.fixed(SCALAR) === 1
export const sizeOf = (e: Emitter): Size => e.fixed(SIZE) as Size
/** The floating-point size: 2 for single, 3 for double. */
export const fpSizeOf = (e: Emitter): 2 | 3 => (e.fixed(SZ) ? 3 : 2)

/** The bits that the instruction works on: one element if scalar, else a half or all of the register. */
export function widthOf(e: Emitter, size: Size): Width {
  if (isScalar(e)) return (8 << size) as Width
  return e.fixed(Q) ? 128 : 64
}

// --- text ------------------------------------------------------------------------------------------------------------

const letters = ['b', 'h', 's', 'd', 'q'] as const

export const element = (size: number): string => letters[size] ?? '?'
export const scalarName = (size: number, register: number): string => `${element(size)}${register}`

/** `v3.8h` by size and total width. */
export function vectorName(register: number, size: number, q: number): string {
  return `v${register}.${(q ? 16 : 8) >> size}${element(size)}`
}

/** A register in the form that the word calls for: `d3` in scalar instructions, else `v3.2d`. */
export function operand(word: number, field: Field, size: number, q = bitsOf(word, Q)): string {
  const register = bitsOf(word, field)
  return bitsOf(word, SCALAR) ? scalarName(size, register) : vectorName(register, size, q)
}

const uniform =
  (fields: readonly Field[], size: (word: number) => number) =>
  (word: number, mnemonic: string): string =>
    `${mnemonic} ${fields.map((field) => operand(word, field, size(word))).join(', ')}`

const integerSize = (word: number): number => bitsOf(word, SIZE)
const fpSize = (word: number): number => 2 + bitsOf(word, SZ)

/** Texts of instructions whose operands all have the same form. */
export const text3 = uniform([Rd, Rn, Rm], integerSize)
export const text2 = uniform([Rd, Rn], integerSize)
export const fpText3 = uniform([Rd, Rn, Rm], fpSize)
export const fpText2 = uniform([Rd, Rn], fpSize)
export const bytesText3 = uniform([Rd, Rn, Rm], () => 0)
export const bytesText2 = uniform([Rd, Rn], () => 0)
