/**
 * Where everything is in the one linear memory: tables for all CPUs first, then one area per CPU (its state block and its
 * software TLBs), then guest memory. Offsets only; nothing here reads or writes. Generated code and TypeScript share these numbers.
 */

/** Offsets in a CPU's state block. 64-bit words unless they say otherwise. A snapshot of a CPU is a copy of its block. */
export const STATE = {
  /** X0 to X30, 8 bytes each. Slot 31 (0xf8) is always zero: it is XZR. */
  X: 0x000,
  ZERO: 0x0f8,
  /** The current stack pointer, "slot 32"; the banked ones that are not current are in SP_EL0 and SP_EL1 below. */
  SP: 0x100,
  /** The program counter, right whenever no generated code runs, and while a host function runs. */
  PC: 0x108,
  /** PC minus the host address that instructions are fetched from, while generated code runs. */
  PC_DELTA: 0x110,
  /** i32: instructions left in this run. Setting it to 0 (see END) ends the run after the current instruction. */
  LEFT: 0x118,
  /** i32: why the run ended, a value of EXIT. */
  EXIT: 0x11c,
  /** Retired instructions when LEFT gets to 0: retired = END - LEFT. Signed: reads of the counter take from both. */
  END: 0x120,
  /** Machine time (in instructions) minus retired instructions of this CPU. */
  TIME_OFFSET: 0x128,
  /** i32, N Z C V in bits 3:0. */
  NZCV: 0x130,
  /** i32, D A I F in bits 3:0. */
  DAIF: 0x134,
  /** i32, 0 to 3. */
  EL: 0x138,
  /** i32, PSTATE.SP */
  SPSEL: 0x13c,
  /** i32 */
  PAN: 0x140,
  /** i32: PSTATE.IL */
  IL: 0x144,
  /** i32: interrupt inputs in the bits of DAIF: 2 IRQ, 1 FIQ, 4 SError; 8 when software step waits for PSTATE.D at EL1. */
  LINES: 0x148,
  /** i32: the event register of WFE. */
  EVENT: 0x14c,
  /** i32: address of the TLB of the current EL. */
  TLB: 0x150,
  /** i32: address of the TLB of EL0, which unprivileged loads and stores use (LDTR, STTR) too: a space's, or MEMORY.emptyTlb. */
  TLB_UNPRIVILEGED: 0x154,
  /** i32: not 0 when an FP or SIMD instruction at the current EL traps (CPACR_EL1.FPEN). */
  FP_TRAP: 0x158,
  /** i32: 15 when SP alignment is checked at the current EL (SCTLR_EL1.SA or SA0), else 0. */
  SP_ALIGN: 0x15c,
  /** i32: the number of this CPU. */
  INDEX: 0x160,
  /** i32: size in bytes of the exclusive reservation, 0 for none. */
  MONITOR_SIZE: 0x164,
  /** The virtual address of the exclusive reservation. */
  MONITOR: 0x168,
  /** i32: set by a host function when the instruction took an exception and must not complete. */
  FAULT: 0x170,
  /** i32: not 0 when DC ZVA traps at the current EL (SCTLR_EL1.DZE). */
  ZERO_TRAP: 0x174,
  /** Operands and results of host functions. */
  ADDRESS: 0x178,
  VALUE: 0x180,
  VALUE_HIGH: 0x188,
  /** i32 each: all of FPCR and FPSR. Cumulative flags are set in FPSR by an `or`. */
  FPCR: 0x190,
  FPSR: 0x194,
  /** i32: 1 when the CPU is powered on. */
  POWER: 0x198,
  /** i32: instructions of machine time per tick of the counter. */
  PER_TICK: 0x19c,
  /** 64 bytes for library functions. */
  SCRATCH: 0x1a0,
  /** i32: machine time that a read of a counter or timer takes, beside that of the instruction. */
  COUNTER_READ: 0x1e0,
  /** i32: PSTATE.SS */
  SS: 0x1e4,
  /** i32: ISV and EX of the syndrome of a Software Step exception: of the instruction before, 0 when that was not stepped. */
  STEPPED: 0x1e8,
  /** i32: not 0 while a page may be kept out of the TLB for a breakpoint or a watchpoint in it. */
  WATCHES: 0x1f0,
  /** i32: which entries of MEMORY.registerReads and registerWrites are good at the current EL: bits of DIRECT, or all. */
  DIRECT: 0x1f4,
  /** V0 to V31, 16 bytes each, lowest byte first. */
  V: 0x200,
  /** System registers that are plain storage, 8 bytes each, in the order of the register table. */
  REGISTERS: 0x400,
  END_OF_BLOCK: 0x1000,
} as const

export const EXIT = { budget: 0, wfi: 1, wfe: 2, yield: 3, halted: 4, debug: 5 } as const

