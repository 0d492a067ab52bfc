/**
 * The ITS commands (IHI 0069 5.3) as a table: opcode, fields, errors, and what each does. A handler returns 0,
 * or the number of the first error in the order of their numbers, and then has changed nothing. Fetching is `queue.ts`.
 */

import { Reason, reasons } from './reasons.ts'
import type { ItsState } from './state.ts'

/** Bits of one of a command's four doublewords. */
export interface CommandField {
  readonly dw: 0 | 1 | 2 | 3
  readonly msb: number
  readonly lsb: number
}

/** Eight words, low first. */
export type CommandWords = Int32Array

/** A command of the ITS, as the table has it (IHI 0069 5.3). */
export interface Command {
  readonly name: string
  /** Bits 7:0 of its first word. */
  readonly opcode: number
  /** Where each of its fields is. */
  readonly fields: Readonly<Record<string, CommandField>>
  /** Numbers of its command errors by the specification's names, without the command's own. */
  readonly errors: Readonly<Record<string, number>>
  /** Undefined: declared, and not modelled (GICv4: virtual LPIs). */
  readonly run: ((its: ItsState, words: CommandWords) => number) | undefined
}

/** In place of an error's number: no such command, and one of GICv4. */
export const UNKNOWN_COMMAND = -1
export const NOT_MODELLED = -2

const field = (dw: 0 | 1 | 2 | 3, msb: number, lsb: number): CommandField => ({ dw, msb, lsb })

const DeviceID = field(0, 63, 32)
const Size = field(1, 4, 0)
const EventID = field(1, 31, 0)
const pINTID = field(1, 63, 32)
const ITT_addr = field(2, 51, 8)
const ICID = field(2, 15, 0)
const RDbase = field(2, 51, 16)
const RDbase2 = field(3, 51, 16)
const V = field(2, 63, 63)
const vPEID = field(1, 47, 32)

/** Powers of two up to 2^32, because `2 ** n` of a variable n is a call. */
const POWERS = Float64Array.from({ length: 33 }, (_, n) => 2 ** n)

/** The value of a field: up to 44 bits, as a number. */
export function fieldValue(words: CommandWords, { dw, msb, lsb }: CommandField): number {
  const low = words[dw * 2]!
  const high = words[dw * 2 + 1]!
  if (lsb >= 32) return cut(high >>> (lsb - 32), msb - lsb + 1)
  if (msb < 32) return cut(low >>> lsb, msb - lsb + 1)
  return cut(high, msb - 31) * POWERS[32 - lsb]! + (low >>> lsb)
}

/** The lowest `width` bits (1 to 32), unsigned. */
function cut(word: number, width: number): number {
  return width === 32 ? word >>> 0 : word & ((1 << width) - 1)
}

/** What can be wrong with the way from a DeviceID to a PE; the numbers of `reasons`. */
const onTheWay = (base: number) => ({
  DEVICE_OOR: base | 0x01,
  UNMAPPED_DEVICE: base | 0x04,
  ID_OOR: base | 0x05,
  UNMAPPED_INTERRUPT: base | 0x07,
  ITE_INVALID: base | 0x10,
})

const mapping = (base: number) => ({
  DEVICE_OOR: base | 0x01,
  COLLECTION_OOR: base | 0x03,
  UNMAPPED_DEVICE: base | 0x04,
  ID_OOR: base | 0x05,
  PHYSICALID_OOR: base | 0x06,
})

const errors = {
  MOVI: {
    DEVICE_OOR: 0x01_0101,
    COLLECTION_OOR: 0x01_0103,
    UNMAPPED_DEVICE: 0x01_0104,
    ID_OOR: 0x01_0105,
    UNMAPPED_INTERRUPT: 0x01_0107,
    UNMAPPED_COLLECTION: 0x01_0109,
  },
  INT: onTheWay(0x01_0300),
  CLEAR: onTheWay(0x01_0500),
  MAPD: { DEVICE_OOR: 0x01_0801, ITTSIZE_OOR: 0x01_0802 },
  MAPC: { PROCNUM_OOR: 0x01_0902, COLLECTION_OOR: 0x01_0903 },
  MAPTI: mapping(0x01_0a00),
  MAPI: mapping(0x01_0b00),
  INV: onTheWay(0x01_0c00),
  INVALL: { COLLECTION_OOR: 0x01_0d03, UNMAPPED_COLLECTION: 0x01_0d09 },
  MOVALL: { PROCNUM_OOR: 0x01_0e01 },
  DISCARD: onTheWay(0x01_0f00),
} as const

