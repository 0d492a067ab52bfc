/**
 * A GIC together with its ITSs and the guest memory that they keep tables in: saved as one, and put back as one, all of it or
 * nothing, in the order that they need. Which part holds what is in the snapshot of each.
 */

import type { Its } from './its/index.ts'
import { exactly, group, list, type Part } from './snapshot.ts'
import type { GicV2 } from './v2/gic.ts'
import type { GicV3 } from './v3/gic.ts'

/** Raised whenever the set of parts changes. */
const SNAPSHOT_VERSION = 1

/** What is saved and restored together. */
export interface GicSystem {
  /** The GIC. */
  readonly gic: GicV2 | GicV3
  /** Its ITSs, in an order that is always the same. */
  readonly itss?: readonly Its[]
}

/** Plain JSON. */
export interface SystemSnapshot {
  /** What this is. */
  readonly format: 'vgic-system'
  /** Of the format. */
  readonly version: number
  /** The GIC's snapshot. */
  readonly gic: unknown
  /** Those of the ITSs. */
  readonly itss: readonly unknown[]
}

/** The whole state as plain JSON, but for guest memory, which is the embedder's to save. */
export function snapshotSystem(system: GicSystem): SystemSnapshot {
  return schema(system).save() as SystemSnapshot
}

/**
 * Takes a snapshot over, or throws a SnapshotError that names what is wrong with it, and then nothing is changed.
 * `restoreMemory` is called when the snapshot is known to be good, and before anything reads guest memory.
 */
export function restoreSystem(system: GicSystem, snapshot: unknown, restoreMemory: () => void = () => {}): void {
  const parts = schema(system)
  parts.check(snapshot, 'snapshot')
  restoreMemory()
  parts.load(snapshot)
}

function schema({ gic, itss = [] }: GicSystem): Part {
  return group({
    format: exactly('vgic-system', 'the format'),
    version: exactly(SNAPSHOT_VERSION, 'the version'),
    gic: partOf(gic),
    itss: list(itss.map(partOf)),
  })
}

interface Snapshots {
  snapshot(): unknown
  checkSnapshot(snapshot: unknown, where: string): void
  restore(snapshot: unknown): void
}

function partOf(device: Snapshots): Part {
  return {
    save: () => device.snapshot(),
    check: (value, where) => device.checkSnapshot(value, where),
    load: (value) => device.restore(value),
  }
}
