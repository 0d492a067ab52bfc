/**
 * What a snapshot of an ITS holds: its registers. Its tables and commands are in guest memory, and in a snapshot of that.
 */

import { array, exactly, flag, group, integer, type Part } from '../snapshot.ts'
import { baserFixed, CBASER_BITS } from './registers.ts'
import type { ItsState } from './state.ts'

/** Raised whenever the meaning or the set of parts changes. */
const SNAPSHOT_VERSION = 1

/** Plain JSON. */
export interface ItsSnapshot {
  readonly format: 'vgic-its'
  readonly version: number
  readonly its: unknown
}

export function snapshotIts(its: ItsState): ItsSnapshot {
  return whole(its).save() as ItsSnapshot
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
    cbaser: array(its.cbaser, (i) => CBASER_BITS[i]!),
    // Type and Entry_Size are what they are in every ITS.
    baser: array(its.baser, (i) => ((i & 1) === 0 ? -1 : 0xf8e0_ffff | baserFixed[i >>> 1]!)),
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
        its.statusr = value & its.statusrBits
      },
      0,
      0x3ff,
    ),
    umsir: array(its.umsir),
  })
  return {
    save: () => parts.save(),
    check: (value, where) => parts.check(value, where),
    load: (value) => {
      parts.load(value)
      for (const [i, fixed] of baserFixed.entries()) {
        const high = its.baser[2 * i + 1]!
        its.baser[2 * i + 1] = (high & 0xf8e0_ffff) | fixed
      }
      its.configureTables()
      its.configureQueue()
    },
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
