/**
 * The register tables of an ITS (IHI 0069 12.18 to 12.20): the control frame and the translation frame, in the specification's
 * order, and the vSGI frame of GICv4.1 as a declared gap. The tables that GITS_BASER points to are in `tables.ts`.
 */

import {
  bit,
  bits,
  constant,
  dword,
  type Initiator,
  notModelled,
  type Row,
  registerTable,
  word,
} from '../../mmio/index.ts'
import type { ItsState } from './state.ts'

/** PIDR and CIDR of an Arm ITS: part 0x494, JEP106 0x43B, architecture version 3. In the order of offsets: PIDR4 first. */
const peripheralIds = [0x44, 0, 0, 0, 0x94, 0xb4, 0x3b, 0]
const componentIds = [0x0d, 0xf0, 0x05, 0xb1]

/** Bits of GITS_BASER that software writes, low and high word: all but Type and Entry_Size. */
const BASER_WRITABLE = [-1, 0xf8e0_ffff | 0] as const
/** Entry_Size and Type of GITS_BASER0 (devices) and GITS_BASER1 (collections): entries of 8 bytes. */
export const baserFixed = [(7 << 16) | (1 << 24), (7 << 16) | (4 << 24)] as const
/** GITS_CBASER without its reserved bits. */
export const CBASER_BITS = [0xffff_fcff | 0, 0xb8ef_ffff | 0] as const

/** Offset in the queue, of GITS_CWRITER and GITS_CREADR. */
const OFFSET = 0xf_ffe0
/** GITS_BASER.Indirect, in the high word. */
export const INDIRECT = 1 << 30

/** GITS_BASERn: ignored while enabled; Type, Entry_Size, and fields that this ITS cannot do keep their values (12.19.1). */
function writeBaser(its: ItsState, index: number, value: number, _mask: number, by: Initiator): void {
  if (its.enabled) its.misuse('its-register-locked', by.cpu, `GITS_BASER${index >>> 1}`)
  else restoreBaser(its, index, value)
}

function restoreBaser(its: ItsState, index: number, value: number): void {
  if (index >= 4) return
  const table = index >>> 1
  const old = its.baser[index]!
  if ((index & 1) === 0) {
    const page = (value >>> 8) & 3
    its.baser[index] = its.hasPageSize(page) ? value : (value & ~0x300) | (old & 0x300)
  } else {
    const keep = its.hasIndirect(table) ? BASER_WRITABLE[1] : BASER_WRITABLE[1] & ~INDIRECT
    its.baser[index] = (value & keep) | baserFixed[table]!
  }
  its.configureTables()
}

/** GITS_CBASER: ignored while enabled; a write sets GITS_CREADR to 0 and ends a stall (12.19.2). */
function writeCbaser(its: ItsState, index: number, value: number, _mask: number, by: Initiator): void {
  if (its.enabled) {
    its.misuse('its-register-locked', by.cpu, 'GITS_CBASER')
    return
  }
  restoreCbaser(its, index, value)
  its.creadr = 0
  its.stalled = false
}

function restoreCbaser(its: ItsState, index: number, value: number): void {
  its.cbaser[index] = value & CBASER_BITS[index]!
  its.configureQueue()
}

/** GITS_CWRITER: a value beyond the queue is ignored, which the specification allows (12.19.5); Retry ends a stall. */
function writeCwriter(its: ItsState, index: number, value: number, _mask: number, by: Initiator): void {
  if (index !== 0) return
  const offset = value & OFFSET
  if (offset >= its.queueSize) {
    its.misuse('its-queue-overrun', by.cpu, `0x${offset.toString(16)}`)
    return
  }
  its.cwriter = offset
  if (value & 1) its.stalled = false
  its.run()
}

function peekCreadr(its: ItsState, index: number): number {
  return index === 0 ? its.creadr | (its.stalled ? 1 : 0) : 0
}

/** A guest that polls for the end of a long queue is what drives it on, should the machine not. */
function readCreadr(its: ItsState, index: number): number {
  if (index === 0) its.run()
  return peekCreadr(its, index)
}

function restoreCreadr(its: ItsState, index: number, value: number): void {
  if (index !== 0) return
  its.creadr = value & OFFSET
  its.stalled = (value & 1) === 1
}

/** GITS_STATUSR: each bit is cleared by writing 1 to it, and so the syndrome with UMSI. */
function writeStatusr(its: ItsState, _index: number, value: number): void {
  its.statusr &= ~(value & 0x3f)
  if (!(its.statusr & 0x10)) its.statusr &= ~0x3c0
}

/** GITS_TRANSLATER: a write of all of it, or of bits 15:0 alone, is an MSI; DeviceID 0 unless the writer is a device that has one. */
function translate(its: ItsState, _index: number, value: number, mask: number, by: Initiator): void {
  if (mask === -1 || mask === 0xffff) its.signal((by.deviceId ?? 0) >>> 0, value >>> 0)
}

const translater: Row<ItsState> = {
  ...word<ItsState>('GITS_TRANSLATER', 0x040, {
    write: translate,
    restore: false,
    fields: { EventID: bits(31, 0) },
  }),
  widths: 2 | 4,
}

const offsetField = { Offset: bits(19, 5) }

