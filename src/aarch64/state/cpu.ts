/**
 * One CPU's architectural state as TypeScript sees it: accessors to its state block, and what follows from PSTATE (which TLB, which
 * traps, which stack pointer). Exceptions, translation, registers and timers are written over it.
 */
import { ExceptionRow } from './exception-row.ts'
import { BUS_TLB, CPU_AREA, cpuBase, STATE, TLB } from './state.ts'

const two32 = 2 ** 32

/** Bits of SCTLR_EL1. */
export const SCTLR = {
  M: 1 << 0,
  A: 1 << 1,
  SA: 1 << 3,
  SA0: 1 << 4,
  UMA: 1 << 9,
  DZE: 1 << 14,
  UCT: 1 << 15,
  nTWI: 1 << 16,
  nTWE: 1 << 18,
  WXN: 1 << 19,
  SPAN: 1 << 23,
  EE: 1 << 25,
  E0E: 1 << 24,
  UCI: 1 << 26,
} as const

/** Where the system registers that the core itself uses are kept in the state block. The register table uses the same offsets. */
export const SLOT = {
  SCTLR_EL1: STATE.REGISTERS + 0x00,
  CPACR_EL1: STATE.REGISTERS + 0x08,
  TTBR0_EL1: STATE.REGISTERS + 0x10,
  TTBR1_EL1: STATE.REGISTERS + 0x18,
  TCR_EL1: STATE.REGISTERS + 0x20,
  MAIR_EL1: STATE.REGISTERS + 0x28,
  VBAR_EL1: STATE.REGISTERS + 0x30,
  ESR_EL1: STATE.REGISTERS + 0x38,
  FAR_EL1: STATE.REGISTERS + 0x40,
  ELR_EL1: STATE.REGISTERS + 0x48,
  SPSR_EL1: STATE.REGISTERS + 0x50,
  SP_EL0: STATE.REGISTERS + 0x58,
  SP_EL1: STATE.REGISTERS + 0x60,
  PAR_EL1: STATE.REGISTERS + 0x68,
  CNTKCTL_EL1: STATE.REGISTERS + 0x70,
  CNTP_CTL: STATE.REGISTERS + 0x78,
  CNTP_CVAL: STATE.REGISTERS + 0x80,
  CNTV_CTL: STATE.REGISTERS + 0x88,
  CNTV_CVAL: STATE.REGISTERS + 0x90,
  CNTVOFF: STATE.REGISTERS + 0x98,
  /** PSTATE.PAN that the entries of the EL1 TLB were made with. */
  TLB_PAN: STATE.REGISTERS + 0xa0,
  /** Self-hosted debug; a breakpoint, or watchpoint, is two words: its value and its control register. */
  MDSCR_EL1: STATE.REGISTERS + 0xa8,
  OSLSR_EL1: STATE.REGISTERS + 0xb0,
  OSDLR_EL1: STATE.REGISTERS + 0xb8,
  DBGPRCR_EL1: STATE.REGISTERS + 0xc0,
  CONTEXTIDR_EL1: STATE.REGISTERS + 0xc8,
  BREAKPOINTS: STATE.REGISTERS + 0xd0,
  WATCHPOINTS: STATE.REGISTERS + 0x130,
  /** Performance Monitors; of each of the six event counters one word. */
  PMCR_EL0: STATE.REGISTERS + 0x170,
  PMCNTEN: STATE.REGISTERS + 0x178,
  PMINTEN: STATE.REGISTERS + 0x180,
  PMOVS: STATE.REGISTERS + 0x188,
  PMSELR_EL0: STATE.REGISTERS + 0x190,
  PMUSERENR_EL0: STATE.REGISTERS + 0x198,
  PMCCNTR_EL0: STATE.REGISTERS + 0x1a0,
  PMCCFILTR_EL0: STATE.REGISTERS + 0x1a8,
  PMEVCNTR: STATE.REGISTERS + 0x1b0,
  PMEVTYPER: STATE.REGISTERS + 0x1e0,
  /** Retired instructions up to which the counters have counted. */
  PMU_COUNTED: STATE.REGISTERS + 0x210,
  /** From here on: registers that only the table knows. */
  TABLE: STATE.REGISTERS + 0x218,
} as const

