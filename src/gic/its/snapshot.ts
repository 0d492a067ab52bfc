/**
 * What a snapshot of an ITS holds: its registers, and after `restoreTables` which entries of its tables count. Tables and
 * commands are in guest memory, and in a snapshot of that.
 */

import { array, checkInteger, exactly, flag, group, integer, type Part, refined, SnapshotError } from '../snapshot.ts'
import { baserFixed, CBASER_BITS, INDIRECT } from './registers.ts'
import type { ItsState } from './state.ts'
import { ENTRY } from './tables.ts'

/** Type and Entry_Size, in GITS_BASER's high word. */
const FIXED = 0x071f_0000

/** Raised whenever the meaning or the set of parts changes. */
const SNAPSHOT_VERSION = 2

/** Plain JSON. */
export interface ItsSnapshot {
  /** Tells it from other snapshots. */
  readonly format: 'vgic-its'
  /** Of the format. */
  readonly version: number
  /** The registers. */
  readonly its: unknown
}

export function snapshotIts(its: ItsState): ItsSnapshot {
  return whole(its).save() as ItsSnapshot
}

/** Throws what `restoreIts` would, with `where` as the name of the whole. */
export function checkIts(its: ItsState, snapshot: unknown, where = 'snapshot'): void {
  whole(its).check(snapshot, where)
}

/** Takes a snapshot's state over, or throws a SnapshotError that names what is wrong with it and changes nothing. */
export function restoreIts(its: ItsState, snapshot: unknown): void {
  const parts = whole(its)
  parts.check(snapshot, 'snapshot')
  parts.load(snapshot)
}

function whole(its: ItsState): Part {
  return group({
    format: exactly('vgic-its', 'the format'),
    version: exactly(SNAPSHOT_VERSION, 'the version'),
    its: itsPart(its),
  })
}

/** The part of a GIC's snapshot that is this ITS. After loading, call `configureTables` and `configureQueue`: `itsPart` does. */
export function itsPart(its: ItsState): Part {
  const parts = group({
    config: exactly({ ...its.config, pageSizes: its.config.pageSizes.join(', ') }, 'the configuration of the ITS'),
    enabled: flag(
      () => its.enabled,
      (value) => {
        its.enabled = value
      },
    ),
    stalled: flag(
      () => its.stalled,
      (value) => {
        its.stalled = value
      },
    ),
    packed: flag(
      () => its.translation.packed,
      (value) => {
        its.translation.packed = value
      },
    ),
    places: placesPart(its),
    cbaser: array(its.cbaser, (i) => CBASER_BITS[i]!),
    baser: refined(
      array(its.baser, (i) => ((i & 1) === 0 ? -1 : baserHighBits(its, i >>> 1))),
      (value: readonly number[], where) => checkTables(its, value, where),
    ),
    creadr: queueOffset(
      () => its.creadr,
      (value) => {
        its.creadr = value
      },
    ),
    cwriter: queueOffset(
      () => its.cwriter,
      (value) => {
        its.cwriter = value
      },
    ),
    statusr: integer(
      () => its.statusr,
      (value) => {
        its.statusr = value
      },
      0,
      0x3ff,
      its.statusrBits,
    ),
    umsir: array(its.umsir, () => (its.config.umsi ? -1 : 0)),
  })
  return {
    ...parts,
    load: (value) => {
      parts.load(value)
      its.configureTables()
      its.configureQueue()
    },
  }
}

/** Type and Entry_Size are what they are in every ITS, and Indirect is where this one has it. */
function baserHighBits(its: ItsState, table: number): number {
  return (0xf8e0_ffff & ~(its.hasIndirect(table) ? 0 : INDIRECT)) | baserFixed[table]!
}

function checkTables(its: ItsState, baser: readonly number[], where: string): void {
  for (const [table, fixed] of baserFixed.entries()) {
    const [low, high] = [baser[2 * table]!, baser[2 * table + 1]!]
    if ((high & FIXED) !== fixed)
      throw new SnapshotError(
        `${where}[${2 * table + 1}]: Type and Entry_Size of GITS_BASER${table} are other ones here`,
      )
    if (!its.hasPageSize((low >>> 8) & 3))
      throw new SnapshotError(`${where}[${2 * table}]: no such Page_Size in this configuration`)
  }
}

/** Throws a SnapshotError for anything but what `entryPlaces` gives. */
export function checkPlaces(its: ItsState, value: unknown, where: string): void {
  if (value === null) return
  if (!Array.isArray(value) || value.length % 2 !== 0)
    throw new SnapshotError(`${where}: expected null, or pairs of an address and a number of entries`)
  let end = 0
  for (let i = 0; i < value.length; i += 2) {
    const [address, count] = [value[i], value[i + 1]]
    checkInteger(address, end, 2 ** 52, `${where}[${i}]`)
    checkInteger(count, 1, 2 ** 49, `${where}[${i + 1}]`)
    if (address % ENTRY !== 0 || !its.memory.contains(address, count * ENTRY))
      throw new SnapshotError(`${where}[${i}]: not where guest memory has entries`)
    end = address + count * ENTRY
  }
}

/** Null, or pairs of an address and how many entries follow each other from there, in order: no more than memory has. */
function placesPart(its: ItsState): Part {
  const { places } = its.translation
  return {
    save: () => places.save(),
    check: (value, where) => checkPlaces(its, value, where),
    load: (value) => places.restore(value as number[] | null),
  }
}

/** In commands, so that no value is between two of them. */
function queueOffset(get: () => number, set: (value: number) => void): Part {
  return integer(
    () => get() / 32,
    (value) => set(value * 32),
    0,
    32767,
  )
}