/** The table of the control frame. */
export const controlRegisters = registerTable<ItsState>('GITS', 0x10000, [
  word('GITS_CTLR', 0x0000, {
    read: (its) => its.ctlr,
    write: (its, _index, value) => its.setEnabled((value & 1) === 1),
    restore: (its, _index, value) => {
      its.enabled = (value & 1) === 1
    },
    reset: 0x8000_0000,
    fields: { Quiescent: bit(31), UMSIirq: bit(8), ITS_Number: bits(7, 4), ImDe: bit(1), Enabled: bit(0) },
    note: 'Nothing is ever under way between accesses, so Quiescent is always 1; the fields of GICv4 and UMSIirq are RES0.',
  }),
  constant('GITS_IIDR', 0x0004, (its) => its.config.iidr, {
    fields: { ProductID: bits(31, 24), Variant: bits(19, 16), Revision: bits(15, 12), Implementer: bits(11, 0) },
  }),
  dword('GITS_TYPER', 0x0008, {
    read: (its, index) => its.typer[index]!,
    fields: {
      INV: bit(46),
      UMSIirq: bit(45),
      UMSI: bit(44),
      nID: bit(43),
      SVPET: bits(42, 41),
      VMAPP: bit(40),
      VSGI: bit(39),
      MPAM: bit(38),
      VMOVP: bit(37),
      CIL: bit(36),
      CIDbits: bits(35, 32),
      HCC: bits(31, 24),
      PTA: bit(19),
      SEIS: bit(18),
      Devbits: bits(17, 13),
      ID_bits: bits(12, 8),
      ITT_entry_size: bits(7, 4),
      CCT: bit(2),
      Virtual: bit(1),
      Physical: bit(0),
    },
  }),
  notModelled('GITS_MPAMIDR', 0x0010, { mode: 'RO', fields: { PMGmax: bits(23, 16), PARTIDmax: bits(15, 0) } }),
  notModelled('GITS_PARTIDR', 0x0014, { fields: { PMG: bits(23, 16), PARTID: bits(15, 0) } }),
  notModelled('GITS_MPIDR', 0x0018, {
    mode: 'RO',
    fields: { Aff3: bits(31, 24), Aff2: bits(23, 16), Aff1: bits(15, 8) },
  }),
  word('GITS_STATUSR', 0x0040, {
    read: (its) => its.statusr,
    write: writeStatusr,
    restore: (its, _index, value) => {
      its.statusr = value & its.statusrBits
    },
    reset: 0,
    fields: {
      Syndrome: bits(9, 6),
      Overflow: bit(5),
      UMSI: bit(4),
      WROD: bit(3),
      RWOD: bit(2),
      WRD: bit(1),
      RRD: bit(0),
    },
    note: 'RAZ/WI where the configuration leaves it out.',
  }),
  dword('GITS_UMSIR', 0x0048, {
    read: (its, index) => its.umsir[index]!,
    restore: (its, index, value) => {
      if (its.config.umsi) its.umsir[index] = value
    },
    reset: 0,
    fields: { DeviceID: bits(63, 32), EventID: bits(31, 0) },
  }),
  dword('GITS_CBASER', 0x0080, {
    read: (its, index) => its.cbaser[index]!,
    write: writeCbaser,
    restore: restoreCbaser,
    reset: 0,
    fields: {
      Valid: bit(63),
      InnerCache: bits(61, 59),
      OuterCache: bits(55, 53),
      Physical_Address: bits(51, 12),
      Shareability: bits(11, 10),
      Size: bits(7, 0),
    },
  }),
  dword('GITS_CWRITER', 0x0088, {
    read: (its, index) => (index === 0 ? its.cwriter : 0),
    write: writeCwriter,
    restore: (its, index, value) => {
      if (index === 0) its.cwriter = value & OFFSET
    },
    reset: 0,
    fields: { ...offsetField, Retry: bit(0) },
  }),
  dword('GITS_CREADR', 0x0090, {
    read: readCreadr,
    peek: peekCreadr,
    restore: restoreCreadr,
    reset: 0,
    fields: { ...offsetField, Stalled: bit(0) },
  }),
  dword('GITS_BASERn', 0x0100, {
    read: (its, index) => its.baser[index] ?? 0,
    write: writeBaser,
    restore: (its, index, value) => {
      restoreBaser(its, index, value)
      its.translation.places.forget()
    },
    count: 8,
    fields: {
      Valid: bit(63),
      Indirect: bit(62),
      InnerCache: bits(61, 59),
      Type: bits(58, 56),
      OuterCache: bits(55, 53),
      Entry_Size: bits(52, 48),
      Physical_Address: bits(47, 12),
      Shareability: bits(11, 10),
      Page_Size: bits(9, 8),
      Size: bits(7, 0),
    },
    note: 'GITS_BASER0 is of devices, GITS_BASER1 of collections, the others are unimplemented.',
  }),
  constant('GITS_PIDRn', 0xffd0, (_, index) => peripheralIds[index] ?? 0, {
    count: 8,
    note: 'In the order of offsets: PIDR4 to PIDR7, then PIDR0 to PIDR3.',
  }),
  constant('GITS_CIDRn', 0xfff0, (_, index) => componentIds[index] ?? 0, { count: 4 }),
])

/** The table of the translation frame. */
export const translationRegisters = registerTable<ItsState>('GITS translation', 0x10000, [translater])

/** Only a GICv4.1 ITS has this frame (at 0x20000 from the control frame); it is in no memory map here. */
export const virtualSgiRegisters = registerTable<ItsState>('GITS vSGI', 0x10000, [
  {
    ...dword<ItsState>('GITS_SGIR', 0x020, { write: () => {}, fields: { vPEID: bits(47, 32), vINTID: bits(3, 0) } }),
    modelling: 'not-modelled',
  },
])
