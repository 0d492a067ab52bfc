/**
 * The system registers as a table: name, encoding, who may access it, reset value, and what a write changes beyond the
 * storage (DDI 0487 D13). A register that is not here is UNDEFINED. Instructions of the SYS space are in sys.ts.
 */
import { type Cpu, SCTLR, SLOT } from './cpu.ts'
import type { Feature } from './row.ts'
import { STATE } from './state.ts'
import type { Timer, TimerName } from './timer.ts'

export type Encoding = readonly [op0: number, op1: number, CRn: number, CRm: number, op2: number]

/** How an access by EL0 ends. `trap` goes to EL1 with EC 0x18; `undefined` is what a register without EL0 access does. */
export type Verdict = 'ok' | 'trap' | 'undefined'

/** What a register may need besides the CPU's own state. */
export interface Surroundings {
  readonly cpu: Cpu
  readonly timer: Timer
  readonly identity: Identity
}

/** What the embedder decides about a CPU's identity. */
export interface Identity {
  readonly features: ReadonlySet<Feature>
  readonly mpidr: bigint
  /** ID_AA64PFR0_EL1.GIC: ICC_* system registers are there. */
  readonly gicSystemRegisters: boolean
  readonly counterFrequency: number
}

export interface SystemRegister {
  readonly name: string
  /** The name for MSR, where one encoding is two registers. */
  readonly writeName: string | undefined
  readonly encoding: Encoding
  readonly access: 'rw' | 'ro' | 'wo'
  /** EL0: not at all unless given. */
  readonly el0: 'ro' | 'rw' | undefined | ((cpu: Cpu, write: boolean) => Verdict)
  /** Storage in the state block, when reading it is nothing but reading that. */
  readonly slot: number | undefined
  /** Bits that a write may change; the others keep their value. */
  readonly mask: bigint
  readonly reset: (around: Surroundings) => bigint
  readonly read: ((around: Surroundings) => bigint) | undefined
  readonly write: ((around: Surroundings, value: bigint) => void) | undefined
  /** Trapped by CPACR_EL1.FPEN like an FP instruction. */
  readonly fp: boolean
  /** A counter, or what is compared with one: software reads it again and again until something is due. */
  readonly timed: boolean
}

const all = (1n << 64n) - 1n
let nextSlot: number = SLOT.TABLE

type Options = Partial<Omit<SystemRegister, 'name' | 'encoding' | 'reset'>> & { readonly reset?: bigint }

function register(name: string, encoding: Encoding, options: Options): SystemRegister {
  const { reset = 0n } = options
  return {
    writeName: undefined,
    access: 'rw',
    el0: undefined,
    slot: undefined,
    mask: all,
    read: undefined,
    write: undefined,
    fp: false,
    timed: false,
    ...options,
    name,
    encoding,
    reset: () => reset,
  }
}

/** A register that is storage; `changed` runs after a write that the storage took. */
function stored(
  name: string,
  encoding: Encoding,
  options: Options & { readonly changed?: (around: Surroundings, before: bigint) => void } = {},
): SystemRegister {
  const slot = options.slot ?? nextSlot
  if (options.slot === undefined) nextSlot += 8
  const { changed, mask = all, ...rest } = options
  const write =
    changed || mask !== all
      ? (around: Surroundings, value: bigint) => {
          const before = around.cpu.quad(slot)
          around.cpu.setQuad(slot, (before & ~mask) | (value & mask))
          changed?.(around, before)
        }
      : undefined
  return register(name, encoding, { ...rest, mask, slot, write })
}

function constant(
  name: string,
  encoding: Encoding,
  value: bigint | ((identity: Identity) => bigint),
  options: Options = {},
): SystemRegister {
  return register(name, encoding, {
    access: 'ro',
    read: ({ identity }) => (typeof value === 'function' ? value(identity) : value),
    ...options,
  })
}

function computed(
  name: string,
  encoding: Encoding,
  read: ((around: Surroundings) => bigint) | undefined,
  write: ((around: Surroundings, value: bigint) => void) | undefined,
  options: Options = {},
): SystemRegister {
  return register(name, encoding, { access: read ? (write ? 'rw' : 'ro') : 'wo', read, write, ...options })
}

const ignore = () => {}
const zero = () => 0n

function onSctlr(bit: number): (cpu: Cpu) => Verdict {
  return (cpu) => (cpu.word(SLOT.SCTLR_EL1) & bit ? 'ok' : 'trap')
}

