/**
 * Guest memory for the replay of a trace: what its `mem` lines say, what the controller writes itself, and zero elsewhere.
 * It also stands in for first-level tables of an ITS that the trace does not record. Bounded, whatever a trace asks for.
 */

import type { GuestMemory } from '../gic/index.ts'

const pageBytes = 4096
/** Addresses are of 52 bits. */
const addressEnd = 2 ** 52
/** Pages that a trace may fill: 64 MiB. A boot fills a few dozen. */
const mostPages = 16384
/** First-level descriptors that `mem` lines may have spoken of. */
const mostTold = 65536
/** Second-level pages lent to tables are put from here on: no board has memory there. */
const lentFrom = 2 ** 51

/** A text with the addresses of such pages taken out: they are the replay's, and the guest has nothing there. */
export function withoutLent(text: string): string {
  return text.replace(/ at (0x[0-9a-f]+)/g, (all, address) =>
    Number(address) >= lentFrom ? ' in a page that the trace does not record' : all,
  )
}
const largestTablePage = 65536

/** What an ITS's table must tell of itself: `Table` of the ITS does. */
export interface TwoLevelTable {
  readonly valid: boolean
  readonly indirect: boolean
  /** Address of the first level, and bytes of a second-level page. */
  readonly base: number
  readonly pageSize: number
  /** IDs that it has room for, 8 bytes each. */
  readonly entries: number
}

/** A table whose first level is stood in for, and the pages lent to it, by the address of their descriptor. */
interface Lent {
  readonly table: TwoLevelTable
  base: number
  pageSize: number
  readonly pages: Map<number, number>
}

export class TraceMemory implements GuestMemory {
  /** A write found no room: from then on memory is not what the trace says. */
  full = false

  readonly #pages = new Map<number, DataView>()
  #lastNumber = -1
  #last: DataView | undefined
  #tables: Lent[] = []
  /** Descriptors that the trace does record: these are believed, valid or not. */
  readonly #told = new Set<number>()
  #nextLent = lentFrom

  readonly #ram: { readonly base: number; readonly size: number }

  /** @param ram where the machine has memory; all addresses, unless it is said */
  constructor(ram = { base: 0, size: addressEnd }) {
    this.#ram = ram
  }

  contains(address: number, length: number): boolean {
    const { base, size } = this.#ram
    if (!(length >= 0)) return false
    return (
      (address >= base && address + length <= base + size) ||
      (address >= lentFrom && address + length <= this.#nextLent)
    )
  }

  read32(address: number): number {
    const word = this.#page(address)?.getInt32(address % pageBytes, true) ?? 0
    return this.#tables.length === 0 ? word : this.#descriptor(address, word)
  }

  write32(address: number, value: number): void {
    this.#pageForWrite(address)?.setInt32(address % pageBytes, value, true)
  }

  read8(address: number): number {
    return this.#page(address)?.getUint8(address % pageBytes) ?? 0
  }

  write8(address: number, value: number): void {
    this.#pageForWrite(address)?.setUint8(address % pageBytes, value)
  }

  /** Takes what a `mem` line says. */
  store(address: number, bytes: Uint8Array): void {
    if (!this.contains(address, bytes.length)) return
    for (const [i, byte] of bytes.entries()) this.write8(address + i, byte)
    for (const { table } of this.#tables) {
      const end = Math.min(address + bytes.length, table.base + firstLevelBytes(table))
      for (let at = Math.max(alignDown(address), table.base); at < end; at += 8)
        if (this.#told.size < mostTold) this.#told.add(at)
    }
  }

  /**
   * A trace records the commands that an ITS reads and the configuration of LPIs, not what software wrote to the first level
   * of a two-level table. Software must have put a page there for every ID that it maps; so from now on a first-level
   * descriptor of these tables that nothing was stored to reads as a valid pointer to a zeroed page of its own.
   */
  lendPagesTo(tables: readonly TwoLevelTable[]): void {
    this.#tables = tables.map((table) => ({ table, base: table.base, pageSize: table.pageSize, pages: new Map() }))
  }

  /** To be called when software may have moved a table: pages lent to its old place are forgotten with what is in them. */
  tablesChanged(): void {
    for (const lent of this.#tables) {
      const { base, pageSize } = lent.table
      if (base === lent.base && pageSize === lent.pageSize) continue
      for (const page of lent.pages.values())
        for (let at = page; at < page + lent.pageSize; at += pageBytes) this.#pages.delete(at / pageBytes)
      lent.pages.clear()
      lent.base = base
      lent.pageSize = pageSize
      this.#lastNumber = -1
    }
  }

  #descriptor(address: number, word: number): number {
    for (const lent of this.#tables) {
      const { table, pages } = lent
      if (!table.valid || !table.indirect || address < table.base) continue
      if (address >= table.base + firstLevelBytes(table)) continue
      const descriptor = alignDown(address)
      const valid = (this.#page(descriptor)?.getInt32((descriptor % pageBytes) + 4, true) ?? 0) < 0
      if (valid || this.#told.has(descriptor)) return word
      let page = pages.get(descriptor)
      if (page === undefined) {
        page = this.#nextLent
        // Pages that were forgotten leave their addresses unused: there are 2^35 of them.
        this.#nextLent += largestTablePage
        pages.set(descriptor, page)
      }
      return address === descriptor ? page | 0 : (1 << 31) | Math.floor(page / 2 ** 32)
    }
    return word
  }

  #page(address: number): DataView | undefined {
    const number = Math.floor(address / pageBytes)
    if (number === this.#lastNumber) return this.#last
    this.#lastNumber = number
    this.#last = this.#pages.get(number)
    return this.#last
  }

  #pageForWrite(address: number): DataView | undefined {
    const found = this.#page(address)
    if (found !== undefined) return found
    if (this.#pages.size >= mostPages) {
      this.full = true
      return undefined
    }
    const page = new DataView(new ArrayBuffer(pageBytes))
    this.#pages.set(this.#lastNumber, page)
    this.#last = page
    return page
  }
}

function firstLevelBytes({ entries, pageSize, indirect, valid }: TwoLevelTable): number {
  return valid && indirect ? Math.ceil(entries / (pageSize / 8)) * 8 : 0
}

function alignDown(address: number): number {
  return address - (address % 8)
}
