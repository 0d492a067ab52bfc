/**
 * The register table of the GICv3 Distributor (IHI 0069 12.9), in the order of offsets. INTIDs 0 to 31 are the
 * Redistributors': RAZ/WI here. Legacy operation (ARE 0) is a declared gap: its registers are RAZ/WI.
 */

import { bit, bits, constant, type Initiator, razWi, registerTable, word } from '../../mmio/index.ts'
import { actives, clearPending, enables, groups, nonSecureAccess, priorities, setPending, triggers } from '../views.ts'
import { bank } from './bank.ts'
import {
  clearSpiByMessage,
  readControl,
  restoreControl,
  setSpiByMessage,
  typer,
  writeControl,
} from './distributor-control.ts'
import { componentIds, peripheralIds } from './ids.ts'
import type { GicV3State } from './state.ts'
import { extended, modifiers, nmis, routes } from './views.ts'

/** State words of INTIDs 0 to 31 come once for each PE; this frame does not show them. */
const shared = { excluded: 32, banked: { irqs: 32, cpus: (gic: GicV3State) => gic.config.cpus } }
const bytes = { irqs: 1020, widths: [1, 4] as const }
const intid = { INTID: bits(12, 0) }
const legacy = { note: 'Legacy operation only: RES0 with affinity routing, which is always on.' }
/** Extended SPIs: INTIDs 4096 to 5119; RAZ/WI as far as they are not configured. */
const espi = { irqs: 1024 }

const message = (write: typeof setSpiByMessage, secure: boolean) => ({
  write: (gic: GicV3State, _index: number, value: number, _mask: number, by: Initiator) =>
    write(gic, value, by, secure),
  restore: false as const,
  widths: [2, 4] as const,
  fields: intid,
})

