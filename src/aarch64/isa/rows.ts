/**
 * The decode table: every row that this CPU implements. Order does not matter; a row with more fixed bits wins over one that it overlaps.
 * To add a file of instructions, import its rows here.
 */
import { fpRows } from './fp/rows.ts'
import type { Row } from './row.ts'
import { addSubtractRows } from './semantics/add-subtract.ts'
import { atomicRows } from './semantics/atomics.ts'
import { branchRows } from './semantics/branch.ts'
import { compareSwapRows } from './semantics/compare-swap.ts'
import { conditionalRows } from './semantics/conditional.ts'
import { exclusiveRows } from './semantics/exclusive.ts'
import { immediateRows } from './semantics/immediate.ts'
import { loadStoreRows } from './semantics/load-store.ts'
import { logicalShiftedRows } from './semantics/logical.ts'
import { sourceRows } from './semantics/sources.ts'
import { structureRows } from './semantics/structure.ts'
import { systemRows } from './semantics/system.ts'
import { cryptoRows } from './simd/crypto.ts'
import { simdRows } from './simd/rows.ts'

export const rows: readonly Row[] = [
  ...immediateRows,
  ...addSubtractRows,
  ...logicalShiftedRows,
  ...conditionalRows,
  ...sourceRows,
  ...branchRows,
  ...systemRows,
  ...loadStoreRows,
  ...exclusiveRows,
  ...compareSwapRows,
  ...atomicRows,
  ...structureRows,
  ...fpRows,
  ...simdRows,
  ...cryptoRows,
]