function onTimerControl(bit: number): (cpu: Cpu) => Verdict {
  return (cpu) => (cpu.word(SLOT.CNTKCTL_EL1) & bit ? 'ok' : 'trap')
}

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
  // Debug architecture v8, two breakpoints (one of them context-aware) and two watchpoints, which is the least there can be.
  constant('ID_AA64DFR0_EL1', [3, 0, 0, 5, 0], 0x00101006n),
  constant(
    'ID_AA64ISAR0_EL1',
    [3, 0, 0, 6, 0],
    (identity) =>
      has(identity, 'FEAT_AES', 1n << 4n) |
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
  constant('CTR_EL0', [3, 3, 0, 0, 1], 0x8444c004n, { el0: onSctlr(SCTLR.UCT) }),
  // 64-byte blocks; prohibited at EL0 unless SCTLR_EL1.DZE.
  computed(
    'DCZID_EL0',
    [3, 3, 0, 0, 7],
    ({ cpu }) => (cpu.el === 0 && (cpu.word(SLOT.SCTLR_EL1) & SCTLR.DZE) === 0 ? 0x14n : 0x4n),
    undefined,
    { el0: 'ro' },
  ),
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
      if ((before ^ cpu.quad(SLOT.SCTLR_EL1)) & BigInt(SCTLR.M | SCTLR.A | SCTLR.WXN)) cpu.flushAll()
      cpu.update()
    },
  }),
  register('ACTLR_EL1', [3, 0, 1, 0, 1], { read: zero, write: ignore }),
  stored('CPACR_EL1', [3, 0, 1, 0, 2], { slot: SLOT.CPACR_EL1, mask: 0x300000n, changed: ({ cpu }) => cpu.update() }),
  stored('TTBR0_EL1', [3, 0, 2, 0, 0], {
    slot: SLOT.TTBR0_EL1,
    changed: ({ cpu }, before) => {
      if (before !== cpu.quad(SLOT.TTBR0_EL1)) cpu.flushNonGlobal()
    },
  }),
  stored('TTBR1_EL1', [3, 0, 2, 0, 1], {
    slot: SLOT.TTBR1_EL1,
    changed: ({ cpu }, before) => {
      const difference = before ^ cpu.quad(SLOT.TTBR1_EL1)
      if (difference & 0xffffffffffffn) cpu.flushAll()
      else if (difference) cpu.flushNonGlobal()
    },
  }),
  stored('TCR_EL1', [3, 0, 2, 0, 2], { slot: SLOT.TCR_EL1, changed: ({ cpu }) => cpu.flushAll() }),
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
  stored('MAIR_EL1', [3, 0, 10, 2, 0], { slot: SLOT.MAIR_EL1, changed: ({ cpu }) => cpu.flushAll() }),
  stored('AMAIR_EL1', [3, 0, 10, 3, 0], { mask: 0n }),
  stored('VBAR_EL1', [3, 0, 12, 0, 0], { slot: SLOT.VBAR_EL1, mask: all ^ 0x7ffn }),
  computed('RVBAR_EL1', [3, 0, 12, 0, 1], zero, undefined),
  computed('ISR_EL1', [3, 0, 12, 1, 0], ({ cpu }) => BigInt((cpu.word(STATE.LINES) & 7) << 6), undefined),
  stored('CONTEXTIDR_EL1', [3, 0, 13, 0, 1]),
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

// --- self-hosted debug: registers are there, breakpoints and watchpoints do not fire -------------------------------------------

const mdscr = stored('MDSCR_EL1', [2, 0, 0, 2, 2], { mask: 0x6c00b001n })
/** MDSCR_EL1.TDCC traps EL0's accesses to the Debug Communications Channel. */
const onDebugChannel = (cpu: Cpu): Verdict => (cpu.word(mdscr.slot!) & 0x1000 ? 'trap' : 'ok')