/** A command on one mapped interrupt: what to do once the way to its PE is known. */
function onInterrupt(base: number, act: (its: ItsState, pe: number, intid: number) => void) {
  return (its: ItsState, words: CommandWords): number => {
    const { translation } = its
    const device = fieldValue(words, DeviceID)
    const reason = translation.walk(device, fieldValue(words, EventID))
    if (reason !== Reason.delivered) return base | reasons[reason]!.suffix
    translation.noteWalk(device)
    act(its, translation.entries.pe, translation.entries.intid)
    return 0
  }
}

function mapDevice(its: ItsState, words: CommandWords): number {
  const { translation, config } = its
  const device = fieldValue(words, DeviceID)
  const address = translation.devices.entry(device)
  if (address < 0) return errors.MAPD.DEVICE_OOR
  if (fieldValue(words, V) === 0) {
    translation.entries.clear(address)
    return 0
  }
  const eventBits = fieldValue(words, Size) + 1
  if (eventBits > config.eventIdBits) return errors.MAPD.ITTSIZE_OOR
  translation.entries.writeDevice(address, fieldValue(words, ITT_addr) * 256, eventBits)
  translation.noteDevice(device, address)
  return 0
}

function mapCollection(its: ItsState, words: CommandWords): number {
  const { translation } = its
  const valid = fieldValue(words, V) === 1
  const pe = valid ? its.peOf(fieldValue(words, RDbase)) : 0
  if (pe < 0) return errors.MAPC.PROCNUM_OOR
  const icid = fieldValue(words, ICID)
  const address = translation.collections.entry(icid)
  if (address < 0) return errors.MAPC.COLLECTION_OOR
  if (valid) translation.entries.writeCollection(address, pe, icid)
  else translation.entries.clear(address)
  return 0
}

/** MAPTI, and MAPI, whose EventID is the INTID. */
function mapInterrupt(numbers: (typeof errors)['MAPTI'], intidField: CommandField) {
  return (its: ItsState, words: CommandWords): number => {
    const { translation } = its
    const icid = fieldValue(words, ICID)
    const device = fieldValue(words, DeviceID)
    const slot = translation.slot(device, fieldValue(words, EventID))
    const suffix = reasons[slot]!.suffix
    if (suffix === 0x01) return numbers.DEVICE_OOR
    if (translation.collections.entry(icid) < 0) return numbers.COLLECTION_OOR
    if (slot !== Reason.delivered) return suffix === 0x04 ? numbers.UNMAPPED_DEVICE : numbers.ID_OOR
    const intid = fieldValue(words, intidField)
    if (!translation.isLpi(intid)) return numbers.PHYSICALID_OOR
    translation.entries.writeTranslation(translation.translationEntry, intid, icid)
    translation.noteDevice(device, translation.deviceEntry)
    return 0
  }
}

/** To another collection, and the pending state to that one's PE. */
function moveInterrupt(its: ItsState, words: CommandWords): number {
  const { translation } = its
  const { entries } = translation
  const icid = fieldValue(words, ICID)
  const device = fieldValue(words, DeviceID)
  const event = translation.event(device, fieldValue(words, EventID))
  const suffix = reasons[event]!.suffix
  if (suffix === 0x01) return errors.MOVI.DEVICE_OOR
  if (translation.collections.entry(icid) < 0) return errors.MOVI.COLLECTION_OOR
  if (event !== Reason.delivered) return 0x01_0100 | suffix
  const { intid, icid: oldIcid } = entries
  if (!translation.isLpi(intid)) return errors.MOVI.UNMAPPED_INTERRUPT
  if (translation.collection(oldIcid) !== Reason.delivered) return errors.MOVI.UNMAPPED_COLLECTION
  const from = entries.pe
  if (translation.collection(icid) !== Reason.delivered) return errors.MOVI.UNMAPPED_COLLECTION
  const to = entries.pe
  entries.writeTranslation(translation.translationEntry, intid, icid)
  translation.noteWalk(device)
  if (from !== to) its.targets.moveLpi(from, to, intid)
  return 0
}

/** The entry first: whoever sees the LPI go may send an MSI at once, which walks to another one. */
function discard(its: ItsState, pe: number, intid: number): void {
  its.translation.entries.clear(its.translation.translationEntry)
  its.targets.clearLpi(pe, intid)
}

function moveAll(its: ItsState, words: CommandWords): number {
  const from = its.peOf(fieldValue(words, RDbase))
  const to = its.peOf(fieldValue(words, RDbase2))
  if (from < 0 || to < 0) return errors.MOVALL.PROCNUM_OOR
  if (from !== to) its.lpisSeen += its.targets.moveAllLpis(from, to)
  return 0
}

