/**
 * What of a CPU's software TLBs must go, and when: TLBI, and changes of what translation depends on. There is one TLB of EL1 and one
 * of EL0 for each of the last address spaces (TTBR0_EL1 and ASID), so that going back to one finds its translations again. Entries are
 * made in `refill.ts`; that a page is out here never changes what a guest sees.
 */
import { SLOT } from './slot.ts'
import { BUS_TLB, CPU_AREA, MEMORY, SPACES, STATE, TLB, TLB_NOTES } from './state.ts'

const noEntry = 0xffffffff

/** A hash of the 2 MiB part of the address space that an address is in, and of the 1 GiB part, behind the others. */
const part2M = (low: number, high: number) => ((low >>> 21) | (high << 11)) & 0xfff
const part1G = (low: number, high: number) => 0x1000 | (((low >>> 30) | (high << 2)) & 0xfff)

export class Tlb {
  private readonly base: number
  private readonly words: Uint32Array
  private readonly bytes: Uint8Array
  /** By space: TTBR0_EL1 (two words) and the ASID that its entries are of, and when it was last entered; 0 is one without entries. */
  private readonly tables = new Uint32Array(2 * SPACES)
  private readonly asids = new Uint32Array(SPACES)
  private readonly uses = new Float64Array(SPACES)
  private clock = 0

  /** `base`: the CPU's area. */
  constructor(buffer: ArrayBuffer, base: number) {
    this.base = base
    this.words = new Uint32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.bytes.fill(0xff, MEMORY.emptyTlb, MEMORY.emptyTlb + TLB.bytes)
    // Fresh memory is zeros, which are entries of page 0: the first flush makes it none.
    this.setNote(TLB_NOTES.anyEl1, 1)
    this.setNote(TLB_NOTES.anyBus, 1)
  }

  private word(offset: number): number {
    return this.words[(this.base + offset) >>> 2]!
  }

  private setWord(offset: number, value: number): void {
    this.words[(this.base + offset) >>> 2] = value
  }

  private note(offset: number): number {
    return this.word(CPU_AREA.notes + offset)
  }

  private setNote(offset: number, value: number): void {
    this.setWord(CPU_AREA.notes + offset, value)
  }

  // --- the address space of EL0 ----------------------------------------------------------------------------------------

  /** The current ASID (TCR_EL1.A1 and AS). */
  private get asid(): number {
    const a1 = this.word(SLOT.TCR_EL1) & (1 << 22)
    return this.sized(this.word((a1 ? SLOT.TTBR1_EL1 : SLOT.TTBR0_EL1) + 4) >>> 16)
  }

  private sized(asid: number): number {
    return this.word(SLOT.TCR_EL1 + 4) & (1 << 4) ? asid : asid & 0xff
  }

  private use(table: number): void {
    this.setWord(STATE.TLB_UNPRIVILEGED, table)
    if (this.word(STATE.EL) === 0) this.setWord(STATE.TLB, table)
  }

  /** STATE.TLB follows the Exception level. */
  select(): void {
    if (this.word(STATE.EL) !== 0) this.setWord(STATE.TLB, this.base + CPU_AREA.tlb1)
    else if (this.word(STATE.TLB_UNPRIVILEGED) === MEMORY.emptyTlb) this.findSpace()
    else this.use(this.word(STATE.TLB_UNPRIVILEGED))
  }

  /** Makes the TLB of the present address space that of EL0: the one that it had, or else that of the space longest not used. */
  findSpace(): void {
    const low = this.word(SLOT.TTBR0_EL1)
    const high = this.word(SLOT.TTBR0_EL1 + 4)
    const { asid } = this
    const isMine = (space: number) =>
      this.uses[space] !== 0 &&
      this.tables[2 * space] === low &&
      this.tables[2 * space + 1] === high &&
      this.asids[space] === asid
    let space = 0
    let oldest = 0
    while (space < SPACES && !isMine(space)) {
      if (this.uses[space]! < this.uses[oldest]!) oldest = space
      space++
    }
    if (space === SPACES) {
      space = oldest
      this.fill(CPU_AREA.spaces + space * TLB.bytes)
      this.tables[2 * space] = low
      this.tables[2 * space + 1] = high
      this.asids[space] = asid
    }
    this.uses[space] = ++this.clock
    this.use(this.base + CPU_AREA.spaces + space * TLB.bytes)
  }

