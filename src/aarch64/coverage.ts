/**
 * What these CPUs have and what they do not, as data: instructions and registers from their tables, and the gaps that no table shows.
 * The documentation is made from it.
 */

import { features, type Row } from './isa/row.ts'
import { rows } from './isa/rows.ts'
import { allRegisters } from './system/registers.ts'
import { type SystemInstruction, systemInstructions } from './system/sys.ts'
import type { SystemRegister } from './system/system-register.ts'

export const instructionRows: readonly Row[] = rows
export const systemRegisterRows: readonly SystemRegister[] = allRegisters
export const systemInstructionRows: readonly SystemInstruction[] = systemInstructions

/** Declared gaps, each with its architectural outcome. */
export const gaps: readonly string[] = [
  'EL2, EL3 and AArch32: not there; ID_AA64PFR0_EL1 says so, HVC and SMC reach the embedder or are UNDEFINED.',
  'Self-hosted debug: a breakpoint or watchpoint with HMC or SSC set, or linked to one that is not there, behaves as disabled; MASK of 1 and 2 as 0. ' +
    'DBGBCR<n>_EL1.BAS is RES1. DC IVAC does nothing, so no watchpoint matches it. The instructions of a page with a breakpoint run one at a time.',
  'Halting debug: HLT and DCPSn are UNDEFINED, as without a debugger; nobody is at the other end of the Debug Communications Channel.',
  'Performance Monitors: PMUv3 with six event counters. A cycle is an instruction of machine time, so none pass in WFI; the events are SW_INCR, ' +
    'INST_RETIRED, EXC_TAKEN, EXC_RETURN, CPU_CYCLES and CHAIN, and others count nothing. PMCR_EL0.X is RAZ/WI. Trace registers are UNDEFINED.',
  'Big-endian data: ID_AA64MMFR0_EL1.BigEnd is 0 and SCTLR_EL1.EE and E0E are RES0.',
  'Half-precision arithmetic (FEAT_FP16) and what came later and is not listed as an option: FEAT_RDM, FEAT_DotProd, FEAT_FCMA, ' +
    'FEAT_JSCVT, FEAT_FHM, FEAT_LRCPC, FEAT_LOR, FEAT_UAO, FEAT_SVE and all others. Their ID fields are 0 and their encodings UNDEFINED; ' +
    'those in hint space (FEAT_PAuth, FEAT_BTI, FEAT_RAS) are NOPs.',
  'Translation: 48-bit addresses in, 40 out. No FEAT_HPDS, FEAT_HAFDBS, FEAT_LVA or FEAT_LPA: their bits of TCR_EL1 do nothing. The ' +
    'contiguous bit is a hint that is not taken.',
  'RMR_EL1, whose presence is IMPLEMENTATION DEFINED: UNDEFINED. Registers of IMPLEMENTATION DEFINED encodings: none.',
  'Caches: there are none, so maintenance does nothing but trap and fault.',
  'Memory types: RAM mapped as Device, and all RAM while the MMU is off or SCTLR_EL1.A is set, behaves right and is slower.',
  'TLB maintenance by address drops that address of every ASID.',
  'An exclusive reservation ends when another CPU has its turn, whatever it stores to.',
]

/** Where QEMU 7.2 does something else, and the clause (DDI 0487) that decides for what is here. The comparisons leave these out. */
export const qemuDeviations: readonly string[] = [
  'It does not check the alignment of SP (SCTLR_EL1.SA and SA0; D1.8.2).',
  'It translates a misaligned branch target before it looks at the alignment of PC (D1.13.4).',
  'It takes a block descriptor at level 0, and at level 1 with 16 and 64 KiB granules (D5.3.1).',
  'AT gives the shareability of the descriptor in PAR_EL1.SH where the memory type decides it (PAR_EL1).',
  'Cache maintenance by address does not translate, so it never faults (D5.11.2).',
  'An illegal exception return keeps PSTATE.PAN (SetPSTATEFromPSR).',
  'After a synchronous external abort, FAR_EL1 has the aligned part of the access that QEMU made (D13.2.37).',
  'A store exclusive to the address 2^64 - 1 may pass without a reservation (B2.9).',
  'A breakpoint of context that is not linked (DBGBCR<n>_EL1.BT 0b0010) does nothing (D2.8.4).',
  'DBGPRCR_EL1, DBGCLAIM*, DBGAUTHSTATUS_EL1, OSDTR*, OSECCR_EL1 and DBGDTR* are not there (D13.3).',
]

/** All of it as Markdown. */
export function cpuCoverage(): string {
  const options = [...features].map((feature) => `${feature.replace('FEAT_', '')}`).join(', ')
  const plain = rows.filter(({ feature }) => feature === undefined)
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n')
  return [
    `${plain.length} encodings of A64, which are all of ARMv8.0-A with FP and Advanced SIMD, and ${rows.length - plain.length} of`,
    `features that a configuration may have (${options}); ${allRegisters.length} system registers; ${systemInstructions.length} system`,
    'instructions. What is not there, and what a guest sees of it:',
    '',
    list(gaps),
    '',
    'Where QEMU 7.2 is different:',
    '',
    list(qemuDeviations),
  ].join('\n')
}
