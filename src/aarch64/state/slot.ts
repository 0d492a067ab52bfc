/**
 * Where the system registers that the core itself uses are kept in a CPU's state block, and their fields. What they mean is the
 * register tables' business (`system/registers.ts`).
 */
import { STATE } from './state.ts'

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
  /** As it reads at the current Exception level. */
  DCZID_EL0: STATE.REGISTERS + 0x218,
  /** From here on: registers that only the table knows. */
  TABLE: STATE.REGISTERS + 0x220,
} as const