const claimed = stored('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6])
/** Writes clear the tags that they name. */
const claim: SystemRegister = {
  ...claimed,
  write: ({ cpu }, value) => cpu.setQuad(claimed.slot!, cpu.quad(claimed.slot!) & ~value),
}

const debug: readonly SystemRegister[] = [
  stored('OSDTRRX_EL1', [2, 0, 0, 0, 2], { mask: 0xffffffffn }),
  ...[0, 1].flatMap((n) => [
    stored(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4], { mask: all ^ 3n }),
    stored(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], { mask: 0xffe1e7n }),
    stored(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6], { mask: all ^ 3n }),
    stored(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], { mask: 0x1f1fffffn }),
  ]),
  stored('MDCCINT_EL1', [2, 0, 0, 2, 0], { mask: 0x60000000n }),
  mdscr,
  stored('OSDTRTX_EL1', [2, 0, 0, 3, 2], { mask: 0xffffffffn }),
  stored('OSECCR_EL1', [2, 0, 0, 6, 2], { mask: 0n }),
  computed('MDRAR_EL1', [2, 0, 1, 0, 0], zero, undefined),
  computed('OSLAR_EL1', [2, 0, 1, 0, 4], undefined, ({ cpu }, value) => {
    cpu.setQuad(osLock.slot!, 8n | ((value & 1n) << 1n))
  }),
  stored('DBGPRCR_EL1', [2, 0, 1, 4, 4], { mask: 1n }),
  stored('OSDLR_EL1', [2, 0, 1, 3, 4], { mask: 1n }),
  // Eight CLAIM tags: SET says which there are, CLR which are set.
  computed(
    'DBGCLAIMSET_EL1',
    [2, 0, 7, 8, 6],
    () => 0xffn,
    ({ cpu }, value) => cpu.setQuad(claim.slot!, cpu.quad(claim.slot!) | (value & 0xffn)),
  ),
  claim,
  computed('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], zero, undefined),
  // Nobody is at the other end of the Debug Communications Channel.
  computed('MDCCSR_EL0', [2, 3, 0, 1, 0], zero, undefined, { el0: onDebugChannel }),
  computed('DBGDTR_EL0', [2, 3, 0, 4, 0], zero, ignore, { el0: onDebugChannel }),
  computed('DBGDTRRX_EL0', [2, 3, 0, 5, 0], zero, ignore, { el0: onDebugChannel, writeName: 'DBGDTRTX_EL0' }),
]

/** OSLSR_EL1: the OS lock is there (OSLM 0b10) and locked (OSLK) after reset. */
const osLock: SystemRegister = stored('OSLSR_EL1', [2, 0, 1, 1, 4], { access: 'ro', reset: 0xan })

// --- generic timer -----------------------------------------------------------------------------------------------------------

function timerRegisters(timer: TimerName, prefix: string, CRm: number, el0Bit: number): readonly SystemRegister[] {
  const el0 = onTimerControl(el0Bit)
  return [
    computed(
      `${prefix}_TVAL_EL0`,
      [3, 3, 14, CRm, 0],
      (around) => around.timer.value(timer),
      (around, value) => around.timer.setValue(timer, value),
      { el0, timed: true },
    ),
    computed(
      `${prefix}_CTL_EL0`,
      [3, 3, 14, CRm, 1],
      (around) => BigInt(around.timer.control(timer)),
      (around, value) => around.timer.setControl(timer, Number(value & 0xffffffffn)),
      { el0, timed: true },
    ),
    computed(
      `${prefix}_CVAL_EL0`,
      [3, 3, 14, CRm, 2],
      (around) => around.timer.compare(timer),
      (around, value) => around.timer.setCompare(timer, value),
      { el0 },
    ),
  ]
}

/** CNTKCTL_EL1.EL0PCTEN, EL0VCTEN, EL0VTEN, EL0PTEN. */
const EL0PCTEN = 1
const EL0VCTEN = 2
const EL0VTEN = 1 << 8
const EL0PTEN = 1 << 9

const timers: readonly SystemRegister[] = [
  stored('CNTKCTL_EL1', [3, 0, 14, 1, 0], { slot: SLOT.CNTKCTL_EL1, mask: 0x3ffn }),
  // Writable at the highest implemented Exception level, which is EL1; only a number for software to read.
  stored('CNTFRQ_EL0', [3, 3, 14, 0, 0], {
    mask: 0xffffffffn,
    el0: (cpu, write) => (write ? 'undefined' : cpu.word(SLOT.CNTKCTL_EL1) & (EL0PCTEN | EL0VCTEN) ? 'ok' : 'trap'),
  }),
  computed('CNTPCT_EL0', [3, 3, 14, 0, 1], ({ timer }) => timer.physicalCount, undefined, {
    el0: onTimerControl(EL0PCTEN),
    timed: true,
  }),
  computed('CNTVCT_EL0', [3, 3, 14, 0, 2], ({ timer }) => timer.count('virtual'), undefined, {
    el0: onTimerControl(EL0VCTEN),
    timed: true,
  }),
  ...timerRegisters('physical', 'CNTP', 2, EL0PTEN),
  ...timerRegisters('virtual', 'CNTV', 3, EL0VTEN),
]

const everyone: readonly SystemRegister[] = [...identification, ...control, ...debug, osLock, ...timers]

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