  /** TTBR0_EL1 or the ASID changed: what is not global is another space's, and found again when the CPU comes back to it. */
  changeSpace(): void {
    this.use(MEMORY.emptyTlb)
    this.dropNonGlobal()
  }

  /** Drops the non-global entries of the EL1 TLB and of the bus TLB, which are all of the present ASID. */
  private dropNonGlobal(): void {
    const listed = this.note(TLB_NOTES.listed)
    if (listed > TLB_NOTES.mostListed) this.fill(CPU_AREA.tlb1)
    else for (let index = 0; index < listed; index++) this.drop(this.note(TLB_NOTES.list + 4 * index))
    this.setNote(TLB_NOTES.listed, 0)
    if (this.note(TLB_NOTES.nonGlobalBus)) this.flushBus()
  }

  // --- maintenance -----------------------------------------------------------------------------------------------------

  private fill(table: number): void {
    this.bytes.fill(0xff, this.base + table, this.base + table + TLB.bytes)
  }

  /** No entry is left at an address. */
  private drop(entry: number): void {
    const at = entry >>> 2
    for (let word = 0; word < 6; word++) this.words[at + word] = noEntry
  }

  private flushBus(): void {
    if (this.note(TLB_NOTES.anyBus) === 0) return
    const start = this.base + CPU_AREA.busTlb
    this.bytes.fill(0xff, start, start + BUS_TLB.bytes)
    this.setNote(TLB_NOTES.anyBus, 0)
    this.setNote(TLB_NOTES.nonGlobalBus, 0)
  }

  /** The EL1 TLB and that of the bus are empty, and those of EL0 as they were. */
  flushEl1(): void {
    if (this.note(TLB_NOTES.anyEl1)) this.fill(CPU_AREA.tlb1)
    this.setNote(TLB_NOTES.anyEl1, 0)
    this.setNote(TLB_NOTES.listed, 0)
    this.flushBus()
  }

  flushAll(): void {
    this.flushEl1()
    this.uses.fill(0)
    this.use(MEMORY.emptyTlb)
    const { blocks } = CPU_AREA
    if (this.note(TLB_NOTES.anyBlocks)) this.bytes.fill(0, this.base + blocks, this.base + blocks + 0x2000)
    this.setNote(TLB_NOTES.anyBlocks, 0)
  }

  /** Drops what a TLBI by ASID names. Global entries that go too cost no more than time. */
  flushAsid(asid: number): void {
    const named = this.sized(asid)
    for (let space = 0; space < SPACES; space++) if (this.asids[space] === named) this.uses[space] = 0
    if (named === this.asid) this.changeSpace()
  }

  /** Drops what a TLBI by address names, of whatever ASID. `low` and `high` are the virtual address. */
  flushAddress(low: number, high: number): void {
    if (this.note(TLB_NOTES.anyBlocks)) {
      const marks = this.base + CPU_AREA.blocks
      if (this.bytes[marks + part2M(low, high)] || this.bytes[marks + part1G(low, high)]) {
        this.flushAll()
        return
      }
    }
    this.dropEntry(low)
    this.flushBus()
  }

  /** Drops what the TLBs have where a page would be. */
  dropEntry(low: number): void {
    const entry = this.base + ((low >>> 12) & (TLB.entries - 1)) * TLB.entryBytes
    this.drop(entry + CPU_AREA.tlb1)
    for (let space = 0; space < SPACES; space++)
      if (this.uses[space] !== 0) this.drop(entry + CPU_AREA.spaces + space * TLB.bytes)
  }
}