export const distributorV3 = registerTable<GicV3State>('GICD', 0x10000, [
  word('GICD_CTLR', 0x0000, {
    read: readControl,
    write: writeControl,
    restore: restoreControl,
    fields: {
      EnableGrp0: bit(0),
      EnableGrp1NS: bit(1),
      EnableGrp1S: bit(2),
      ARE_S: bit(4),
      ARE_NS: bit(5),
      DS: bit(6),
      E1NWF: bit(7),
      RWP: bit(31),
    },
    note: 'Secure view. With one Security state EnableGrp1 is bit 1 and ARE bit 4; in the Non-secure view EnableGrp1A is bit 1 and ARE_NS bit 4. RWP is always 0. E1NWF is RAZ/WI.',
  }),
  constant('GICD_TYPER', 0x0004, typer, {
    fields: {
      ITLinesNumber: bits(4, 0),
      CPUNumber: bits(7, 5),
      ESPI: bit(8),
      NMI: bit(9),
      SecurityExtn: bit(10),
      num_LPIs: bits(15, 11),
      MBIS: bit(16),
      LPIS: bit(17),
      DVIS: bit(18),
      IDbits: bits(23, 19),
      A3V: bit(24),
      No1N: bit(25),
      RSS: bit(26),
      ESPI_range: bits(31, 27),
    },
  }),
  constant('GICD_IIDR', 0x0008, (gic) => gic.config.iidr, {
    fields: { ProductID: bits(31, 24), Variant: bits(19, 16), Revision: bits(15, 12), Implementer: bits(11, 0) },
  }),
  constant('GICD_TYPER2', 0x000c, 0, { fields: { VID: bits(4, 0), VIL: bit(7), nASSGIcap: bit(8) } }),
  word('GICD_STATUSR', 0x0010, {
    read: (gic, _index, by) => gic.statusr.read(gic, by),
    write: (gic, _index, value, _mask, by) => gic.statusr.clear(gic, by, value),
    save: (gic, _index, by) => gic.statusr.save(gic, by),
    restore: (gic, _index, value, _mask, by) => gic.statusr.restore(gic, by, value),
    securityCopies: true,
    reset: 0,
    fields: { RRD: bit(0), WRD: bit(1), RWOD: bit(2), WROD: bit(3) },
  }),
  word('GICD_SETSPI_NSR', 0x0040, message(setSpiByMessage, false)),
  word('GICD_CLRSPI_NSR', 0x0048, message(clearSpiByMessage, false)),
  word('GICD_SETSPI_SR', 0x0050, message(setSpiByMessage, true)),
  word('GICD_CLRSPI_SR', 0x0058, message(clearSpiByMessage, true)),
  bank('GICD_IGROUPRn', 0x0080, { bits: 1, bank: 'replace', ...shared, view: groups, reset: 0 }),
  bank('GICD_ISENABLERn', 0x0100, { bits: 1, bank: 'set', ...shared, view: enables, reset: 0 }),
  bank('GICD_ICENABLERn', 0x0180, { bits: 1, bank: 'clear', ...shared, view: enables, reset: 0 }),
  bank('GICD_ISPENDRn', 0x0200, { bits: 1, bank: 'set', ...shared, view: setPending }),
  bank('GICD_ICPENDRn', 0x0280, { bits: 1, bank: 'clear', ...shared, view: clearPending }),
  bank('GICD_ISACTIVERn', 0x0300, { bits: 1, bank: 'set', ...shared, view: actives, reset: 0 }),
  bank('GICD_ICACTIVERn', 0x0380, { bits: 1, bank: 'clear', ...shared, view: actives, reset: 0 }),
  bank('GICD_IPRIORITYRn', 0x0400, { bits: 8, bank: 'replace', ...shared, ...bytes, view: priorities, reset: 0 }),
  razWi('GICD_ITARGETSRn', 0x0800, { count: 255, widths: [1, 4], ...legacy }),
  bank('GICD_ICFGRn', 0x0c00, { bits: 2, bank: 'replace', ...shared, view: triggers, reset: 0 }),
  bank('GICD_IGRPMODRn', 0x0d00, { bits: 1, bank: 'replace', ...shared, view: modifiers, reset: 0 }),
  bank('GICD_NSACRn', 0x0e00, {
    bits: 2,
    bank: 'replace',
    ...shared,
    view: nonSecureAccess,
    secure: true,
    reset: 0,
  }),
  razWi('GICD_SGIR', 0x0f00, legacy),
  razWi('GICD_CPENDSGIRn', 0x0f10, { count: 4, widths: [1, 4], ...legacy }),
  razWi('GICD_SPENDSGIRn', 0x0f20, { count: 4, widths: [1, 4], ...legacy }),
  bank('GICD_INMIRn', 0x0f80, { bits: 1, bank: 'replace', ...shared, view: nmis, reset: 0 }),
  bank('GICD_IGROUPRnE', 0x1000, { bits: 1, bank: 'replace', ...espi, view: extended(groups, 1), reset: 0 }),
  bank('GICD_ISENABLERnE', 0x1200, { bits: 1, bank: 'set', ...espi, view: extended(enables, 1), reset: 0 }),
  bank('GICD_ICENABLERnE', 0x1400, { bits: 1, bank: 'clear', ...espi, view: extended(enables, 1), reset: 0 }),
  bank('GICD_ISPENDRnE', 0x1600, { bits: 1, bank: 'set', ...espi, view: extended(setPending, 1) }),
  bank('GICD_ICPENDRnE', 0x1800, { bits: 1, bank: 'clear', ...espi, view: extended(clearPending, 1) }),
  bank('GICD_ISACTIVERnE', 0x1a00, { bits: 1, bank: 'set', ...espi, view: extended(actives, 1), reset: 0 }),
  bank('GICD_ICACTIVERnE', 0x1c00, { bits: 1, bank: 'clear', ...espi, view: extended(actives, 1), reset: 0 }),
  bank('GICD_IPRIORITYRnE', 0x2000, {
    bits: 8,
    bank: 'replace',
    ...espi,
    widths: [1, 4],
    view: extended(priorities, 8),
    reset: 0,
  }),
  bank('GICD_ICFGRnE', 0x3000, { bits: 2, bank: 'replace', ...espi, view: extended(triggers, 2), reset: 0 }),
  bank('GICD_IGRPMODRnE', 0x3400, { bits: 1, bank: 'replace', ...espi, view: extended(modifiers, 1), reset: 0 }),
  bank('GICD_NSACRnE', 0x3600, {
    bits: 2,
    bank: 'replace',
    ...espi,
    view: extended(nonSecureAccess, 2),
    secure: true,
    reset: 0,
  }),
  bank('GICD_INMIRnE', 0x3b00, { bits: 1, bank: 'replace', ...espi, view: extended(nmis, 1), reset: 0 }),
  bank('GICD_IROUTERn', 0x6000, {
    bits: 64,
    bank: 'replace',
    irqs: 1020,
    ...shared,
    view: routes,
    fields: routeFields(),
  }),
  bank('GICD_IROUTERnE', 0x8000, {
    bits: 64,
    bank: 'replace',
    ...espi,
    view: extended(routes, 64),
    fields: routeFields(),
  }),
  constant('GICD_PIDRn', 0xffd0, (_, index) => peripheralIds[index] ?? 0, {
    count: 8,
    note: 'In the order of offsets: PIDR4 to PIDR7, then PIDR0 to PIDR3.',
  }),
  constant('GICD_CIDRn', 0xfff0, (_, index) => componentIds[index] ?? 0, { count: 4 }),
])

function routeFields() {
  return {
    Aff0: bits(7, 0),
    Aff1: bits(15, 8),
    Aff2: bits(23, 16),
    Interrupt_Routing_Mode: bit(31),
    Aff3: bits(39, 32),
  }
}
