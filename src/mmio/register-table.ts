/**
 * A register table: the rows of one frame, validated when it is built, and the map from an offset to its row. One table
 * serves every instance of its device. It makes no access itself: that is `frame.ts`.
 */

import { type Gates, gatesOf } from './gates.ts'
import type { Row } from './register.ts'

/** Row numbers are 16 bits wide in the map, and the map has one for each word of the frame. */
const MAX_ROWS = 0xffff
const MAX_SIZE = 2 ** 28

/** Where the number of a register stands in the name of an array. */
const PLACEHOLDER = /(?<![a-z])n(?![a-z])/

/** A table that cannot be right; names the rows at fault. */
export class RegisterTableError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'RegisterTableError'
}

/** One register of a table, with its row. */
export interface NamedRegister<D> {
  /** The row that it belongs to, an array's as a whole. */
  readonly row: Row<D>
  /** Number of the register in its row, from 0. */
  readonly element: number
  /** As software writes it: `GICD_ISENABLER1`. */
  readonly name: string
}

/** A register table that has been checked, and what is derived from it. */
export interface RegisterTable<D> {
  /** As in errors and events: `GICD`. */
  readonly name: string
  /** Length of the frame in bytes. */
  readonly size: number
  /** In the order of their offsets. */
  readonly rows: readonly Row<D>[]
  /** Row number + 1 for each 32-bit word of the frame; 0 where there is none. */
  readonly map: Uint16Array
  /** What decides whether an access of a row goes on, for the path of an access. */
  readonly gates: Gates<D>
  /** The register that holds the byte at `offset`. */
  at(offset: number): NamedRegister<D> | undefined
  /** Offset in bytes of a register by its name, `GICD_ISENABLER1` as well as `GICD_ISENABLERn` for the first of an array. */
  offsetOf(name: string): number | undefined
  /** Field values by name, of the register at `offset`. `high` holds bits 63:32 of a 64-bit one. */
  decode(offset: number, low: number, high?: number): Record<string, number>
}

/** Builds a table of `size` bytes, or throws a RegisterTableError that says which rows do not fit, and why. */
export function registerTable<D>(name: string, size: number, rows: readonly Row<D>[]): RegisterTable<D> {
  if (!Number.isInteger(size) || size <= 0 || size % 8 !== 0)
    throw new RegisterTableError(`${name}: a frame is a positive multiple of 8 bytes, not ${size}`)
  if (size > MAX_SIZE)
    throw new RegisterTableError(`${name}: a frame of ${size} bytes is over the limit of ${MAX_SIZE}`)
  if (rows.length > MAX_ROWS)
    throw new RegisterTableError(`${name}: ${rows.length} rows are over the limit of ${MAX_ROWS}`)
  const map = new Uint16Array(size / 4)
  const names = new Set<string>()
  let previous: Row<D> | undefined
  for (const [i, row] of rows.entries()) {
    checkRow(name, size, row)
    if (names.has(row.name)) throw new RegisterTableError(`${name}: two rows are named ${row.name}`)
    names.add(row.name)
    if (previous !== undefined) {
      if (row.offset < previous.offset)
        throw new RegisterTableError(
          `${name}: ${row.name} at ${hex(row.offset)} stands after ${previous.name} at ${hex(previous.offset)}`,
        )
      if (row.offset < previous.offset + rowSize(previous))
        throw new RegisterTableError(
          `${name}: ${row.name} at ${hex(row.offset)} overlaps ${previous.name}, which ends at ${hex(previous.offset + rowSize(previous) - 1)}`,
        )
    }
    previous = row
    map.fill(i + 1, row.offset / 4, (row.offset + rowSize(row)) / 4)
  }

  const at = (offset: number): NamedRegister<D> | undefined => {
    if (!(offset >= 0 && offset < size)) return undefined
    const row = rows[map[offset >>> 2]! - 1]
    if (row === undefined) return undefined
    const element = Math.floor((offset - row.offset) / row.width)
    return { row, element, name: elementName(row, element) }
  }
  return {
    name,
    size,
    rows,
    map,
    gates: gatesOf(rows),
    at,
    offsetOf: (wanted) => {
      for (const row of rows) {
        if (row.name === wanted) return row.offset
        const element = elementOf(row, wanted)
        if (element !== undefined) return row.offset + element * row.width
      }
      return undefined
    },
    decode: (offset, low, high = 0) => decodeFields(at(offset)?.row, low, high),
  }
}

/** Length of all registers of a row, in bytes. */
export function rowSize<D>(row: Row<D>): number {
  return row.width * row.count
}

function elementName<D>(row: Row<D>, element: number): string {
  return row.name.replace(PLACEHOLDER, String(row.first + element))
}

function elementOf<D>(row: Row<D>, name: string): number | undefined {
  const [before = '', after] = row.name.split(PLACEHOLDER)
  if (after === undefined) return undefined
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined
  const digits = name.slice(before.length, name.length - after.length)
  if (!/^(0|[1-9]\d{0,4})$/.test(digits)) return undefined
  const element = Number(digits) - row.first
  return element >= 0 && element < row.count ? element : undefined
}

function decodeFields<D>(row: Row<D> | undefined, low: number, high: number): Record<string, number> {
  const values: Record<string, number> = {}
  for (const [name, { msb, lsb }] of Object.entries(row?.fields ?? {})) {
    const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
    values[name] = Number((value >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n))
  }
  return values
}

function checkRow<D>(table: string, size: number, row: Row<D>): void {
  const fail = (what: string): never => {
    throw new RegisterTableError(`${table}: ${row.name} at ${hex(row.offset)} ${what}`)
  }
  if (row.width !== 4 && row.width !== 8) fail(`is ${row.width} bytes wide, not 4 or 8`)
  if (!Number.isInteger(row.offset) || row.offset < 0 || row.offset % row.width !== 0)
    fail(`is not aligned to its ${row.width} bytes`)
  if (!Number.isInteger(row.count) || row.count < 1) fail(`has ${row.count} registers`)
  if (row.count > 1 && !PLACEHOLDER.test(row.name)) fail(`has ${row.count} registers and no n for their numbers`)
  if (row.offset + rowSize(row) > size) fail(`ends beyond the frame of ${hex(size)} bytes`)
  if (row.widths === 0 || row.widths & ~15) fail('allows no access width, or one that is not 1, 2, 4 or 8')
  if (row.widths & 8 && row.width !== 8) fail('allows 64-bit accesses and is 32 bits wide')
  let used = 0n
  const fields = Object.entries(row.fields)
  for (const [name, { msb, lsb }] of fields) {
    if (!Number.isInteger(lsb) || !Number.isInteger(msb) || lsb < 0 || msb < lsb || msb >= row.width * 8)
      fail(`has field ${name} [${msb}:${lsb}] outside of its ${row.width * 8} bits`)
    const mask = ((1n << BigInt(msb - lsb + 1)) - 1n) << BigInt(lsb)
    if (used & mask) {
      const other = fields.find(([, field]) => field.lsb <= msb && field.msb >= lsb)!
      fail(`has fields ${other[0]} and ${name} on the same bits`)
    }
    used |= mask
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
