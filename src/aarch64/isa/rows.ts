/**
 * The decode table: every row that this CPU implements. Order does not matter; a row with more fixed bits wins over one that it overlaps.
 * To add a file of instructions, import its rows here.
 */
import { fpRows } from './fp/rows.ts'
import type { Row } from './row.ts'
import { branchRows } from './semantics/branch.ts'
import { exclusiveRows } from './semantics/exclusive.ts'
import { immediateRows } from './semantics/immediate.ts'
import { loadStoreRows } from './semantics/load-store.ts'
import { registerRows } from './semantics/register.ts'
import { structureRows } from './semantics/structure.ts'
import { systemRows } from './semantics/system.ts'
import { cryptoRows } from './simd/crypto.ts'
import { simdRows } from './simd/rows.ts'

export const rows: readonly Row[] = [
  ...immediateRows,
  ...registerRows,
  ...branchRows,
  ...systemRows,
  ...loadStoreRows,
  ...exclusiveRows,
  ...structureRows,
  ...fpRows,
  ...simdRows,
  ...cryptoRows,
]
