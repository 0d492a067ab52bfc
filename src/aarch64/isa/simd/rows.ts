/**
 * Every integer Advanced SIMD row, for the decode table. The floating-point ones are in fp/rows.ts. SIMD loads and stores are not here.
 */
import type { Row } from '../row.ts'
import { rows as across } from './across.ts'
import { rows as byElement } from './by-element.ts'
import { rows as copy } from './copy.ts'
import { guard } from './guard.ts'
import { rows as immediate } from './immediate.ts'
import { rows as permute } from './permute.ts'
import { rows as shiftImmediate } from './shift-immediate.ts'
import { rows as shiftRegister } from './shift-register.ts'
import { rows as threeDifferent } from './three-different.ts'
import { rows as threeSame } from './three-same.ts'
import { rows as twoRegister } from './two-register.ts'

export const simdRows: readonly Row[] = [
  threeSame,
  shiftRegister,
  threeDifferent,
  twoRegister,
  across,
  copy,
  immediate,
  permute,
  shiftImmediate,
  byElement,
]
  .flat()
  .map(guard)
