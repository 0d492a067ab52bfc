/**
 * What an access has to know of each row, as arrays by the row's number + 1 (0 is "no row"): rows come from several builders
 * and so have several shapes, and an access that looked at them would pay for finding each property. Made once for a table.
 */

import { ignore, type ReadHandler, type Row, raz, type WriteHandler } from './register.ts'

/** Bits of a gate above the access widths 1, 2, 4 and 8, which a row without this direction has none of. */
export const SECURE = 0x10
/** An access through it may change the device's state. */
export const EFFECT = 0x20

/** Where a row's figures stand in `figures`, from its number shifted by FIGURES on. */
export const FIGURES = 2
export const READ = 0
export const WRITE = 1
/** Offset of the row's first byte in the frame. */
export const START = 2

export interface Gates<D> {
  /** The gate of reads, that of writes, and the offset, row by row: in one array, which an access has to find only once. */
  readonly figures: Int32Array
  readonly read: readonly ReadHandler<D>[]
  readonly write: readonly WriteHandler<D>[]
}

export function gatesOf<D>(rows: readonly Row<D>[]): Gates<D> {
  const gate = (row: Row<D>, closed: 'RO' | 'WO', effect: boolean) =>
    row.mode === closed ? 0 : row.widths | (row.secure ? SECURE : 0) | (effect ? EFFECT : 0)
  return {
    figures: Int32Array.from([
      ...[0, 0, 0, 0],
      ...rows.flatMap((row) => [gate(row, 'WO', row.readHasEffect), gate(row, 'RO', true), row.offset, 0]),
    ]),
    read: [raz, ...rows.map((row) => row.read)],
    write: [ignore, ...rows.map((row) => row.write)],
  }
}
