/**
 * The register table of the GICv2 Distributor (IHI 0048 4.3), in the specification's order. What each bank shows is in
 * `views.ts`. Registers that only GICv3 has are not here: at their offsets a GICv2 has nothing.
 */

import { bit, bits, constant, type Fields, type Initiator, perIrq, registerTable, word } from '../../mmio/index.ts'
import { actives, clearPending, enables, groups, nonSecureAccess, priorities, setPending, triggers } from '../views.ts'
import { distributorTyper, readDistributorControl, sendSgi, writeDistributorControl } from './distributor-control.ts'
import type { GicV2State } from './state.ts'
import { inputs, sgiSources, targets } from './views.ts'

/** INTIDs 0 to 31 exist once for each CPU, and show that CPU's to it. */
const banked = { irqs: 32, cpus: (gic: GicV2State) => gic.config.cpus }
/** Fields of a bank as Arm names them, one for each interrupt of a word. */
function each(name: (i: number) => string, width: 1 | 2 | 8): Fields {
  return Object.fromEntries(
    Array.from({ length: 32 / width }, (_, i) => [name(i), bits(i * width + width - 1, i * width)]),
  )
}

const indexed = (name: string, width: 1 | 2 | 8 = 1) => each((i) => `${name}[${i}]`, width)
const offsets = (name: string) => each((i) => `${name}_offset_${i}B`, 8)

/** The last INTID is 1,019: the last four of 1,024 have no priority and no target byte. */
const bytes = { irqs: 1020, banked, widths: [1, 4] as const }

/** PIDR and CIDR of an Arm GICv2 (IHI 0048 4.3.18): part 0x490, JEP106 0x43B, architecture version 2. */
const peripheralIds = [0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0]
const componentIds = [0x0d, 0xf0, 0x05, 0xb1]

export const distributor = registerTable<GicV2State>('GICD', 0x1000, [
  word('GICD_CTLR', 0x000, {
    read: readDistributorControl,
    write: writeDistributorControl,
    reset: 0,
    fields: { EnableGrp0: bit(0), EnableGrp1: bit(1) },
    note: 'With the Security Extensions a Non-secure access sees EnableGrp1 alone, as bit 0.',
  }),
  constant('GICD_TYPER', 0x004, distributorTyper, {
    fields: { LSPI: bits(15, 11), SecurityExtn: bit(10), CPUNumber: bits(7, 5), ITLinesNumber: bits(4, 0) },
  }),
  constant('GICD_IIDR', 0x008, (gic) => gic.config.distributorIidr, {
    fields: { ProductID: bits(31, 24), Variant: bits(19, 16), Revision: bits(15, 12), Implementer: bits(11, 0) },
  }),
  perIrq('GICD_IGROUPRn', 0x080, {
    fields: indexed('Group_status_bit'),
    bits: 1,
    bank: 'replace',
    banked,
    view: groups,
    reset: 0,
  }),
  perIrq('GICD_ISENABLERn', 0x100, { fields: indexed('Set_enable_bit'), bits: 1, bank: 'set', banked, view: enables }),
  perIrq('GICD_ICENABLERn', 0x180, {
    fields: indexed('Clear_enable_bit'),
    bits: 1,
    bank: 'clear',
    banked,
    view: enables,
  }),
  perIrq('GICD_ISPENDRn', 0x200, {
    fields: indexed('Set_pending_bit'),
    bits: 1,
    bank: 'set',
    banked,
    view: setPending,
  }),
  perIrq('GICD_ICPENDRn', 0x280, {
    fields: indexed('Clear_pending_bit'),
    bits: 1,
    bank: 'clear',
    banked,
    view: clearPending,
  }),
  perIrq('GICD_ISACTIVERn', 0x300, {
    fields: indexed('Set_active_bit'),
    bits: 1,
    bank: 'set',
    banked,
    view: actives,
    reset: 0,
  }),
  perIrq('GICD_ICACTIVERn', 0x380, {
    fields: indexed('Clear_active_bit'),
    bits: 1,
    bank: 'clear',
    banked,
    view: actives,
    reset: 0,
  }),
  perIrq('GICD_IPRIORITYRn', 0x400, {
    bits: 8,
    bank: 'replace',
    ...bytes,
    view: priorities,
    fields: offsets('Priority'),
    reset: 0,
  }),
  perIrq('GICD_ITARGETSRn', 0x800, {
    bits: 8,
    bank: 'replace',
    ...bytes,
    view: targets,
    fields: offsets('CPU_targets'),
  }),
  perIrq('GICD_ICFGRn', 0xc00, { bits: 2, bank: 'replace', banked, view: triggers, fields: indexed('Int_config', 2) }),
  constant('GICD_PPISR', 0xd00, inputs, {
    fields: { PPI_status: bits(15, 0) },
    note: 'Input wires of INTIDs 16 to 31 (IMPLEMENTATION DEFINED; as GIC-400).',
  }),
  constant('GICD_SPISRn', 0xd04, (gic: GicV2State, index: number, by: Initiator) => inputs(gic, index + 1, by), {
    count: 31,
    note: 'Input wires of SPIs (IMPLEMENTATION DEFINED; as GIC-400).',
  }),
  perIrq('GICD_NSACRn', 0xe00, {
    bits: 2,
    bank: 'replace',
    banked,
    view: nonSecureAccess,
    fields: indexed('NS_access', 2),
    secure: true,
    reset: 0,
  }),
  word('GICD_SGIR', 0xf00, {
    write: sendSgi,
    restore: false,
    fields: { TargetListFilter: bits(25, 24), CPUTargetList: bits(23, 16), NSATT: bit(15), INTID: bits(3, 0) },
  }),
  perIrq('GICD_CPENDSGIRn', 0xf10, {
    bits: 8,
    bank: 'clear',
    irqs: 16,
    widths: [1, 4],
    banked: { irqs: 16, cpus: banked.cpus },
    view: sgiSources,
    fields: indexed('SGI_clear_pending_bits', 8),
    reset: 0,
  }),
  perIrq('GICD_SPENDSGIRn', 0xf20, {
    bits: 8,
    bank: 'set',
    irqs: 16,
    widths: [1, 4],
    banked: { irqs: 16, cpus: banked.cpus },
    view: sgiSources,
    fields: indexed('SGI_set_pending_bits', 8),
    reset: 0,
  }),
  constant('GICD_PIDRn', 0xfd0, (_, index) => peripheralIds[index] ?? 0, {
    count: 8,
    note: 'In the order of offsets: PIDR4 to PIDR7, then PIDR0 to PIDR3.',
  }),
  constant('GICD_CIDRn', 0xff0, (_, index) => componentIds[index] ?? 0, { count: 4 }),
])
