/**
 * The system registers as a table: name, encoding, who may access it, reset value, and what a write changes beyond the
 * storage (DDI 0487 D13): identification, control and translation here. A register that is not in a table is UNDEFINED.
 */

import { BREAKPOINTS, CONTEXT_AWARE, WATCHPOINTS } from '../debug/matching.ts'
import type { Feature } from '../isa/row.ts'
import { SCTLR, SLOT } from '../state/cpu.ts'
import { STATE } from '../state/state.ts'
import { debug } from './debug-registers.ts'
import { performanceMonitors } from './pmu-registers.ts'
import {
  all,
  computed,
  constant,
  type Encoding,
  type Identity,
  ignore,
  onSctlr,
  register,
  type SystemRegister,
  stored,
  zero,
} from './system-register.ts'
import { timers } from './timer-registers.ts'

// --- identification: exactly what is implemented --------------------------------------------------------------------------

const has = (identity: Identity, feature: Feature, value: bigint) => (identity.features.has(feature) ? value : 0n)

const identification: readonly SystemRegister[] = [
  constant('MIDR_EL1', [3, 0, 0, 0, 0], 0x000f0510n),
  constant('MPIDR_EL1', [3, 0, 0, 0, 5], (identity) => identity.mpidr),
  constant('REVIDR_EL1', [3, 0, 0, 0, 6], 0n),
  // EL0 and EL1 in AArch64 only, FP and Advanced SIMD without half precision, CSV2 and CSV3.
  constant(
    'ID_AA64PFR0_EL1',
    [3, 0, 0, 4, 0],
    (identity) => 0x1100000000000011n | (identity.gicSystemRegisters ? 1n << 24n : 0n),
  ),
  // Debug architecture v8, PMUv3, and as many breakpoints and watchpoints as a Cortex-A57.
  constant(
    'ID_AA64DFR0_EL1',
    [3, 0, 0, 5, 0],
    BigInt(((CONTEXT_AWARE - 1) << 28) | ((WATCHPOINTS - 1) << 20) | ((BREAKPOINTS - 1) << 12) | (1 << 8) | 6),
  ),
  constant(
    'ID_AA64ISAR0_EL1',
    [3, 0, 0, 6, 0],
    (identity) =>
      (has(identity, 'FEAT_AES', 1n << 4n) + has(identity, 'FEAT_PMULL', 1n << 4n)) |
      has(identity, 'FEAT_SHA1', 1n << 8n) |
      has(identity, 'FEAT_SHA256', 1n << 12n) |
      has(identity, 'FEAT_CRC32', 1n << 16n) |
      has(identity, 'FEAT_LSE', 2n << 20n),
  ),
  // 40-bit physical addresses, 16-bit ASIDs, granules of 4, 16 and 64 KiB, no mixed endianness.
  constant('ID_AA64MMFR0_EL1', [3, 0, 0, 7, 0], 0x00100022n),
  constant('ID_AA64MMFR1_EL1', [3, 0, 0, 7, 1], (identity) => has(identity, 'FEAT_PAN', 1n << 20n)),
  constant('CCSIDR_EL1', [3, 1, 0, 0, 0], 0x700fe01an),
  // Three levels of coherency points, one unified level of separate caches: as a small Cortex core.
  constant('CLIDR_EL1', [3, 1, 0, 0, 1], 0x0a200023n),
  constant('AIDR_EL1', [3, 1, 0, 0, 7], 0n),
  stored('CSSELR_EL1', [3, 2, 0, 0, 0], { mask: 0xfn }),
  // 64-byte lines, PIPT.
  constant('CTR_EL0', [3, 3, 0, 0, 1], 0x8444c004n, { el0: 'uct' }),
  // 64-byte blocks; prohibited at EL0 unless SCTLR_EL1.DZE, which Cpu.update follows.
  stored('DCZID_EL0', [3, 3, 0, 0, 7], { slot: SLOT.DCZID_EL0, access: 'ro', el0: 'ro' }),
]

