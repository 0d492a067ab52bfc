/**
 * What these CPUs have and what they do not, as data: instructions and registers from their tables, and the gaps that no table shows.
 * The documentation is made from it.
 */
import { allRegisters, type SystemRegister } from './registers.ts'
import type { Row } from './row.ts'
import { rows } from './rows.ts'
import { type SystemInstruction, systemInstructions } from './sys.ts'

export const instructionRows: readonly Row[] = rows
export const systemRegisterRows: readonly SystemRegister[] = allRegisters
export const systemInstructionRows: readonly SystemInstruction[] = systemInstructions

/** Declared gaps, each with its architectural outcome. */
export const gaps: readonly string[] = [
  'EL2, EL3 and AArch32: not there; ID_AA64PFR0_EL1 says so, HVC and SMC reach the embedder or are UNDEFINED.',
  'Self-hosted debug: the registers are there, but breakpoints, watchpoints and software step do not fire; BRK works.',
  'Halting debug: HLT and DCPSn are UNDEFINED, as without a debugger.',
  'Performance Monitors: ID_AA64DFR0_EL1.PMUVer is 0 and their registers are UNDEFINED.',
  'Big-endian data: ID_AA64MMFR0_EL1.BigEnd is 0 and SCTLR_EL1.EE and E0E are RES0.',
  'Half-precision arithmetic (FEAT_FP16) and all later optional features: their encodings are UNDEFINED.',
  'PMULL of 64-bit polynomials (FEAT_PMULL): UNDEFINED, also with FEAT_AES.',
  'Caches: there are none, so maintenance does nothing but trap and fault.',
  'Memory types: RAM mapped as Device, and all RAM while the MMU is off or SCTLR_EL1.A is set, behaves right and is slower.',
  'TLB maintenance by ASID drops every non-global entry, and by address that address of every ASID.',
]
