/**
 * The ICC_* system registers as a table: encoding, access, trap, and what a read or write does (IHI 0069 chapter 12.2). The
 * CPU that executes MRS and MSR asks here, by encoding; an UNDEFINED or trapped access is an outcome for it to raise.
 */

import { bit, bits, type Fields } from '../../mmio/index.ts'
import { Bank, type CpuInterfaceV3, IDLE_PRIORITY } from './cpu-interface.ts'
import {
  acknowledge,
  bankOf,
  deactivateInterrupt,
  endOfInterrupt,
  highestPending,
  peekAcknowledge,
} from './delivery.ts'
import { Group } from './groups.ts'
import { type SgiRegister, sendSgi } from './sgi.ts'
import type { GicV3State } from './state.ts'

/** What an access to a system register comes to. */
export const SysregOutcome = { ok: 0, undefined: 1, trapEl3: 2 } as const
export type SysregOutcome = (typeof SysregOutcome)[keyof typeof SysregOutcome]

const { ok: OK, undefined: UNDEFINED, trapEl3: TRAP_EL3 } = SysregOutcome

/** Which traps of SCR_EL3 take an access below EL3, as bits: Group 0 registers FIQ, Group 1 registers IRQ, common ones both. */
const FIQ = 1 << 0
const IRQ = 1 << 1
const traps = { 'group 0': FIQ, 'group 1': IRQ, common: FIQ | IRQ, none: 0 } as const
type Trap = keyof typeof traps

/** Reads return the low word; bits 63:32 go to `gic.sysregHigh`. */
type Read = (gic: GicV3State, cpu: CpuInterfaceV3) => number
type Write = (gic: GicV3State, cpu: CpuInterfaceV3, low: number, high: number) => void

export interface IccRegister {
  readonly name: string
  /** op0, op1, CRn, CRm and op2, packed as MRS and MSR have them in bits 20:5. */
  readonly encoding: number
  readonly leastEl: 1 | 2 | 3
  readonly trap: Trap
  /** The bits of SCR_EL3 that trap it when all of them are set; 0 for none. */
  readonly traps: number
  readonly fields: Fields
  readonly read: Read | undefined
  readonly write: Write | undefined
  readonly peek: Read | undefined
  readonly readHasEffect: boolean
  /** Not there in some configurations; undefined where it always is. */
  readonly exists: ((gic: GicV3State, cpu: CpuInterfaceV3) => boolean) | undefined
}

/** Packs an encoding as the instruction has it: op0 of 3 is bits 15:14 both set. */
export function encodeSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
}

interface Options {
  read?: Read
  write?: Write
  peek?: Read
  fields?: Fields
  exists?: (gic: GicV3State, cpu: CpuInterfaceV3) => boolean
}

function register(
  name: string,
  op1: number,
  crn: number,
  crm: number,
  op2: number,
  trap: Trap,
  options: Options,
): IccRegister {
  return {
    name,
    encoding: encodeSysreg(3, op1, crn, crm, op2),
    leastEl: op1 === 6 ? 3 : op1 === 4 ? 2 : 1,
    trap,
    traps: traps[trap],
    fields: options.fields ?? {},
    read: options.read,
    write: options.write,
    peek: options.peek ?? options.read,
    readHasEffect: options.peek !== undefined,
    exists: options.exists,
  }
}

const intid = { INTID: bits(23, 0) }
const priority = { Priority: bits(7, 0) }
const point = { BinaryPoint: bits(2, 0) }
const sgiFields = {
  TargetList: bits(15, 0),
  Aff1: bits(23, 16),
  INTID: bits(27, 24),
  Aff2: bits(39, 32),
  IRM: bit(40),
  RS: bits(47, 44),
  Aff3: bits(55, 48),
}
const identification = {
  PRIbits: bits(10, 8),
  IDbits: bits(13, 11),
  SEIS: bit(14),
  A3V: bit(15),
  RSS: bit(18),
  ExtRange: bit(19),
}

const sgi = (which: SgiRegister): Options => ({
  write: (gic, cpu, low, high) => sendSgi(gic, cpu, which, low, high),
  fields: sgiFields,
})

const hasEl3 = (gic: GicV3State) => gic.config.security
/** System register access is always on, at every level, and interrupt bypass is never supported: RAO/WI. */
const SRE = 7
const SRE_ENABLE = 8

