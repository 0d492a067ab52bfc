/**
 * The links from GITS_TRANSLATER to the PE, in order: each by the reasons that it is the missing one for, in words, and with
 * what makes it. The walk itself is `translate.ts`.
 */

import type { GateReport } from '../gates.ts'
import type { RemedyAction } from '../remedy.ts'
import { command, enable, isBeyond, mapDevice, newPage, newTable } from './actions.ts'
import type { Its } from './its.ts'
import { Reason } from './reasons.ts'
import { NO_PAGE } from './tables.ts'
import { FIRST_LPI } from './translate.ts'

/** The walk's findings, for the words. */
export interface Subject {
  readonly its: Its
  readonly deviceId: number
  readonly eventId: number
  readonly reason: Reason
  readonly dte: number
  readonly ite: number
  readonly cte: number
  readonly eventBits: number
  readonly intid: number
  readonly icid: number
  readonly pe: number
}

export interface Link {
  readonly name: string
  /** Commands make this link: one that was not executed may be why it is missing. */
  readonly byCommand?: boolean
  /** The reasons that this link is the missing one for. */
  readonly closedBy: readonly Reason[]
  report(
    s: Subject,
    open: boolean,
  ): Pick<GateReport, 'register' | 'field' | 'value' | 'says'> & { readonly fix: string }
  /** What `fix` says, as things to do; none where the ITS cannot have such a link. */
  actions(s: Subject): RemedyAction[]
}

const hex = (value: number) => `0x${value.toString(16)}`
const at = (address: number) => (address < 0 ? 'no address' : hex(address))

