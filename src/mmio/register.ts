/**
 * What a row of a register table says: name, offset, widths, access, fields, and the handlers behind it. These are the
 * builders a table is written with; `register-table.ts` validates the rows, `frame.ts` makes accesses of them.
 */

import type { Initiator } from './access.ts'

/** Bit positions of a field in its register; bits above 31 are in the high word of a 64-bit register. */
export interface Field {
  /** Most significant bit. */
  readonly msb: number
  /** Least significant bit. */
  readonly lsb: number
}

/** A register's fields by the specification's names. */
export type Fields = Readonly<Record<string, Field>>

/** A field of one bit. */
export function bit(position: number): Field {
  return { msb: position, lsb: position }
}

/** A field from bit `msb` down to bit `lsb`. */
export function bits(msb: number, lsb: number): Field {
  return { msb, lsb }
}

/** How a register may be used, as the specification prints it. */
export type Mode = 'RW' | 'RO' | 'WO'

/**
 * How far a row is modelled. `fixed` rows (constant, RAZ/WI) and `stored` ones (kept, without an effect) are complete where
 * the architecture asks for no more; `not-modelled` is a declared gap, RAZ/WI, and an event when it is used.
 */
export type Modelling = 'full' | 'fixed' | 'stored' | 'not-modelled'

/** Reads 32-bit word `index` of the row (counted over all its registers), in `| 0` form. */
export type ReadHandler<D> = (device: D, index: number, by: Initiator) => number

/** Writes the lanes `mask` of `value` to 32-bit word `index` of the row. Lanes outside of `mask` are zero in `value`. */
export type WriteHandler<D> = (device: D, index: number, value: number, mask: number, by: Initiator) => void

/** A row of a register table, complete: one register, or an array of them. */
export interface Row<D> {
  /**
   * The architecture's name; of an array with a lower-case `n` where its number goes, as in `GICD_ISENABLERn` and
   * `ICH_LRn_EL2`. An `n` beside another lower-case letter is part of the name, as in `ConfigGeneration`.
   */
  readonly name: string
  /** Of the first register, in bytes from the base of the frame. */
  readonly offset: number
  /** Width of one register in bytes. */
  readonly width: 4 | 8
  /** How many registers, one after the other. */
  readonly count: number
  /** The number of the first one, where the architecture does not count from 0. */
  readonly first: number
  /** Allowed access widths, added up: 1, 2, 4, 8. */
  readonly widths: number
  /** What accesses it takes. */
  readonly mode: Mode
  /** How far it is modelled. */
  readonly modelling: Modelling
  /** By name; of each register of an array. */
  readonly fields: Fields
  /** Value after reset, where one is architected or declared; of each register of an array. */
  readonly reset: number | undefined
  /** Only Secure accesses reach it (where the frame has Security states at all). */
  readonly secure: boolean
  /** A read changes state: the debugger's door is `peek`. */
  readonly readHasEffect: boolean
  /** Called for a guest's read; 0 for a write-only register. */
  readonly read: ReadHandler<D>
  /** Called for a guest's write; does nothing for a read-only register. */
  readonly write: WriteHandler<D>
  /** Reads without any effect. */
  readonly peek: ReadHandler<D>
  /** The word that `restore` takes back. */
  readonly save: ReadHandler<D>
  /** Puts a saved word back, with no effect besides and in any order with the others. */
  readonly restore: WriteHandler<D>
  /** `restore` puts something back: not so for commands, for what follows from the rest, and for a second view of a state. */
  readonly carriesState: boolean
  /** So many words, from the first on, exist once for each CPU. */
  readonly cpuWords: number
  /** There is a copy for each Security state. */
  readonly securityCopies: boolean
  /** One line for documentation. */
  readonly note: string | undefined
}

/** What may be said of a row beside its handlers. */
export interface RowOptions<D> {
  /** How it may be used; follows from the handlers that are given, unless said. */
  mode?: Mode
  /** Allowed access widths in bytes; 4 alone (and 8 for a 64-bit register) unless given. */
  widths?: readonly (1 | 2 | 4 | 8)[]
  /** By the specification's names. */
  fields?: Fields
  /** Value after reset, where one is architected or declared. */
  reset?: number
  /** Only Secure accesses reach it. */
  secure?: boolean
  /** How many registers, one after the other; 1 unless given. */
  count?: number
  /** The number of the first one; 0 unless given. */
  first?: number
  /** Side-effect-free read, for a register whose read has an effect. */
  peek?: ReadHandler<D>
  /**
   * What restoring a saved value does; the write itself unless given, nothing for a read-only register. It has no effect but
   * on this register's state, and works in any order with the others. False for a command, which has nothing to put back.
   */
  restore?: WriteHandler<D> | false
  /** What `restore` takes back, where that is not what a peek shows. */
  save?: ReadHandler<D>
  /** How many words, from the first on, exist once for each CPU; none unless given. */
  cpuWords?: number
  /** There is a copy for each Security state. */
  securityCopies?: boolean
  /**
   * What a write narrower than a word does with the other lanes: takes them from what a peek reads, so that the handler sees
   * a whole word ('merge', unless given), or leaves them zero and tells by the mask ('lanes', for registers where a written
   * 1 acts or a write is a command).
   */
  narrow?: 'merge' | 'lanes'
  /** One line for documentation. */
  note?: string
}

