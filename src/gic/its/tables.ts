/**
 * The tables that software lends an ITS: device table and collection table, flat or of two levels, and the translation
 * tables (ITTs) that device entries point to. Every entry is read from and written to guest memory; nothing of them is kept
 * here but the geometry that GITS_BASER gives, and a bit for each place that an entry was put in (`places.ts`), so that no guest
 * can make an ITS grow. What entries mean together is `translate.ts`.
 *
 * Entries are 8 bytes, laid out as Linux's ITS table ABI revision 0 has them, each at the place of its ID:
 *   device       V[63] next[62:49] ITT address[51:8] in [48:5], EventID bits - 1 in [4:0]
 *   translation  next[63:48] INTID[47:16] ICID[15:0]; INTID 0: unmapped
 *   collection   V[63] PE number[51:16] ICID[15:0]
 * `next`, the distance to the next mapped entry, is only written by a save (`abi.ts`): live, it is 0 and not looked at.
 */

import type { GuestMemory } from '../memory.ts'

/** Bytes of an entry, and of a first-level descriptor. */
export const ENTRY = 8

/** In a saved table, the PE of a collection that is not mapped, and that translation entries name. */
export const UNMAPPED_PE = 0xffff_ffff

/** Why an entry has no address. Addresses are never negative. */
export const NO_TABLE = -1
export const OUT_OF_RANGE = -2
export const NO_PAGE = -3
export const NO_MEMORY = -4

const PAGE_SIZES = [4096, 16384, 65536, 65536] as const
const VALID = 1 << 31

/** What a GITS_BASER says of its table. */
export class Table {
  valid = false
  indirect = false
  /** In bytes. */
  base = 0
  pageSize = 4096
  /** IDs that fit, of all levels. */
  entries = 0

  readonly #memory: GuestMemory
  /** IDs that the ITS supports at all. */
  readonly #ids: number

  constructor(memory: GuestMemory, idBits: number) {
    this.#memory = memory
    this.#ids = 2 ** idBits
  }

  /** Takes over the two words of a GITS_BASER (IHI 0069 12.19.1). Base bits below the page size are treated as zero. */
  configure(low: number, high: number): void {
    this.valid = high < 0
    this.indirect = ((high >>> 30) & 1) === 1
    const page = (low >>> 8) & 3
    this.pageSize = PAGE_SIZES[page]!
    const inside = (low & 0xffff_f000 & ~(this.pageSize - 1)) >>> 0
    // With 64 KiB pages, register bits 15:12 are address bits 51:48.
    const top = page >= 2 ? ((low >>> 12) & 0xf) * 2 ** 48 : 0
    this.base = top + (high & 0xffff) * 2 ** 32 + inside
    const bytes = ((low & 0xff) + 1) * this.pageSize
    const reach = bytes / ENTRY
    this.entries = Math.min(this.#ids, this.indirect ? reach * (this.pageSize / ENTRY) : reach)
  }

  /** Address of the entry of an ID, or one of the negative numbers above. */
  entry(id: number): number {
    if (!this.valid) return NO_TABLE
    if (id >= this.entries) return OUT_OF_RANGE
    let address = this.base + id * ENTRY
    if (this.indirect) {
      const page = this.page(id)
      if (page < 0) return page
      address = page + (id % (this.pageSize / ENTRY)) * ENTRY
    }
    return this.#memory.contains(address, ENTRY) ? address : NO_MEMORY
  }

  /** Of a table of two levels, the address of an ID's page, which need not be memory, or one of the negative numbers above. */
  page(id: number): number {
    const first = this.descriptor(id)
    if (!this.#memory.contains(first, ENTRY)) return NO_MEMORY
    const high = this.#memory.read32(first + 4)
    if (high >= 0) return NO_PAGE
    return (high & 0xf_ffff) * 2 ** 32 + ((this.#memory.read32(first) & ~(this.pageSize - 1)) >>> 0)
  }

  /** Address of the first-level descriptor of an ID's page. */
  descriptor(id: number): number {
    return this.base + Math.floor(id / (this.pageSize / ENTRY)) * ENTRY
  }
}

/** What is told where entries are put, and where they are taken away. */
interface Notes {
  add(address: number): void
  delete(address: number): void
}

/** Entries as values, and the words that hold them. Fields of the last one read stay until the next. */
export class Entries {
  /** Of the device entry read last. */
  ittAddress = 0
  eventBits = 0
  /** Of the translation entry read last; INTID 0 when it maps nothing. */
  intid = 0
  icid = 0
  /** Of the collection entry read last. */
  pe = 0
  collection = 0

  readonly memory: GuestMemory
  readonly #notes: Notes

  constructor(memory: GuestMemory, notes: Notes) {
    this.memory = memory
    this.#notes = notes
  }

  /** Reads a device entry; whether it is valid. */
  readDevice(address: number): boolean {
    const low = this.memory.read32(address)
    const high = this.memory.read32(address + 4)
    this.ittAddress = (high & 0x1_ffff) * 2 ** 35 + (low >>> 5) * 256
    this.eventBits = (low & 0x1f) + 1
    return high < 0
  }

  writeDevice(address: number, ittAddress: number, eventBits: number, next = 0): void {
    const units = ittAddress / 256
    const inLow = units % 2 ** 27
    this.memory.write32(address, (inLow * 32 + (eventBits - 1)) | 0)
    this.memory.write32(address + 4, VALID | (next << 17) | ((units - inLow) / 2 ** 27))
    this.#notes.add(address)
  }

  /** Reads a translation entry; whether it maps something. */
  readTranslation(address: number): boolean {
    const low = this.memory.read32(address)
    const high = this.memory.read32(address + 4)
    this.intid = (((high & 0xffff) << 16) | (low >>> 16)) >>> 0
    this.icid = low & 0xffff
    return this.intid !== 0
  }

  writeTranslation(address: number, intid: number, icid: number, next = 0): void {
    this.memory.write32(address, (intid << 16) | icid)
    this.memory.write32(address + 4, (next << 16) | (intid >>> 16))
    this.#notes.add(address)
  }

  /** Reads a collection entry; whether it is valid. */
  readCollection(address: number): boolean {
    const low = this.memory.read32(address)
    const high = this.memory.read32(address + 4)
    this.pe = (high & 0xf_ffff) * 65536 + (low >>> 16)
    this.collection = low & 0xffff
    return high < 0
  }

  writeCollection(address: number, pe: number, icid: number): void {
    this.memory.write32(address, ((pe & 0xffff) << 16) | icid)
    this.memory.write32(address + 4, VALID | (Math.floor(pe / 65536) & 0xf_ffff))
    this.#notes.add(address)
  }

  clear(address: number): void {
    this.memory.write32(address, 0)
    this.memory.write32(address + 4, 0)
    this.#notes.delete(address)
  }

  /** The same, where as a rule there is nothing. */
  wipe(address: number): void {
    if (this.memory.read32(address) !== 0 || this.memory.read32(address + 4) !== 0) this.clear(address)
  }
}
