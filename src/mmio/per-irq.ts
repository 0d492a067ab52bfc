/**
 * Per-IRQ register banks: so many bits for each interrupt, over all of them, a 32-bit word at a time. A bank is a view of
 * state that several registers may share (ISENABLER and ICENABLER show one bitmap); what differs is what a written 1 does.
 */

import {
  bits,
  type Fields,
  ignore,
  type Modelling,
  type ReadHandler,
  type Row,
  type RowOptions,
  raz,
  type WriteHandler,
} from './register.ts'

/** What a write does with the bits written: takes them over, sets where 1, or clears where 1. */
export type BankMode = 'replace' | 'set' | 'clear'

/** State that a bank shows. `word` counts 32-bit words of the state, banked words resolved to their CPU's own. */
export interface BankView<D> {
  /** Word `index` of the state, as an access by `by` sees it. */
  readonly read: ReadHandler<D>
  /** Assigns the bits `mask` of `value` (all other bits stay). */
  readonly assign: WriteHandler<D>
  /** The state itself, where `read` shows more or less of it. */
  readonly save?: ReadHandler<D>
  /** Its assignment, where that is not `assign`, or where `assign` has an effect besides. */
  readonly restore?: WriteHandler<D>
}

/** A bank of a few bits for each interrupt: how many, for which, and what it shows. */
export interface BankOptions<D> extends Omit<RowOptions<D>, 'count'> {
  /** Bits for each interrupt. */
  bits: 1 | 2 | 8 | 64
  /** What a write does: replaces the bits, sets those that are 1, or clears them. */
  bank: BankMode
  /** The state behind it. */
  view: BankView<D>
  /** Interrupts in the bank, from the first on; 1,024 unless given. */
  irqs?: number
  /**
   * The first `irqs` interrupts exist once for each CPU (GICv2's INTIDs 0 to 31): their words come first in the state, CPU
   * after CPU, then the shared ones.
   */
  banked?: {
    irqs: number
    /** How many CPUs the device has. */
    cpus: (device: D) => number
  }
  /** The first so many interrupts are RAZ/WI here (GICv3's distributor, whose INTIDs 0 to 31 are in the redistributors). */
  excluded?: number
  /** `full` unless given. */
  modelling?: Modelling
}

/** A bank of registers named `name` with a lower-case `n` for the number, from `offset` on. */
export function perIrq<D>(name: string, offset: number, options: BankOptions<D>): Row<D> {
  const perWord = 32 / options.bits
  const words = Math.ceil((options.irqs ?? 1024) / perWord)
  const width = options.bits === 64 ? 8 : 4
  const banked = (options.banked?.irqs ?? 0) / perWord
  const cpus = options.banked?.cpus ?? (() => 1)
  const excluded = (options.excluded ?? 0) / perWord
  const { view, bank } = options
  const assign = view.assign
  if (!Number.isInteger(banked) || !Number.isInteger(excluded))
    throw new RangeError(`${name}: banked and excluded interrupts come in whole words of ${perWord}`)

  /** The state's word behind word `index` of the bank, or -1 when this initiator has none. */
  const resolve = (device: D, index: number, cpu: number): number => {
    if (index < excluded) return -1
    if (banked === 0) return index
    if (index >= banked) return index + (cpus(device) - 1) * banked
    return cpu >= 0 && cpu < cpus(device) ? cpu * banked + index : -1
  }
  const read: ReadHandler<D> = (device, index, by) => {
    const at = resolve(device, index, by.cpu)
    return at < 0 ? 0 : view.read(device, at, by)
  }
  const write: WriteHandler<D> = (device, index, value, mask, by) => {
    const at = resolve(device, index, by.cpu)
    if (at < 0) return
    if (bank === 'replace') assign(device, at, value, mask, by)
    else assign(device, at, bank === 'set' ? -1 : 0, value & mask, by)
  }
  const viewSave = view.save ?? view.read
  const save: ReadHandler<D> = (device, index, by) => {
    const at = resolve(device, index, by.cpu)
    return at < 0 ? 0 : viewSave(device, at, by)
  }
  /** A saved word is assigned through the bank that sets; the one that clears shows the same state and has nothing to add. */
  const carriesState = options.restore !== false && bank !== 'clear' && options.mode !== 'RO'
  const viewRestore = view.restore ?? assign
  const restore: WriteHandler<D> = (device, index, value, mask, by) => {
    const at = resolve(device, index, by.cpu)
    if (at >= 0) viewRestore(device, at, value, mask, by)
  }
  return {
    name,
    offset,
    width,
    count: width === 8 ? words / 2 : words,
    first: options.first ?? 0,
    widths: (options.widths ?? (width === 8 ? [4, 8] : [4])).reduce<number>((sum, size) => sum | size, 0),
    mode: options.mode ?? 'RW',
    modelling: options.modelling ?? 'full',
    fields: options.fields ?? bankFields(options.bits, name),
    reset: options.reset,
    secure: options.secure ?? false,
    readHasEffect: options.peek !== undefined,
    read: options.mode === 'WO' ? raz : read,
    write,
    peek: options.peek ?? read,
    save: options.save ?? save,
    restore: !carriesState ? ignore : options.restore || restore,
    carriesState,
    cpuWords: options.cpuWords ?? (excluded === 0 ? banked : 0),
    securityCopies: options.securityCopies ?? false,
    note: options.note,
  }
}

/** Byte-wide banks get a name for each lane, as the specification prints them; the others are one field for each interrupt. */
function bankFields(width: 1 | 2 | 8 | 64, name: string): Fields {
  if (width === 64) return {}
  const stem = name.replace(/^[A-Z]+_/, '').replace(/nE?$/, '')
  const fields: Record<string, { msb: number; lsb: number }> = {}
  for (let i = 0; i < 32 / width; i++) fields[`${stem}[${i}]`] = bits(i * width + width - 1, i * width)
  return fields
}
