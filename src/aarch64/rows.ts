/**
 * The decode table: every row that this CPU implements. Order does not matter; a row with more fixed bits wins over one that it overlaps.
 * To add a file of instructions, import its rows here.
 */
import type { Row } from './row.ts'

export const rows: readonly Row[] = []
