/**
 * What exclusives, ordered accesses, swaps and atomics have in common: their fields, how they access memory, and how they are written.
 */

import type { AccessOptions } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { Rn } from '../fields.ts'
import { bitsOf } from '../row.ts'
import { spName } from '../text.ts'

export const size: Field = [31, 30]
export const bit30: Field = [30, 30]
export const L22: Field = [22, 22]
export const aligned: AccessOptions = { aligned: true }
export const atomic: AccessOptions = { aligned: true, atomic: true }

export const memoryOperand = (word: number): string => `[${spName(bitsOf(word, Rn), true)}]`