function activePriorities(): IccRegister[] {
  const rows: IccRegister[] = []
  for (let n = 0; n < 4; n++) {
    const exists = (_: GicV3State, cpu: CpuInterfaceV3) => n < cpu.aprRegisters
    rows.push(
      register(`ICC_AP0R${n}_EL1`, 0, 12, 8, 4 + n, 'group 0', {
        exists,
        read: (_, cpu) => cpu.apr[Group.G0][n]!,
        write: (gic, cpu, low) => setActivePriorities(gic, cpu, Group.G0, n, low),
      }),
      register(`ICC_AP1R${n}_EL1`, 0, 12, 9, n, 'group 1', {
        exists,
        fields: n === 0 ? { NMI: bit(63) } : {},
        read: (gic, cpu) => {
          const group = group1Of(gic, cpu)
          if (n === 0 && cpu.activeNmi & (1 << group)) gic.sysregHigh = 1 << 31
          return cpu.apr[group][n]!
        },
        write: (gic, cpu, low, high) => {
          const group = group1Of(gic, cpu)
          if (n === 0 && gic.config.nmi) cpu.activeNmi = (cpu.activeNmi & ~(1 << group)) | (high < 0 ? 1 << group : 0)
          setActivePriorities(gic, cpu, group, n, low)
        },
      }),
    )
  }
  return rows
}

export const iccRegisters: readonly IccRegister[] = [
  register('ICC_PMR_EL1', 0, 4, 6, 0, 'common', { read: readPmr, write: writePmr, fields: priority }),
  register('ICC_IAR0_EL1', 0, 12, 8, 0, 'group 0', {
    read: (gic, cpu) => acknowledge(gic, cpu, 'IAR0'),
    peek: (gic, cpu) => peekAcknowledge(gic, cpu, 'IAR0'),
    fields: intid,
  }),
  register('ICC_EOIR0_EL1', 0, 12, 8, 1, 'group 0', {
    write: (gic, cpu, low) => endOfInterrupt(gic, cpu, low, 0),
    fields: intid,
  }),
  register('ICC_HPPIR0_EL1', 0, 12, 8, 2, 'group 0', {
    read: (gic, cpu) => highestPending(gic, cpu, 0),
    fields: intid,
  }),
  register('ICC_BPR0_EL1', 0, 12, 8, 3, 'group 0', {
    read: (_, cpu) => cpu.bpr[Group.G0]!,
    write: (gic, cpu, low) => setPoint(gic, cpu, Group.G0, low),
    fields: point,
  }),
  ...activePriorities(),
  register('ICC_NMIAR1_EL1', 0, 12, 9, 5, 'group 1', {
    // UNDEFINED while SCTLR_ELx.NMI is 0.
    exists: (gic, cpu) => gic.config.nmi && cpu.sctlrNmi,
    read: (gic, cpu) => acknowledge(gic, cpu, 'NMIAR1'),
    peek: (gic, cpu) => peekAcknowledge(gic, cpu, 'NMIAR1'),
    fields: intid,
  }),
  register('ICC_DIR_EL1', 0, 12, 11, 1, 'common', {
    write: (gic, cpu, low) => deactivateInterrupt(gic, cpu, low),
    fields: intid,
  }),
  register('ICC_RPR_EL1', 0, 12, 11, 3, 'common', {
    read: readRunning,
    fields: { ...priority, NMI_NS: bit(62), NMI: bit(63) },
  }),
  register('ICC_SGI1R_EL1', 0, 12, 11, 5, 'common', sgi('SGI1R')),
  register('ICC_ASGI1R_EL1', 0, 12, 11, 6, 'common', sgi('ASGI1R')),
  register('ICC_SGI0R_EL1', 0, 12, 11, 7, 'common', sgi('SGI0R')),
  register('ICC_IAR1_EL1', 0, 12, 12, 0, 'group 1', {
    read: (gic, cpu) => acknowledge(gic, cpu, 'IAR1'),
    peek: (gic, cpu) => peekAcknowledge(gic, cpu, 'IAR1'),
    fields: intid,
  }),
  register('ICC_EOIR1_EL1', 0, 12, 12, 1, 'group 1', {
    write: (gic, cpu, low) => endOfInterrupt(gic, cpu, low, 1),
    fields: intid,
  }),
  register('ICC_HPPIR1_EL1', 0, 12, 12, 2, 'group 1', {
    read: (gic, cpu) => highestPending(gic, cpu, 1),
    fields: intid,
  }),
  register('ICC_BPR1_EL1', 0, 12, 12, 3, 'group 1', { read: readPoint1, write: writePoint1, fields: point }),
  register('ICC_CTLR_EL1', 0, 12, 12, 4, 'common', {
    read: readControl,
    write: writeControl,
    fields: { CBPR: bit(0), EOImode: bit(1), PMHE: bit(6), ...identification },
  }),
  register('ICC_SRE_EL1', 0, 12, 12, 5, 'none', {
    read: () => SRE,
    write: () => {},
    fields: { SRE: bit(0), DFB: bit(1), DIB: bit(2) },
  }),
  register('ICC_IGRPEN0_EL1', 0, 12, 12, 6, 'group 0', {
    read: (_, cpu) => enableOf(cpu, Group.G0),
    write: (gic, cpu, low) => setEnable(gic, cpu, Group.G0, low),
    fields: { Enable: bit(0) },
  }),
  register('ICC_IGRPEN1_EL1', 0, 12, 12, 7, 'group 1', {
    read: (gic, cpu) => enableOf(cpu, group1Of(gic, cpu)),
    write: (gic, cpu, low) => setEnable(gic, cpu, group1Of(gic, cpu), low),
    fields: { Enable: bit(0) },
  }),
  register('ICC_SRE_EL2', 4, 12, 9, 5, 'none', {
    exists: (gic) => gic.config.el2,
    read: () => SRE | SRE_ENABLE,
    write: () => {},
    fields: { SRE: bit(0), DFB: bit(1), DIB: bit(2), Enable: bit(3) },
  }),
  register('ICC_CTLR_EL3', 6, 12, 12, 4, 'none', {
    exists: hasEl3,
    read: readControlEl3,
    write: writeControlEl3,
    fields: {
      CBPR_EL1S: bit(0),
      CBPR_EL1NS: bit(1),
      EOImode_EL3: bit(2),
      EOImode_EL1S: bit(3),
      EOImode_EL1NS: bit(4),
      RM: bit(5),
      PMHE: bit(6),
      nDS: bit(17),
      ...identification,
    },
  }),
  register('ICC_SRE_EL3', 6, 12, 12, 5, 'none', {
    exists: hasEl3,
    read: () => SRE | SRE_ENABLE,
    write: () => {},
    fields: { SRE: bit(0), DFB: bit(1), DIB: bit(2), Enable: bit(3) },
  }),
  register('ICC_IGRPEN1_EL3', 6, 12, 12, 7, 'none', {
    exists: hasEl3,
    read: (_, cpu) => enableOf(cpu, Group.G1NS) | (enableOf(cpu, Group.G1S) << 1),
    write: (gic, cpu, low) => {
      setEnable(gic, cpu, Group.G1NS, low)
      setEnable(gic, cpu, Group.G1S, low >>> 1)
    },
    fields: { EnableGrp1NS: bit(0), EnableGrp1S: bit(1) },
  }),
]