/** Who is told of the ends of stretches of instructions at one Exception level. */
export interface Boundaries {
  /** An exception is about to be taken; whether the last instruction that was counted is not retired, because of it. */
  taken(unfinished: boolean): void
  /** It was taken: the Exception level may be another one now. */
  entered(): void
  /** An exception return is about to be done, and was done. */
  returning(): void
  returned(): void
}

export class Cpu {
  readonly index: number
  readonly base: number
  private readonly words: Uint32Array
  private readonly quads: BigUint64Array
  private readonly bytes: Uint8Array
  /** Whether the EL1 TLB holds non-global entries, which an ASID change must drop. */
  private nonGlobal = false
  /** 2 MiB and 1 GiB parts of the address space (hashed) that were entered from a block: a TLBI by address must drop them whole. */
  private readonly blocks = new Uint8Array(0x2000)
  private anyBlocks = false
  /** Whether the bus TLB has entries. */
  private anyBus = true
  /** Exceptions taken, of all kinds; not state. */
  exceptions = 0
  /** Set while somebody counts; not state. */
  boundaries: Boundaries | undefined

  /** The same exception, again and again. No part of the architecture's state. */
  readonly row = new ExceptionRow()

  /** FEAT_PAN: PSTATE.PAN exists. */
  readonly panImplemented: boolean

  constructor(buffer: ArrayBuffer, index: number, panImplemented: boolean) {
    this.index = index
    this.panImplemented = panImplemented
    this.base = cpuBase(index)
    this.words = new Uint32Array(buffer)
    this.quads = new BigUint64Array(buffer)
    this.bytes = new Uint8Array(buffer)
  }

  /** A 32-bit word of the state block, unsigned. */
  word(offset: number): number {
    return this.words[(this.base + offset) >>> 2]!
  }

  setWord(offset: number, value: number): void {
    this.words[(this.base + offset) >>> 2] = value
  }

  quad(offset: number): bigint {
    return this.quads[(this.base + offset) >>> 3]!
  }

  setQuad(offset: number, value: bigint): void {
    this.quads[(this.base + offset) >>> 3] = value
  }

  /** A 64-bit word as a number: for counts, which stay below 2^53. */
  count(offset: number): number {
    const at = (this.base + offset) >>> 2
    return this.words[at + 1]! * two32 + this.words[at]!
  }

  /** Writes a count; negative ones (offsets) in two's complement. */
  setCount(offset: number, value: number): void {
    const at = (this.base + offset) >>> 2
    const high = Math.floor(value / two32)
    this.words[at] = value - high * two32
    this.words[at + 1] = high
  }

  signedCount(offset: number): number {
    const at = (this.base + offset) >>> 2
    return (this.words[at + 1]! | 0) * two32 + this.words[at]!
  }

  /** Moves PC on to the next instruction. */
  nextInstruction(): void {
    const at = (this.base + STATE.PC) >>> 2
    const low = this.words[at]!
    this.words[at] = low + 4
    if (low >= 0xfffffffc) this.words[at + 1]!++
  }

  // --- how far it is -------------------------------------------------------------------------------------------------

  /** Instructions retired since reset. The one that is executing counts. */
  get retired(): number {
    return this.signedCount(STATE.END) - (this.word(STATE.LEFT) | 0)
  }

  /** Machine time in instructions. */
  get time(): number {
    return this.retired + this.signedCount(STATE.TIME_OFFSET)
  }

  /** Machine time goes on without an instruction, and the run is so much shorter: what a read of a counter takes. */
  spendCounterRead(): void {
    const time = this.word(STATE.COUNTER_READ)
    this.setCount(STATE.END, this.signedCount(STATE.END) - time)
    this.setWord(STATE.LEFT, (this.word(STATE.LEFT) | 0) - time)
    this.setCount(STATE.TIME_OFFSET, this.signedCount(STATE.TIME_OFFSET) + time)
  }

