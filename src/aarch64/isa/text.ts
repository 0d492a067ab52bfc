/**
 * Pieces of disassembly: register names, immediates, shifts. Text only, after the conventions of Arm's assembly syntax; aliases
 * (mov, cmp, lsl) are chosen by the classes that have them.
 */

import type { Field } from './fields.ts'
import { Rd, Rm, Rn, sf } from './fields.ts'
import { bitsOf } from './row.ts'

export function xName(n: number, wide: number | boolean): string {
  return n === 31 ? (wide ? 'xzr' : 'wzr') : `${wide ? 'x' : 'w'}${n}`
}

export function spName(n: number, wide: number | boolean): string {
  return n === 31 ? (wide ? 'sp' : 'wsp') : `${wide ? 'x' : 'w'}${n}`
}

export function x(word: number, field: Field, wide: number | boolean): string {
  return xName(bitsOf(word, field), wide)
}

export function xsp(word: number, field: Field, wide: number | boolean): string {
  return spName(bitsOf(word, field), wide)
}

export function signed(word: number, field: Field): number {
  const width = field[0] - field[1] + 1
  return (bitsOf(word, field) << (32 - width)) >> (32 - width)
}

export const shiftNames = ['lsl', 'lsr', 'asr', 'ror'] as const
export const extendNames = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'] as const
export const conditionNames = [
  'eq',
  'ne',
  'cs',
  'cc',
  'mi',
  'pl',
  'vs',
  'vc',
  'hi',
  'ls',
  'ge',
  'lt',
  'gt',
  'le',
  'al',
  'nv',
] as const

/** Hexadecimal of a number or a 64-bit value. */
export function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
}

/** `, lsl #3`, or nothing for a shift by 0. */
export function shifted(type: number, amount: number): string {
  return amount === 0 && type === 0 ? '' : `, ${shiftNames[type]} #${amount}`
}

export function shiftedRegister(word: number, wide: number | boolean): string {
  return x(word, Rm, wide) + shifted(bitsOf(word, [23, 22]), bitsOf(word, [15, 10]))
}

/** A branch target. */
export function target(address: bigint, offset: number): string {
  return hex(BigInt.asUintN(64, address + BigInt(offset)))
}

/** The value of a bitmask immediate (DecodeBitMasks), or undefined where it is reserved. */
export function bitmaskImmediate(n: number, immr: number, imms: number): bigint | undefined {
  const combined = (n << 6) | (~imms & 0x3f)
  const length = 31 - Math.clz32(combined)
  if (length < 1) return undefined
  const size = 1 << length
  const levels = size - 1
  const s = imms & levels
  const r = immr & levels
  if (s === levels) return undefined
  const ones = (1n << BigInt(s + 1)) - 1n
  const rotated = ((ones >> BigInt(r)) | (ones << BigInt(size - r))) & ((1n << BigInt(size)) - 1n)
  let value = 0n
  for (let at = 0; at < 64; at += size) value |= rotated << BigInt(at)
  return value
}

/** `add x0, x1, x2`: three registers of the width that bit 31 says. */
export function three(word: number, name: string): string {
  const wide = bitsOf(word, sf)
  return `${name} ${x(word, Rd, wide)}, ${x(word, Rn, wide)}, ${x(word, Rm, wide)}`
}