// --- control and translation ------------------------------------------------------------------------------------------------

const sctlrWritable = BigInt(
  (SCTLR.M |
    SCTLR.A |
    (1 << 2) |
    SCTLR.SA |
    SCTLR.SA0 |
    SCTLR.UMA |
    (1 << 12) |
    SCTLR.DZE |
    SCTLR.UCT |
    SCTLR.nTWI |
    SCTLR.nTWE |
    SCTLR.WXN |
    SCTLR.SPAN |
    SCTLR.UCI) >>>
    0,
)
/**
 * RES1 without AArch32 and the features of later versions: bits 29, 28, 22 (EIS), 20, 11 (EOS), 8 (SED), 7 (ITD); and SPAN without
 * FEAT_PAN. CP15BEN is RES0. Of the rest, which is UNKNOWN, nTWE, nTWI, SA0 and SA are set, as on the Cortex cores.
 */
const sctlrReset = 0x30d50998n

const control: readonly SystemRegister[] = [
  stored('SCTLR_EL1', [3, 0, 1, 0, 0], {
    slot: SLOT.SCTLR_EL1,
    mask: sctlrWritable,
    reset: sctlrReset,
    changed: ({ cpu }, before) => {
      if ((before ^ cpu.quad(SLOT.SCTLR_EL1)) & BigInt(SCTLR.M | SCTLR.A | SCTLR.WXN)) cpu.tlb.flushAll()
      cpu.update()
    },
  }),
  register('ACTLR_EL1', [3, 0, 1, 0, 1], { read: zero, write: ignore }),
  stored('CPACR_EL1', [3, 0, 1, 0, 2], { slot: SLOT.CPACR_EL1, mask: 0x300000n, changed: ({ cpu }) => cpu.update() }),
  stored('TTBR0_EL1', [3, 0, 2, 0, 0], {
    slot: SLOT.TTBR0_EL1,
    changed: ({ cpu }, before) => {
      if (before !== cpu.quad(SLOT.TTBR0_EL1)) cpu.tlb.changeSpace()
    },
  }),
  stored('TTBR1_EL1', [3, 0, 2, 0, 1], {
    slot: SLOT.TTBR1_EL1,
    changed: ({ cpu }, before) => {
      const difference = before ^ cpu.quad(SLOT.TTBR1_EL1)
      if (difference & 0xffffffffffffn) cpu.tlb.flushAll()
      else if (difference) cpu.tlb.changeSpace()
    },
  }),
  stored('TCR_EL1', [3, 0, 2, 0, 2], { slot: SLOT.TCR_EL1, changed: ({ cpu }) => cpu.tlb.flushAll() }),
  stored('SPSR_EL1', [3, 0, 4, 0, 0], { slot: SLOT.SPSR_EL1 }),
  stored('ELR_EL1', [3, 0, 4, 0, 1], { slot: SLOT.ELR_EL1 }),
  // Accessible while it is not the current stack pointer.
  computed(
    'SP_EL0',
    [3, 0, 4, 1, 0],
    ({ cpu }) => cpu.stackPointer(0),
    ({ cpu }, value) => cpu.setStackPointer(0, value),
  ),
  computed(
    'SPSel',
    [3, 0, 4, 2, 0],
    ({ cpu }) => BigInt(cpu.word(STATE.SPSEL)),
    ({ cpu }, value) => cpu.setMode(cpu.el, Number(value & 1n)),
  ),
  computed('CurrentEL', [3, 0, 4, 2, 2], ({ cpu }) => BigInt(cpu.el << 2), undefined),
  stored('AFSR0_EL1', [3, 0, 5, 1, 0], { mask: 0n }),
  stored('AFSR1_EL1', [3, 0, 5, 1, 1], { mask: 0n }),
  stored('ESR_EL1', [3, 0, 5, 2, 0], { slot: SLOT.ESR_EL1 }),
  stored('FAR_EL1', [3, 0, 6, 0, 0], { slot: SLOT.FAR_EL1 }),
  stored('PAR_EL1', [3, 0, 7, 4, 0], { slot: SLOT.PAR_EL1 }),
  stored('MAIR_EL1', [3, 0, 10, 2, 0], { slot: SLOT.MAIR_EL1, changed: ({ cpu }) => cpu.tlb.flushAll() }),
  stored('AMAIR_EL1', [3, 0, 10, 3, 0], { mask: 0n }),
  stored('VBAR_EL1', [3, 0, 12, 0, 0], { slot: SLOT.VBAR_EL1, mask: all ^ 0x7ffn }),
  computed('RVBAR_EL1', [3, 0, 12, 0, 1], zero, undefined),
  computed('ISR_EL1', [3, 0, 12, 1, 0], ({ cpu }) => BigInt((cpu.word(STATE.LINES) & 7) << 6), undefined),
  stored('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], { slot: SLOT.CONTEXTIDR_EL1 }),
  stored('TPIDR_EL1', [3, 0, 13, 0, 4]),
  stored('TPIDR_EL0', [3, 3, 13, 0, 2], { el0: 'rw' }),
  stored('TPIDRRO_EL0', [3, 3, 13, 0, 3], { el0: 'ro' }),
  computed(
    'NZCV',
    [3, 3, 4, 2, 0],
    ({ cpu }) => BigInt((cpu.word(STATE.NZCV) << 28) >>> 0),
    ({ cpu }, value) => cpu.setWord(STATE.NZCV, Number((value >> 28n) & 15n)),
    { el0: 'rw' },
  ),
  computed(
    'DAIF',
    [3, 3, 4, 2, 1],
    ({ cpu }) => BigInt(cpu.word(STATE.DAIF) << 6),
    ({ cpu }, value) => cpu.setWord(STATE.DAIF, Number((value >> 6n) & 15n)),
    { el0: onSctlr(SCTLR.UMA) },
  ),
  computed(
    'FPCR',
    [3, 3, 4, 4, 0],
    ({ cpu }) => BigInt(cpu.word(STATE.FPCR)),
    // AHP, DN, FZ and RMode; trapped exceptions are not implemented, so their enables are RAZ.
    ({ cpu }, value) => cpu.setWord(STATE.FPCR, Number(value & 0x07c00000n)),
    { el0: 'rw', fp: true },
  ),
  computed(
    'FPSR',
    [3, 3, 4, 4, 1],
    ({ cpu }) => BigInt(cpu.word(STATE.FPSR)),
    // QC, IDC, IXC, UFC, OFC, DZC, IOC.
    ({ cpu }, value) => cpu.setWord(STATE.FPSR, Number(value & 0x0800009fn)),
    { el0: 'rw', fp: true },
  ),
]

const pan: SystemRegister = computed(
  'PAN',
  [3, 0, 4, 2, 3],
  ({ cpu }) => BigInt(cpu.word(STATE.PAN) << 22),
  ({ cpu }, value) => {
    cpu.setWord(STATE.PAN, Number((value >> 22n) & 1n))
    cpu.update()
  },
)

const everyone: readonly SystemRegister[] = [...identification, ...control, ...debug, ...timers, ...performanceMonitors]

/** Every register there can be; PAN only with FEAT_PAN. */
export const allRegisters: readonly SystemRegister[] = [...everyone, pan]

export function registersOf(features: ReadonlySet<Feature>): readonly SystemRegister[] {
  return features.has('FEAT_PAN') ? allRegisters : everyone
}

/** Position in the tables by encoding: o0, op1, CRn, CRm, op2, as in bits 19:5 of MRS and MSR. */
export function encodingKey([op0, op1, CRn, CRm, op2]: Encoding): number {
  return ((op0 & 1) << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2
}

/** The reserved part of the ID register space, which reads as zero (DDI 0487 D12.3.1): op0 3, op1 0, CRn 0, CRm 1 to 7. */
export function isReservedId(key: number): boolean {
  const CRm = (key >>> 3) & 15
  return key >>> 7 === 0x80 && CRm >= 1 && CRm <= 7
}