export const links: readonly Link[] = [
  {
    name: 'ITS enabled',
    closedBy: [Reason.disabled],
    report: (_, open) => ({
      register: 'GITS_CTLR',
      field: 'Enabled',
      value: open ? 1 : 0,
      says: open ? 'the ITS translates.' : 'the ITS is disabled and ignores writes to GITS_TRANSLATER.',
      fix: 'Set GITS_CTLR.Enabled.',
    }),
    actions: (s) => [enable(s.its)],
  },
  {
    name: 'device table',
    closedBy: [Reason.noDeviceTable],
    report: (s, open) => ({
      register: 'GITS_BASER0',
      field: 'Valid',
      value: open ? 1 : 0,
      says: open ? `the device table is at ${hex(s.its.translation.devices.base)}.` : 'there is no device table.',
      fix: 'Write the address of a zeroed table to GITS_BASER0, with Valid set, while the ITS is disabled.',
    }),
    actions: newDeviceTable,
  },
  {
    name: 'DeviceID in range',
    closedBy: [Reason.deviceOutOfRange, Reason.deviceTableMemory],
    report: (s, open) => ({
      register: s.deviceId >= 2 ** s.its.config.deviceIdBits ? 'GITS_TYPER' : 'GITS_BASER0',
      field: s.deviceId >= 2 ** s.its.config.deviceIdBits ? 'Devbits' : 'Size',
      value:
        s.deviceId >= 2 ** s.its.config.deviceIdBits ? s.its.config.deviceIdBits - 1 : (s.its.baser[0]! & 0xff) >>> 0,
      says: open
        ? `DeviceID ${hex(s.deviceId)} has an entry in the device table.`
        : s.reason === Reason.deviceTableMemory
          ? `the entry of DeviceID ${hex(s.deviceId)} in the device table is not memory.`
          : `DeviceID ${hex(s.deviceId)} is beyond the device table, which has ${s.its.translation.devices.entries} entries.`,
      fix: 'Provide a greater device table in GITS_BASER0, or give the device a lower DeviceID.',
    }),
    actions: newDeviceTable,
  },
  {
    name: 'device mapped',
    byCommand: true,
    closedBy: [Reason.deviceUnmapped],
    report: (s, open) => ({
      register: `device table entry ${hex(s.deviceId)} at ${at(s.dte)}`,
      field: 'V',
      value: open ? 1 : 0,
      says: open
        ? `DeviceID ${hex(s.deviceId)} has a translation table of ${2 ** s.eventBits} EventIDs.`
        : s.dte < 0
          ? `DeviceID ${hex(s.deviceId)} has no second-level page: its descriptor in the device table is not valid.`
          : `DeviceID ${hex(s.deviceId)} is not mapped.`,
      fix:
        s.dte < 0
          ? `Put the address of a zeroed page, with bit 63 set, at ${hex(s.its.translation.devices.descriptor(s.deviceId))}, and use MAPD.`
          : `Use the command MAPD with DeviceID ${hex(s.deviceId)} and V set.`,
    }),
    actions: (s) =>
      isBeyond(s.its.config, 'eventIdBits', s.eventId)
        ? []
        : [
            ...(s.dte < 0 ? [newPage(s.its.translation.devices, s.deviceId)] : []),
            mapDevice(s.its, s.deviceId, s.eventId),
          ],
  },
  {
    name: 'EventID in range',
    byCommand: true,
    closedBy: [Reason.eventOutOfRange, Reason.ittMemory],
    report: (s, open) => ({
      register: `device table entry ${hex(s.deviceId)} at ${at(s.dte)}`,
      field: 'Size',
      value: s.eventBits - 1,
      says: open
        ? `EventID ${hex(s.eventId)} has an entry in the translation table.`
        : s.reason === Reason.ittMemory
          ? `the entry of EventID ${hex(s.eventId)} in the translation table, at ${hex(s.ite)}, is not memory.`
          : `EventID ${hex(s.eventId)} does not fit the ${s.eventBits} bits that the device was mapped with.`,
      fix: `Use MAPD for DeviceID ${hex(s.deviceId)} with a translation table that holds EventID ${hex(s.eventId)}.`,
    }),
    actions: (s) => (isBeyond(s.its.config, 'eventIdBits', s.eventId) ? [] : [mapDevice(s.its, s.deviceId, s.eventId)]),
  },
  {
    name: 'event mapped',
    byCommand: true,
    closedBy: [Reason.eventUnmapped, Reason.intidInvalid],
    report: (s, open) => ({
      register: `translation table entry ${hex(s.eventId)} at ${at(s.ite)}`,
      field: 'INTID',
      value: s.reason === Reason.eventUnmapped ? 0 : s.intid,
      says: open
        ? `the event is LPI ${s.intid}, of collection ${s.icid}.`
        : s.reason === Reason.eventUnmapped
          ? `EventID ${hex(s.eventId)} of DeviceID ${hex(s.deviceId)} is not mapped.`
          : `INTID ${s.intid} is no LPI: the table was written by someone else than the ITS.`,
      fix: `${collectionRoom(s).length > 0 ? 'Give the collection table an entry for collection 0, and use' : 'Use'} the command MAPTI with DeviceID ${hex(s.deviceId)}, EventID ${hex(s.eventId)} and an LPI.`,
    }),
    actions: (s) => [
      ...collectionRoom(s),
      command(s.its, 'MAPTI', { DeviceID: s.deviceId, EventID: s.eventId, pINTID: FIRST_LPI, ICID: FIRST_COLLECTION }),
    ],
  },
  {
    name: 'collection table',
    closedBy: [Reason.noCollectionTable],
    report: (s, open) => ({
      register: 'GITS_BASER1',
      field: 'Valid',
      value: open ? 1 : 0,
      says: open
        ? `the collection table is at ${hex(s.its.translation.collections.base)}.`
        : 'there is no collection table.',
      fix: 'Write the address of a zeroed table to GITS_BASER1, with Valid set, while the ITS is disabled.',
    }),
    actions: (s) => newTable(s.its, 1, s.icid),
  },
  {
    name: 'collection mapped',
    byCommand: true,
    closedBy: [
      Reason.collectionOutOfRange,
      Reason.collectionTableMemory,
      Reason.collectionUnmapped,
      Reason.targetInvalid,
    ],
    report: (s, open) => ({
      register: `collection table entry ${hex(s.icid)} at ${at(s.cte)}`,
      field: s.reason === Reason.targetInvalid ? 'RDbase' : 'V',
      value: s.reason === Reason.targetInvalid ? s.pe : open ? 1 : 0,
      says: open
        ? `collection ${s.icid} is of PE ${s.pe}.`
        : s.reason === Reason.targetInvalid
          ? `collection ${s.icid} is of PE ${s.pe}, which does not exist.`
          : s.cte < 0
            ? `collection ${s.icid} has no entry in the collection table.`
            : `collection ${s.icid} is not mapped to a PE.`,
      fix: collectionFix(s),
    }),
    actions: (s) => {
      const { reason, its, icid, deviceId, eventId } = s
      if (reason === Reason.collectionOutOfRange && icid >= 2 ** its.config.collectionIdBits)
        return [command(its, 'MOVI', { DeviceID: deviceId, EventID: eventId, ICID: FIRST_COLLECTION })]
      if (reason === Reason.collectionOutOfRange || reason === Reason.collectionTableMemory)
        return newTable(its, 1, icid)
      // Where GITS_TYPER.PTA is 1, an RDbase is an address, which the ITS does not know of its own.
      if (its.config.pta === 1) return []
      const page = s.cte < 0 ? [newPage(its.translation.collections, icid)] : []
      return [...page, command(its, 'MAPC', { ICID: icid, RDbase: FIRST_PE, V: 1 })]
    },
  },
]

/** What software may choose freely; an example is enough. */
const FIRST_COLLECTION = 0
const FIRST_PE = 0

/** MAPTI wants an entry for its collection, mapped or not. */
function collectionRoom({ its }: Subject): RemedyAction[] {
  const { collections } = its.translation
  const entry = collections.entry(FIRST_COLLECTION)
  if (entry >= 0) return []
  return entry === NO_PAGE ? [newPage(collections, FIRST_COLLECTION)] : newTable(its, 1, FIRST_COLLECTION)
}

function newDeviceTable({ its, deviceId }: Subject): RemedyAction[] {
  return isBeyond(its.config, 'deviceIdBits', deviceId) ? [] : newTable(its, 0, deviceId)
}

function collectionFix({ its, reason, icid, cte }: Subject): string {
  if (reason === Reason.collectionOutOfRange && icid >= 2 ** its.config.collectionIdBits)
    return `Use MOVI to a collection that this ITS can have: it has ${2 ** its.config.collectionIdBits}.`
  if (reason === Reason.collectionOutOfRange || reason === Reason.collectionTableMemory)
    return 'Provide a greater collection table in GITS_BASER1, or MOVI to a collection that is mapped.'
  const page =
    cte < 0
      ? `Put the address of a zeroed page, with bit 63 set, at ${hex(its.translation.collections.descriptor(icid))}, and use`
      : 'Use'
  return `${page} the command MAPC with ICID ${icid} and V set, or MOVI to a collection that is mapped.`
}