  /** Ends the run after at most `left` more instructions. */
  limit(left: number): void {
    const now = this.word(STATE.LEFT) | 0
    if (left >= now) return
    this.setCount(STATE.END, this.signedCount(STATE.END) - (now - left))
    this.setWord(STATE.LEFT, left)
  }

  /** Ends the run after the current instruction, for this reason. */
  exit(reason: number): void {
    this.setWord(STATE.EXIT, reason)
    this.limit(0)
  }

  // --- PSTATE --------------------------------------------------------------------------------------------------------

  get el(): number {
    return this.word(STATE.EL)
  }

  /** PSTATE as SPSR_EL1 holds it (DDI 0487 C5.2.18). */
  get pstate(): number {
    const mode = this.el === 0 ? 0 : (this.el << 2) | this.word(STATE.SPSEL)
    return (
      ((this.word(STATE.NZCV) << 28) |
        (this.word(STATE.PAN) << 22) |
        (this.word(STATE.SS) << 21) |
        (this.word(STATE.IL) << 20) |
        (this.word(STATE.DAIF) << 6) |
        mode) >>>
      0
    )
  }

  /** Sets NZCV, PAN, IL and DAIF from a saved program status. */
  setStatus(spsr: number): void {
    this.setWord(STATE.NZCV, spsr >>> 28)
    this.setWord(STATE.PAN, (spsr >>> 22) & 1)
    this.setWord(STATE.IL, (spsr >>> 20) & 1)
    this.setWord(STATE.DAIF, (spsr >>> 6) & 15)
  }

  private bankedSp(el: number, spsel: number): number {
    return el === 0 || spsel === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
  }

  /** Moves to an Exception level and stack pointer selection, and works out all that depends on them. */
  setMode(el: number, spsel: number): void {
    this.setQuad(this.bankedSp(this.el, this.word(STATE.SPSEL)), this.quad(STATE.SP))
    this.setWord(STATE.EL, el)
    this.setWord(STATE.SPSEL, spsel)
    this.setQuad(STATE.SP, this.quad(this.bankedSp(el, spsel)))
    this.update()
  }

  /** SP_ELx of any level, current or not. */
  stackPointer(el: 0 | 1): bigint {
    const slot = el === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
    return this.bankedSp(this.el, this.word(STATE.SPSEL)) === slot ? this.quad(STATE.SP) : this.quad(slot)
  }

  setStackPointer(el: 0 | 1, value: bigint): void {
    const slot = el === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
    this.setQuad(this.bankedSp(this.el, this.word(STATE.SPSEL)) === slot ? STATE.SP : slot, value)
  }

  /** Recomputes what generated code reads instead of SCTLR_EL1, CPACR_EL1 and PSTATE. Call it when any of them changed. */
  update(): void {
    const { el } = this
    const sctlr = this.word(SLOT.SCTLR_EL1)
    this.setWord(STATE.TLB, this.base + (el === 0 ? CPU_AREA.tlb0 : CPU_AREA.tlb1))
    this.setWord(STATE.TLB_UNPRIVILEGED, this.base + CPU_AREA.tlb0)
    const fpen = (this.word(SLOT.CPACR_EL1) >>> 20) & 3
    this.setWord(STATE.FP_TRAP, fpen === 3 || (fpen === 1 && el !== 0) ? 0 : 1)
    this.setWord(STATE.ZERO_TRAP, el === 0 && (sctlr & SCTLR.DZE) === 0 ? 1 : 0)
    this.setWord(STATE.SP_ALIGN, sctlr & (el === 0 ? SCTLR.SA0 : SCTLR.SA) ? 15 : 0)
    if (el !== 0 && this.word(STATE.PAN) !== this.word(SLOT.TLB_PAN)) {
      this.setWord(SLOT.TLB_PAN, this.word(STATE.PAN))
      this.flush(CPU_AREA.tlb1)
    }
  }

  // --- the software TLBs ---------------------------------------------------------------------------------------------

  private flush(table: number): void {
    this.bytes.fill(0xff, this.base + table, this.base + table + TLB.bytes)
    this.flushBus()
  }

