/**
 * The ICC_* system registers as a table: encoding, trap, fields, and what a read or write does (IHI 0069 chapter 12.2). The
 * CPU that executes MRS and MSR asks here, by encoding; what keeps it from a register is in `icc-access.ts`.
 */

import { bit, bits } from '../../mmio/index.ts'
import { acknowledge, highestPending, peekAcknowledge } from './delivery.ts'
import { deactivateInterrupt, endOfInterrupt } from './ending.ts'
import { Group } from './groups.ts'
import { type IccRegister, type Options, register } from './icc-access.ts'
import { enableOf, readControl, readControlEl3, setEnable, writeControl, writeControlEl3 } from './icc-control.ts'
import {
  activePriorities,
  readPmr,
  readPoint1,
  readRunning,
  setPoint,
  writePmr,
  writePoint1,
} from './icc-priorities.ts'
import { group1Of, isAtEl3 } from './security.ts'
import { type SgiRegister, sendSgi } from './sgi.ts'
import type { GicV3State } from './state.ts'

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

/** All of them. */
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
    // Not at EL3 either where EL2 is not enabled: it is in Non-secure state alone, as there is no Secure EL2.
    exists: (gic, cpu) => gic.config.el2 && !(isAtEl3(gic, cpu) && cpu.secure),
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

/** The register of an encoding; undefined where there is none. */
export function iccRegister(encoding: number): IccRegister | undefined {
  return numbered[byEncoding[encoding] ?? 0]
}

/** The encoding of a register by its name, as in `ICC_IAR1_EL1`; undefined when there is none of that name. */
export function iccEncoding(name: string): number | undefined {
  return byName.get(name)
}
