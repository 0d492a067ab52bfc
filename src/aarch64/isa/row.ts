/**
 * The shape of a row of the decode table, and how rows are written down: a group is one class of encodings that share a semantic
 * function, and each of its rows is Arm's own encoding name with its bit pattern. No semantics here.
 *
 * To add instructions from another file, export a `readonly Row[]` and add it to the list in `rows.ts`:
 *
 *   export const rows: readonly Row[] = group({
 *     fields: 'sf:31 op:30 S:29 shift:23-22 N:21 Rm:20-16 imm6:15-10 Rn:9-5 Rd:4-0',
 *     split: [[23, 22]],                      // fields whose value the semantic function needs as a constant, in any tier
 *     emit: logicalShifted,                   // (e: Emitter) => void
 *     text: (word, name) => `${name} ...`,    // the disassembly
 *     encodings: [
 *       ['AND_32_log_shift', '00001010xx0xxxxxxxxxxxxxxxxxxxxx'],
 *       ['AND_64_log_shift', '10001010xx0xxxxxxxxxxxxxxxxxxxxx', ['xxxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx']],   // third: unallocated within it
 *     ],
 *   })
 *
 * A semantic function asks `e.fixed(field)` for what its pattern, or `split`, fixes, and emits code for everything else.
 */
import type { Emitter } from './emitter.ts'
import type { Field } from './fields.ts'

/** What a configuration may have or not have; everything else of ARMv8.0-A is always there. */
export const features = [
  'FEAT_LSE',
  'FEAT_CRC32',
  'FEAT_PAN',
  'FEAT_AES',
  'FEAT_PMULL',
  'FEAT_SHA1',
  'FEAT_SHA256',
] as const
export type Feature = (typeof features)[number]

export interface Row {
  /** Arm's encoding name, e.g. `ADD_64_addsub_imm`. */
  readonly name: string
  /** 32 characters, bit 31 first: 0, 1, or x for an operand. */
  readonly pattern: string
  readonly fields: string
  /** Patterns inside this one that are unallocated: UNDEFINED. */
  readonly unallocated: readonly string[]
  /** Patterns inside this one that need a feature of their own, and are unallocated without it. */
  readonly optional: readonly (readonly [pattern: string, feature: Feature])[]
  readonly split: readonly Field[]
  /** More special patterns inside this one that deserve a handler of their own: speed only, no other meaning. */
  readonly variants: readonly string[]
  readonly feature: Feature | undefined
  /** Subject to CPACR_EL1.FPEN: the tier emits the trap. */
  readonly fp: boolean
  /** The semantic function needs none of the bits that tell its rows apart, so that one handler may serve several of them. */
  readonly merge: boolean
  readonly emit: (e: Emitter) => void
  readonly text: (word: number, mnemonic: string, address: bigint) => string
}

export interface Group {
  readonly fields: string
  readonly emit: (e: Emitter) => void
  /** Full text of an instruction. `mnemonic` is the row's name up to the first underscore, in lower case. `address` is that of the instruction. */
  readonly text: (word: number, mnemonic: string, address: bigint) => string
  readonly split?: readonly Field[]
  readonly variants?: readonly string[]
  readonly unallocated?: readonly string[]
  readonly optional?: Row['optional']
  readonly feature?: Feature
  readonly fp?: boolean
  readonly merge?: boolean
  readonly encodings: readonly (readonly [name: string, pattern: string, unallocated?: readonly string[]])[]
}

export function group(group: Group): readonly Row[] {
  return group.encodings.map(([name, pattern, unallocated = []]) => {
    if (!/^[01x]{32}$/.test(pattern)) throw new Error(`${name}: a pattern is 32 characters of 0, 1 and x`)
    return {
      name,
      pattern,
      fields: group.fields,
      unallocated: [...(group.unallocated ?? []), ...unallocated],
      optional: group.optional ?? [],
      split: group.split ?? [],
      variants: group.variants ?? [],
      feature: group.feature,
      fp: group.fp ?? false,
      merge: group.merge ?? false,
      emit: group.emit,
      text: group.text,
    }
  })
}

/** The fixed bits of a pattern: a word matches when `(word & mask) === value` (both taken unsigned). */
export function patternBits(pattern: string): { mask: number; value: number } {
  let mask = 0
  let value = 0
  for (const char of pattern) {
    mask = mask * 2 + (char === 'x' ? 0 : 1)
    value = value * 2 + (char === '1' ? 1 : 0)
  }
  return { mask: mask >>> 0, value: value >>> 0 }
}

/** The value of a field in an instruction word. */
export function bitsOf(word: number, [msb, lsb]: Field): number {
  return (word >>> lsb) & (msb - lsb === 31 ? -1 : (1 << (msb - lsb + 1)) - 1)
}