  private flushBus(): void {
    if (!this.anyBus) return
    const start = this.base + CPU_AREA.busTlb
    this.bytes.fill(0xff, start, start + BUS_TLB.bytes)
    this.anyBus = false
  }

  flushAll(): void {
    this.flush(CPU_AREA.tlb0)
    this.flush(CPU_AREA.tlb1)
    this.nonGlobal = false
    if (this.anyBlocks) this.blocks.fill(0)
    this.anyBlocks = false
  }

  /** The ASID or TTBR0_EL1 changed: everything that is not global goes. */
  flushNonGlobal(): void {
    this.flush(CPU_AREA.tlb0)
    if (this.nonGlobal) this.flush(CPU_AREA.tlb1)
    this.nonGlobal = false
  }

  private static block2M(low: number, high: number): number {
    return ((low >>> 21) ^ (high << 3)) & 0xfff
  }

  private static block1G(low: number, high: number): number {
    return 0x1000 | (((low >>> 30) ^ (high << 2)) & 0xfff)
  }

  /** Drops what a TLBI by address names, of whatever ASID. `low` and `high` are the virtual address. */
  flushAddress(low: number, high: number): void {
    if (this.anyBlocks && (this.blocks[Cpu.block2M(low, high)] || this.blocks[Cpu.block1G(low, high)])) {
      this.flushAll()
      return
    }
    this.dropEntry(low)
    this.flushBus()
  }

  /** Drops what the TLBs have where a page would be. */
  dropEntry(low: number): void {
    const entry = ((low >>> 12) & (TLB.entries - 1)) * TLB.entryBytes
    for (const table of [CPU_AREA.tlb0, CPU_AREA.tlb1]) {
      const at = (this.base + table + entry) >>> 2
      for (let word = 0; word < 6; word++) this.words[at + word] = 0xffffffff
    }
  }

  /** Enters a page of the bus, for reads or for writes at one Exception level; `physical` is its address, below 4 GiB. */
  enterBus(low: number, high: number, write: boolean, el: number, physical: number): void {
    const { words } = this
    const page = (low & ~0xfff) >>> 0
    const tag = (page | (el << BUS_TLB.elShift)) >>> 0
    const entry = ((low >>> 12) & (BUS_TLB.entries - 1)) * BUS_TLB.entryBytes
    const at = (this.base + CPU_AREA.busTlb + entry) >>> 2
    const mine = at + (write ? BUS_TLB.write : BUS_TLB.read) / 4
    const other = at + (write ? BUS_TLB.read : BUS_TLB.write) / 4
    words[mine] = tag
    words[mine + 1] = high
    // What the entry had for another page goes.
    if (words[other] !== tag || words[other + 1] !== high) {
      words[other] = 0xffffffff
      words[other + 1] = 0xffffffff
    }
    words[at + BUS_TLB.page / 4] = (physical & ~0xfff) >>> 0
    this.anyBus = true
  }

  /**
   * Enters a page: `low` and `high` are its virtual address as accessed, with its tag byte if it has one. `host` is where it is in
   * the linear memory; `table` is an offset of CPU_AREA. Other accesses of the same page that were entered before stay.
   */
  enter(
    table: number,
    low: number,
    high: number,
    host: number,
    allowed: number,
    nonGlobal: boolean,
    blockBytes: number,
  ): void {
    const page = (low & ~0xfff) >>> 0
    const at = (this.base + table + ((low >>> 12) & (TLB.entries - 1)) * TLB.entryBytes) >>> 2
    const { words } = this
    for (let kind = 0; kind < 3; kind++) {
      const yes = (allowed & (1 << kind)) !== 0
      words[at + 2 * kind] = yes ? page : 0xffffffff
      words[at + 2 * kind + 1] = yes ? high : 0xffffffff
    }
    words[at + 6] = host - page
    if (nonGlobal && table === CPU_AREA.tlb1) this.nonGlobal = true
    if (blockBytes > 4096) {
      this.anyBlocks = true
      if (blockBytes <= 2 ** 21) this.blocks[Cpu.block2M(low, high)] = 1
      else this.blocks[Cpu.block1G(low, high)] = 1
    }
  }
}