/** Row number + 1 of each encoding, and the rows by that. */
const byEncoding = new Uint8Array(1 << 16)
const numbered: readonly (IccRegister | undefined)[] = [undefined, ...iccRegisters]
const byName = new Map<string, number>()
iccRegisters.forEach(({ name, encoding }, i) => {
  byEncoding[encoding] = i + 1
  byName.set(name, encoding)
})

export function iccRegister(encoding: number): IccRegister | undefined {
  return numbered[byEncoding[encoding] ?? 0]
}

/** The encoding of a register by its name, as in `ICC_IAR1_EL1`; undefined when there is none of that name. */
export function iccEncoding(name: string): number | undefined {
  return byName.get(name)
}

/** What the architecture makes of an access from where the PE is, before the register itself is asked. */
export function iccAccess(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  row: IccRegister | undefined,
  write: boolean,
): SysregOutcome {
  if (
    row === undefined ||
    cpu.el < row.leastEl ||
    (write ? row.write : row.read) === undefined ||
    (row.exists !== undefined && !row.exists(gic, cpu))
  )
    return UNDEFINED
  if (row.traps !== 0 && cpu.el < 3 && gic.config.security) {
    const set = (cpu.scrFiq ? FIQ : 0) | (cpu.scrIrq ? IRQ : 0)
    if ((row.traps & ~set) === 0) return TRAP_EL3
  }
  return OK
}

/** The group that Group 1 registers mean from where the PE is. */
function group1Of(gic: GicV3State, cpu: CpuInterfaceV3): 1 | 2 {
  return bankOf(gic, cpu) === Bank.S ? Group.G1S : Group.G1NS
}

/** Non-secure software that cannot reach Group 0 sees the lower half of the priorities as all of them (IHI 0069 4.8.6). */
function shifted(gic: GicV3State, cpu: CpuInterfaceV3): boolean {
  return gic.irqs.twoStates && cpu.el !== 3 && !cpu.secure && cpu.scrFiq
}

function readPmr(gic: GicV3State, cpu: CpuInterfaceV3): number {
  if (!shifted(gic, cpu)) return cpu.pmr
  return cpu.pmr & 0x80 ? (cpu.pmr << 1) & 0xff : 0
}

function writePmr(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  if (!shifted(gic, cpu)) cpu.pmr = low & cpu.priorityMask
  else if (cpu.pmr & 0x80) cpu.pmr = (0x80 | ((low & 0xff) >>> 1)) & cpu.priorityMask
  gic.markDirty(cpu.pe)
}