function invalidateAll(its: ItsState, words: CommandWords): number {
  const { translation } = its
  const icid = fieldValue(words, ICID)
  const reason = translation.collection(icid)
  if (reason === Reason.delivered) {
    its.lpisSeen += its.targets.invalidateAllLpis(translation.entries.pe)
    return 0
  }
  return reason === Reason.collectionUnmapped || reason === Reason.targetInvalid
    ? errors.INVALL.UNMAPPED_COLLECTION
    : errors.INVALL.COLLECTION_OOR
}

const event = { DeviceID, EventID }

function virtual(name: string, opcode: number, fields: Readonly<Record<string, CommandField>>): Command {
  return { name, opcode, fields, errors: {}, run: undefined }
}

/** In the order of the specification's section 5.3, and then GICv4's. */
export const commands: readonly Command[] = [
  {
    name: 'CLEAR',
    opcode: 0x04,
    fields: event,
    errors: errors.CLEAR,
    run: onInterrupt(0x01_0500, (its, pe, intid) => {
      its.targets.clearLpi(pe, intid)
    }),
  },
  {
    name: 'DISCARD',
    opcode: 0x0f,
    fields: event,
    errors: errors.DISCARD,
    run: onInterrupt(0x01_0f00, discard),
  },
  {
    name: 'INT',
    opcode: 0x03,
    fields: event,
    errors: errors.INT,
    run: onInterrupt(0x01_0300, (its, pe, intid) => {
      its.targets.setLpi(pe, intid)
    }),
  },
  {
    name: 'INV',
    opcode: 0x0c,
    fields: event,
    errors: errors.INV,
    run: onInterrupt(0x01_0c00, (its, pe, intid) => its.targets.invalidateLpi(pe, intid)),
  },
  {
    name: 'INVALL',
    opcode: 0x0d,
    fields: { ICID },
    errors: errors.INVALL,
    run: invalidateAll,
  },
  { name: 'MAPC', opcode: 0x09, fields: { ICID, RDbase, V }, errors: errors.MAPC, run: mapCollection },
  {
    name: 'MAPD',
    opcode: 0x08,
    fields: { DeviceID, Size, ITT_addr, V },
    errors: errors.MAPD,
    run: mapDevice,
  },
  {
    name: 'MAPI',
    opcode: 0x0b,
    fields: { ...event, ICID },
    errors: errors.MAPI,
    run: mapInterrupt(errors.MAPI, EventID),
  },
  {
    name: 'MAPTI',
    opcode: 0x0a,
    fields: { ...event, pINTID, ICID },
    errors: errors.MAPTI,
    run: mapInterrupt(errors.MAPTI, pINTID),
  },
  {
    name: 'MOVALL',
    opcode: 0x0e,
    fields: { RDbase1: RDbase, RDbase2 },
    errors: errors.MOVALL,
    run: moveAll,
  },
  {
    name: 'MOVI',
    opcode: 0x01,
    fields: { ...event, ICID },
    errors: errors.MOVI,
    run: moveInterrupt,
  },
  // Every command has taken effect before the next one starts, so that there is nothing to wait for, on any PE.
  { name: 'SYNC', opcode: 0x05, fields: { RDbase }, errors: {}, run: () => 0 },
  virtual('VMOVI', 0x21, { ...event, vPEID }),
  virtual('VMOVP', 0x22, { vPEID }),
  virtual('VSGI', 0x23, { vPEID }),
  virtual('VSYNC', 0x25, { vPEID }),
  virtual('VMAPP', 0x29, { vPEID, V }),
  virtual('VMAPTI', 0x2a, { DeviceID, EventID: field(1, 31, 0), vPEID }),
  virtual('VMAPI', 0x2b, { DeviceID, EventID: field(1, 31, 0), vPEID }),
  virtual('VINVALL', 0x2d, { vPEID }),
  virtual('INVDB', 0x2e, { vPEID }),
]

const byOpcode: readonly (Command | undefined)[] = Array.from({ length: 256 }, (_, opcode) =>
  commands.find((command) => command.opcode === opcode),
)

export function commandOf(words: CommandWords): Command | undefined {
  return byOpcode[words[0]! & 0xff]
}

const errorNames = new Map(
  commands.flatMap(({ name, errors }) => Object.entries(errors).map(([error, n]) => [n, `${name}_${error}`] as const)),
)

/** The specification's name of a command error, by number. */
export function errorName(error: number): string {
  if (error === 0) return 'ok'
  if (error === NOT_MODELLED) return 'NOT_MODELLED'
  return errorNames.get(error) ?? 'UNKNOWN_COMMAND'
}

/** What an error was, for a person. */
export function errorMessage(command: string, error: number): string {
  if (error === UNKNOWN_COMMAND) return `${command}: no such command`
  if (error === NOT_MODELLED) return `${command}: virtual LPIs are not modelled`
  return `${command}: command error 0x${error.toString(16).padStart(6, '0')} (${errorName(error)})`
}