/** Bits of an entry of MEMORY.registerReads and registerWrites: also at EL0; also there while SCTLR_EL1.UCT is set; the embedder's. */
export const DIRECT = { el0: 1, uct: 2, external: 4 } as const

/** One entry of a software TLB: three tags (the page's virtual address, or -1 for "no such access"), and where the page is. */
export const TLB = {
  /** 16 MiB of pages. Fewer miss more often: 2,048 twice, 1,024 nearly three times as often in a guest that forks; more gain little. */
  entries: 4096,
  entryBytes: 32,
  read: 0,
  write: 8,
  execute: 16,
  /** i32: host address minus virtual address (modulo 2^32). */
  addend: 24,
  bytes: 4096 * 32,
} as const

/**
 * One entry of the bus TLB, which finds pages that are not memory: two tags (the page's virtual address, and the Exception level
 * in bits 11:10; or -1), and the low word of the page's physical address. Pages above 4 GiB have no entries.
 */
export const BUS_TLB = {
  entries: 64,
  entryBytes: 32,
  read: 0,
  write: 8,
  elShift: 10,
  /** i32 */
  page: 16,
  bytes: 64 * 32,
} as const

/** Where a walk of the translation tables leaves what it found: one for all CPUs, as nobody looks at it later. */
export const WALK = {
  /** i64: physical address. */
  address: 0,
  /** i32 each from here on: READ, WRITE and EXECUTE that the EL may do. */
  allowed: 8,
  /** 1 for Device memory: accesses must be aligned. */
  device: 12,
  nonGlobal: 16,
  /** Size of the page or block, as a power of two. */
  shift: 20,
  /** MAIR attribute, and shareability: for PAR_EL1. */
  attribute: 24,
  shareability: 28,
  /** Where the address is in the linear memory for this kind of access, or 0: left there by `refill`. */
  host: 32,
} as const

/** A region of physical memory as generated code finds it. One of no size ends the table. */
export const REGION = {
  base: 0,
  size: 8,
  /** i32: host address minus physical address (modulo 2^32). */
  addend: 16,
  /** i32: READ and WRITE as far as they need no bus. */
  access: 20,
  bytes: 24,
  /** How many there may be. */
  most: 64,
} as const

/** What a CPU's TLBs hold, as far as that decides what must be dropped: i32 each. Not state of the CPU. */
export const TLB_NOTES = {
  /** Whether there are entries of blocks, and so marks in CPU_AREA.blocks. */
  anyBlocks: 0,
  /** Whether the bus TLB has entries, and non-global ones. */
  anyBus: 4,
  nonGlobalBus: 8,
  /** Whether the EL1 TLB has entries. */
  anyEl1: 12,
  /** How many non-global entries of the EL1 TLB are listed: addresses, i32 each. One more than fit: nobody knows which. */
  listed: 16,
  list: 20,
  mostListed: 64,
} as const

/** Fixed areas. */
export const MEMORY = {
  /** 16 x u16: bit NZCV of entry `cond` says whether the condition holds. */
  conditions: 0x1000,
  /** WALK */
  walk: 0x1040,
  /** REGION, one behind the other. */
  regions: 0x1080,
  /** Constant tables of library functions (soft-float and SIMD): 56 KiB. */
  routineTables: 0x2000,
  /** 128 Ki x u16: table index of the handler, by instruction bits 31:21 and 15:10. */
  decode: 0x10000,
  /** 8192 x i64: the value of a bitmask immediate, by N:immr:imms; 0 where reserved. */
  bitmasks: 0x50000,
  /** 32 Ki x u16: offset in the state block of a register that MRS may read at once, and DIRECT. By o0:op1:CRn:CRm:op2. */
  registerReads: 0x60000,
  /** The same for MSR. */
  registerWrites: 0x70000,
  /** A TLB in which nothing is found: that of EL0 while it is not decided whose it is. */
  emptyTlb: 0x80000,
  cpus: 0xa0000,
} as const

/** One CPU's area: state block, then the TLB of EL1, those of EL0 (one for each address space), that of the bus, and notes on them. */
export const CPU_AREA = {
  tlb1: 0x1000,
  spaces: 0x21000,
  busTlb: 0x121000,
  notes: 0x121800,
  /** 2 MiB and 1 GiB parts of the address space (hashed) that were entered from a block, a byte each, 4096 and 4096. */
  blocks: 0x122000,
  /** A power of two: finding the CPU of a block is a shift. */
  bytes: 0x200000,
} as const

/** Address spaces whose EL0 translations a CPU keeps. */
export const SPACES = 8

export function cpuBase(cpu: number): number {
  return MEMORY.cpus + cpu * CPU_AREA.bytes
}
