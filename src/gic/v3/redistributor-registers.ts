/**
 * The register table of a GICv3 Redistributor: its control frame, and from 0x10000 on its SGI and PPI frame (IHI 0069 12.10,
 * 12.11), in the order of offsets. The VLPI frames are a declared gap: they come with GICv4.
 */

import { bit, bits, constant, dword, type Fields, razWi, registerTable, word } from '../../mmio/index.ts'
import { actives, clearPending, enables, groups, nonSecureAccess, priorities, setPending, triggers } from '../views.ts'
import { bank } from './bank.ts'
import { componentIds, peripheralIds } from './ids.ts'
import type { Redistributor } from './redistributor.ts'
import { modifiers, nmis, own, ownExtended } from './views.ts'

const SGI = 0x10000
const privateWord = () => 0
/** Interrupts of a PE's own bank, and of its extended PPIs. */
const irqs = { irqs: 32 }
const eppis = { irqs: 64, first: 1 }

const baser: Fields = { InnerCache: bits(9, 7), Shareability: bits(11, 10), OuterCache: bits(58, 56) }

/** An LPI by number, where the registers that act on one are implemented and LPIs enabled. */
function lpi(redistributor: Redistributor, index: number, value: number): number {
  const { lpis } = redistributor
  return index === 0 && lpis?.covers(value >>> 0) ? value >>> 0 : -1
}

/** GICR_INVLPIR and GICR_INVALLR work where GICR_CTLR.IR says so, and wherever GICR_TYPER.DirectLPI is 1 (IHI 0069 GICR_INVLPIR). */
function invalidates({ gic }: Redistributor): boolean {
  return gic.config.invalidateRegisters || gic.config.directLpis
}

