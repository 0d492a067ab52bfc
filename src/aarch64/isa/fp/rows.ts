/**
 * Every floating-point row, scalar and vector, for the decode table. The integer SIMD ones are in simd/rows.ts.
 */
import type { Row } from '../row.ts'
import { guard } from '../simd/guard.ts'
import { rows as scalar } from './scalar.ts'
import { rows as scalarCompare } from './scalar-compare.ts'
import { rows as scalarInteger } from './scalar-integer.ts'
import { rows as scalarRound } from './scalar-round.ts'
import { rows as vectorInteger } from './vector-integer.ts'
import { rows as vectorThree } from './vector-three.ts'
import { rows as vectorTwo } from './vector-two.ts'

export const fpRows: readonly Row[] = [
  scalar,
  scalarCompare,
  scalarRound,
  scalarInteger,
  vectorThree,
  vectorTwo,
  vectorInteger,
]
  .flat()
  .map(guard)