/** A register's handlers, and what else may be said of it. */
export interface Handlers<D> extends RowOptions<D> {
  /** Without it the register is write-only. */
  read?: ReadHandler<D>
  /** Without it the register is read-only. */
  write?: WriteHandler<D>
}

/** A handler that reads as zero. */
export const raz = (): number => 0
/** A handler that ignores writes. */
export const ignore = (): void => {}

function build<D>(
  name: string,
  offset: number,
  width: 4 | 8,
  modelling: Modelling,
  handlers: Handlers<D>,
  natural: readonly number[],
): Row<D> {
  const { read, write, peek, restore } = handlers
  const mode = handlers.mode ?? (write === undefined ? 'RO' : read === undefined ? 'WO' : 'RW')
  const widths = handlers.widths ?? natural
  const put = restore === false ? undefined : (restore ?? write)
  return {
    name,
    offset,
    width,
    count: handlers.count ?? 1,
    first: handlers.first ?? 0,
    widths: widths.reduce((sum, size) => sum | size, 0),
    mode,
    modelling,
    fields: handlers.fields ?? {},
    reset: handlers.reset,
    secure: handlers.secure ?? false,
    readHasEffect: peek !== undefined,
    read: read ?? raz,
    write: write ?? ignore,
    peek: peek ?? read ?? raz,
    save: handlers.save ?? peek ?? read ?? raz,
    restore: put ?? ignore,
    carriesState: put !== undefined,
    cpuWords: handlers.cpuWords ?? 0,
    securityCopies: handlers.securityCopies ?? false,
    note: handlers.note,
  }
}

/** A 32-bit register, or with `count` an array of them. A narrower write merges into what a peek reads. */
export function word<D>(name: string, offset: number, handlers: Handlers<D>): Row<D> {
  const row = build(name, offset, 4, 'full', handlers, [4])
  if (handlers.write === undefined || handlers.narrow === 'lanes' || !(row.widths & 3)) return row
  return { ...row, write: merging(row.peek, handlers.write) }
}

/**
 * A 64-bit register, or with `count` an array of them: accessible whole or as two halves. Handlers see 32-bit words, low
 * first; a write narrower than one merges into what a peek reads.
 */
export function dword<D>(name: string, offset: number, handlers: Handlers<D>): Row<D> {
  const row = build(name, offset, 8, 'full', handlers, [4, 8])
  if (handlers.write === undefined || handlers.narrow === 'lanes' || !(row.widths & 3)) return row
  return { ...row, write: merging(row.peek, handlers.write) }
}

/** A read-only register whose value follows from the configuration. */
export function constant<D>(
  name: string,
  offset: number,
  value: number | ((device: D, index: number, by: Initiator) => number),
  options: RowOptions<D> = {},
): Row<D> {
  const read: ReadHandler<D> = typeof value === 'number' ? () => value | 0 : value
  const reset = typeof value === 'number' ? { reset: value } : {}
  return build(name, offset, 4, 'fixed', { ...reset, ...options, mode: 'RO', read }, [4])
}

/** Reads as zero and ignores writes: architecturally so, in this configuration or always. */
export function razWi<D>(name: string, offset: number, options: RowOptions<D> = {}): Row<D> {
  return build<D>(name, offset, 4, 'fixed', { mode: 'RW', reset: 0, ...options }, [4])
}

/** Keeps the bits of `mask` and has no other effect. The row's first word is word `start` of the cell, 0 unless given. */
export function stored<D>(
  name: string,
  offset: number,
  cell: (device: D, by: Initiator) => Int32Array,
  options: RowOptions<D> & { mask?: number; start?: number } = {},
): Row<D> {
  const keep = options.mask ?? -1
  const start = options.start ?? 0
  const row = word<D>(name, offset, {
    ...options,
    read: (device, index, by) => cell(device, by)[start + index]!,
    write: (device, index, value, mask, by) => {
      const words = cell(device, by)
      words[start + index] = (words[start + index]! & ~(mask & keep)) | (value & mask & keep)
    },
  })
  return { ...row, modelling: 'stored' }
}

/** The architecture has it and this model does not: RAZ/WI, listed as a gap, and every use is reported to the observer. */
export function notModelled<D>(name: string, offset: number, options: RowOptions<D> = {}): Row<D> {
  return build<D>(name, offset, 4, 'not-modelled', { mode: 'RW', ...options }, [4])
}

/** Turns a writer of whole words into one of lanes. */
function merging<D>(old: ReadHandler<D>, write: WriteHandler<D>): WriteHandler<D> {
  return (device, index, value, mask, by) =>
    write(device, index, mask === -1 ? value : (old(device, index, by) & ~mask) | value, -1, by)
}