export const redistributorRegisters = registerTable<Redistributor>('GICR', 0x20000, [
  word('GICR_CTLR', 0x0000, {
    read: (r, _index, by) => r.ctlr(by),
    write: (r, _index, value, _mask, by) => r.setCtlr(value, by),
    save: (r) => r.savedCtlr,
    restore: (r, _index, value, _mask, by) => r.restoreCtlr(value, by),
    fields: {
      EnableLPIs: bit(0),
      CES: bit(1),
      IR: bit(2),
      RWP: bit(3),
      DPG0: bit(24),
      DPG1NS: bit(25),
      DPG1S: bit(26),
      UWP: bit(31),
    },
  }),
  constant('GICR_IIDR', 0x0004, (r) => r.gic.config.iidr, {
    fields: { ProductID: bits(31, 24), Variant: bits(19, 16), Revision: bits(15, 12), Implementer: bits(11, 0) },
  }),
  dword('GICR_TYPER', 0x0008, {
    read: (r, index) => (index === 1 ? r.affinity : typerLow(r)),
    fields: {
      PLPIS: bit(0),
      VLPIS: bit(1),
      Dirty: bit(2),
      DirectLPI: bit(3),
      Last: bit(4),
      DPGS: bit(5),
      MPAM: bit(6),
      RVPEID: bit(7),
      Processor_Number: bits(23, 8),
      CommonLPIAff: bits(25, 24),
      VSGI: bit(26),
      PPInum: bits(31, 27),
      Affinity_Value: bits(63, 32),
    },
  }),
  word('GICR_STATUSR', 0x0010, {
    read: (r, _index, by) => r.statusr.read(r.gic, by),
    write: (r, _index, value, _mask, by) => r.statusr.clear(r.gic, by, value),
    save: (r, _index, by) => r.statusr.save(r.gic, by),
    restore: (r, _index, value, _mask, by) => r.statusr.restore(r.gic, by, value),
    securityCopies: true,
    reset: 0,
    fields: { RRD: bit(0), WRD: bit(1), RWOD: bit(2), WROD: bit(3) },
  }),
  word('GICR_WAKER', 0x0014, {
    read: (r) => r.waker,
    write: (r, _index, value) => r.setWaker(value),
    reset: 6,
    secure: true,
    fields: { ProcessorSleep: bit(1), ChildrenAsleep: bit(2) },
  }),
  razWi('GICR_MPAMIDR', 0x0018, {
    mode: 'RO',
    fields: { PARTIDmax: bits(15, 0), PMGmax: bits(23, 16) },
    note: 'No MPAM (GICR_TYPER.MPAM 0).',
  }),
  razWi('GICR_PARTIDR', 0x001c, {
    fields: { PARTID: bits(15, 0), PMG: bits(23, 16) },
    note: 'No MPAM (GICR_TYPER.MPAM 0).',
  }),
  dword('GICR_SETLPIR', 0x0040, {
    write: (r, index, value) => {
      const intid = r.gic.config.directLpis ? lpi(r, index, value) : -1
      if (intid >= 0) r.gic.setLpi(r.pe, intid)
    },
    restore: false,
    fields: { pINTID: bits(31, 0) },
  }),
  dword('GICR_CLRLPIR', 0x0048, {
    write: (r, index, value) => {
      const intid = r.gic.config.directLpis ? lpi(r, index, value) : -1
      if (intid >= 0) r.gic.clearLpi(r.pe, intid)
    },
    restore: false,
    fields: { pINTID: bits(31, 0) },
  }),
  dword('GICR_PROPBASER', 0x0070, {
    read: (r, index) => (index === 0 ? r.propbaserLow : r.propbaserHigh),
    write: (r, index, value, mask, by) =>
      r.setPropbaser(index, ((index === 0 ? r.propbaserLow : r.propbaserHigh) & ~mask) | value, by),
    restore: (r, index, value) => r.restorePropbaser(index, value),
    fields: { IDbits: bits(4, 0), ...baser, Physical_Address: bits(51, 12) },
  }),
  dword('GICR_PENDBASER', 0x0078, {
    read: (r, index) => (index === 0 ? r.pendbaserLow : r.pendbaserHigh & ~(1 << 30)),
    write: (r, index, value, mask, by) =>
      r.setPendbaser(index, ((index === 0 ? r.pendbaserLow : r.pendbaserHigh) & ~mask) | value, by),
    save: (r, index) => (index === 0 ? r.pendbaserLow : r.pendbaserHigh),
    restore: (r, index, value) => r.restorePendbaser(index, value),
    fields: { ...baser, Physical_Address: bits(51, 16), PTZ: bit(62) },
  }),
  dword('GICR_INVLPIR', 0x00a0, {
    write: (r, index, value) => {
      const intid = invalidates(r) ? lpi(r, index, value) : -1
      if (intid >= 0) r.gic.invalidateLpi(r.pe, intid)
    },
    restore: false,
    fields: { INTID: bits(31, 0), vPEID: bits(47, 32), V: bit(63) },
  }),
  dword('GICR_INVALLR', 0x00b0, {
    write: (r, index) => {
      if (index === 0 && invalidates(r)) r.gic.invalidateAllLpis(r.pe)
    },
    restore: false,
    fields: { vPEID: bits(47, 32), V: bit(63) },
  }),
  constant('GICR_SYNCR', 0x00c0, 0, { fields: { Busy: bit(0) }, note: 'Nothing takes time: never busy.' }),
  constant('GICR_PIDRn', 0xffd0, (_, index) => peripheralIds[index] ?? 0, {
    count: 8,
    note: 'In the order of offsets: PIDR4 to PIDR7, then PIDR0 to PIDR3.',
  }),
  constant('GICR_CIDRn', 0xfff0, (_, index) => componentIds[index] ?? 0, { count: 4 }),
  bank('GICR_IGROUPR0', SGI + 0x0080, {
    bits: 1,
    bank: 'replace',
    ...irqs,
    view: own(groups, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_IGROUPRnE', SGI + 0x0084, {
    bits: 1,
    bank: 'replace',
    ...eppis,
    view: ownExtended(groups, 1),
    reset: 0,
  }),
  bank('GICR_ISENABLER0', SGI + 0x0100, {
    bits: 1,
    bank: 'set',
    ...irqs,
    view: own(enables, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_ISENABLERnE', SGI + 0x0104, { bits: 1, bank: 'set', ...eppis, view: ownExtended(enables, 1), reset: 0 }),
  bank('GICR_ICENABLER0', SGI + 0x0180, {
    bits: 1,
    bank: 'clear',
    ...irqs,
    view: own(enables, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_ICENABLERnE', SGI + 0x0184, {
    bits: 1,
    bank: 'clear',
    ...eppis,
    view: ownExtended(enables, 1),
    reset: 0,
  }),
  bank('GICR_ISPENDR0', SGI + 0x0200, { bits: 1, bank: 'set', ...irqs, view: own(setPending, 1, privateWord) }),
  bank('GICR_ISPENDRnE', SGI + 0x0204, { bits: 1, bank: 'set', ...eppis, view: ownExtended(setPending, 1) }),
  bank('GICR_ICPENDR0', SGI + 0x0280, { bits: 1, bank: 'clear', ...irqs, view: own(clearPending, 1, privateWord) }),
  bank('GICR_ICPENDRnE', SGI + 0x0284, { bits: 1, bank: 'clear', ...eppis, view: ownExtended(clearPending, 1) }),
  bank('GICR_ISACTIVER0', SGI + 0x0300, {
    bits: 1,
    bank: 'set',
    ...irqs,
    view: own(actives, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_ISACTIVERnE', SGI + 0x0304, { bits: 1, bank: 'set', ...eppis, view: ownExtended(actives, 1), reset: 0 }),
  bank('GICR_ICACTIVER0', SGI + 0x0380, {
    bits: 1,
    bank: 'clear',
    ...irqs,
    view: own(actives, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_ICACTIVERnE', SGI + 0x0384, {
    bits: 1,
    bank: 'clear',
    ...eppis,
    view: ownExtended(actives, 1),
    reset: 0,
  }),
  bank('GICR_IPRIORITYRn', SGI + 0x0400, {
    bits: 8,
    bank: 'replace',
    ...irqs,
    widths: [1, 4],
    view: own(priorities, 8, privateWord),
    reset: 0,
  }),
  bank('GICR_IPRIORITYRnE', SGI + 0x0420, {
    bits: 8,
    bank: 'replace',
    irqs: 64,
    first: 8,
    widths: [1, 4],
    view: ownExtended(priorities, 8),
    reset: 0,
  }),
  bank('GICR_ICFGRn', SGI + 0x0c00, { bits: 2, bank: 'replace', ...irqs, view: own(triggers, 2, privateWord) }),
  bank('GICR_ICFGRnE', SGI + 0x0c08, {
    bits: 2,
    bank: 'replace',
    irqs: 64,
    first: 2,
    view: ownExtended(triggers, 2),
    reset: 0,
  }),
  bank('GICR_IGRPMODR0', SGI + 0x0d00, {
    bits: 1,
    bank: 'replace',
    ...irqs,
    view: own(modifiers, 1, privateWord),
    reset: 0,
  }),
  bank('GICR_IGRPMODRnE', SGI + 0x0d04, {
    bits: 1,
    bank: 'replace',
    ...eppis,
    view: ownExtended(modifiers, 1),
    reset: 0,
  }),
  bank('GICR_NSACR', SGI + 0x0e00, {
    bits: 2,
    bank: 'replace',
    irqs: 16,
    view: own(nonSecureAccess, 2, privateWord),
    secure: true,
    reset: 0,
  }),
  bank('GICR_INMIR0', SGI + 0x0f80, { bits: 1, bank: 'replace', ...irqs, view: own(nmis, 1, privateWord), reset: 0 }),
  bank('GICR_INMIRnE', SGI + 0x0f84, { bits: 1, bank: 'replace', ...eppis, view: ownExtended(nmis, 1), reset: 0 }),
])

function typerLow(r: Redistributor): number {
  const { directLpis, extendedPpis, lpis, oneOfN } = r.gic.config
  return (
    ((extendedPpis / 32) << 27) |
    (1 << 24) |
    (r.pe << 8) |
    (oneOfN ? 1 << 5 : 0) |
    (r.last ? 1 << 4 : 0) |
    (directLpis ? 1 << 3 : 0) |
    (lpis === undefined ? 0 : 1)
  )
}