function readRunning(gic: GicV3State, cpu: CpuInterfaceV3): number {
  gic.sysregHigh = activeNmis(gic, cpu)
  if (cpu.idle) return IDLE_PRIORITY
  // A Non-secure PE sees the priority of its own non-maskable interrupts as the best there is.
  if (!shifted(gic, cpu)) return cpu.running === cpu.bestNmi && gic.sysregHigh === NMI ? 0 : cpu.running
  return cpu.running & 0x80 ? (cpu.running << 1) & 0xff : 0
}

const NMI = 1 << 31
const NMI_NS = 1 << 30

/** ICC_RPR_EL1.NMI is of the reader's Security state; a Secure reader has NMI_NS for the other one. */
function activeNmis(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const nonSecure = cpu.activeNmi & (1 << Group.G1NS)
  if (!gic.irqs.twoStates || (cpu.el !== 3 && !cpu.secure)) return nonSecure ? NMI : 0
  return (cpu.activeNmi & (1 << Group.G1S) ? NMI : 0) | (nonSecure ? NMI_NS : 0)
}

function setPoint(gic: GicV3State, cpu: CpuInterfaceV3, group: 0 | 1 | 2, value: number): void {
  cpu.bpr[group] = Math.max(value & 7, cpu.minimumBpr + (group === Group.G1NS ? 1 : 0))
  gic.markDirty(cpu.pe)
}

/** With ICC_CTLR.CBPR, Secure Group 1 shares ICC_BPR0; Non-secure software sees it one greater, and cannot write it. */
function readPoint1(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const group = group1Of(gic, cpu)
  if (sharesPoint(cpu, group)) return group === Group.G1S ? cpu.bpr[Group.G0]! : Math.min(cpu.bpr[Group.G0]! + 1, 7)
  return cpu.bpr[group]!
}

function writePoint1(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  const group = group1Of(gic, cpu)
  if (!sharesPoint(cpu, group)) setPoint(gic, cpu, group, low)
  else if (group === Group.G1S) setPoint(gic, cpu, Group.G0, low)
}

function sharesPoint(cpu: CpuInterfaceV3, group: 1 | 2): boolean {
  return cpu.el !== 3 && (cpu.cbpr & (1 << (group === Group.G1S ? Bank.S : Bank.NS))) !== 0
}

function idBits(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const lowest = 31 - Math.clz32(cpu.priorityMask & -cpu.priorityMask)
  const extended = gic.config.extendedSpis > 0 || gic.config.extendedPpis > 0
  // PRIbits is one less than there are; IDbits 1: 24-bit INTIDs; A3V: Aff3 may be other than 0.
  return ((7 - lowest) << 8) | (1 << 11) | (1 << 15) | (gic.rangeSelector ? 1 << 18 : 0) | (extended ? 1 << 19 : 0)
}

function readControl(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const bank = bankOf(gic, cpu)
  return ((cpu.cbpr >>> bank) & 1) | (((cpu.eoiMode >>> bank) & 1) << 1) | (cpu.pmhe ? 1 << 6 : 0) | idBits(gic, cpu)
}

/** CBPR and PMHE are EL3's where there are two Security states (IHI 0069 12.2.6). */
function writeControl(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  const bank = bankOf(gic, cpu)
  cpu.eoiMode = (cpu.eoiMode & ~(1 << bank)) | (((low >>> 1) & 1) << bank)
  if (!gic.irqs.twoStates) {
    cpu.cbpr = (cpu.cbpr & ~(1 << bank)) | ((low & 1) << bank)
    cpu.pmhe = (low & (1 << 6)) !== 0
  }
  gic.markDirty(cpu.pe)
}

function readControlEl3(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const { cbpr, eoiMode } = cpu
  return cbpr | (cpu.eoiModeEl3 ? 1 << 2 : 0) | (eoiMode << 3) | (cpu.pmhe ? 1 << 6 : 0) | idBits(gic, cpu)
}

function writeControlEl3(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  cpu.cbpr = low & 3
  cpu.eoiModeEl3 = (low & (1 << 2)) !== 0
  cpu.eoiMode = (low >>> 3) & 3
  cpu.pmhe = (low & (1 << 6)) !== 0
  gic.markDirty(cpu.pe)
}

function enableOf(cpu: CpuInterfaceV3, group: number): number {
  return (cpu.enables >>> group) & 1
}

function setEnable(gic: GicV3State, cpu: CpuInterfaceV3, group: number, value: number): void {
  cpu.enables = (cpu.enables & ~(1 << group)) | ((value & 1) << group)
  gic.eligibilityChanged()
  gic.markDirty(cpu.pe)
}

function setActivePriorities(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  group: 0 | 1 | 2,
  index: number,
  value: number,
): void {
  cpu.apr[group][index] = value & cpu.existingLevels(index)
  cpu.taken.fill(0)
  cpu.updateRunning()
  gic.markDirty(cpu.pe)
}
