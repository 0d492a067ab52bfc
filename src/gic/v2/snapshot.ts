/** What a snapshot of a GICv2 holds, and its version. Outputs and candidates are not in it: they follow from the rest. */

import { array, exactly, flag, group, integer, list, type Part, SnapshotError } from '../snapshot.ts'
import type { CpuInterface } from './cpu-interface.ts'
import type { GicV2 } from './gic.ts'

/** Raised whenever the meaning or the set of parts changes. */
export const SNAPSHOT_VERSION = 1

export interface SnapshotV2 {
  readonly format: 'vgic-gicv2'
  readonly version: number
  readonly [part: string]: unknown
}

export function snapshotGic(gic: GicV2): SnapshotV2 {
  return schema(gic).save() as SnapshotV2
}

export function restoreGic(gic: GicV2, snapshot: unknown): void {
  const parts = schema(gic)
  parts.check(snapshot, 'snapshot')
  checkSgis(gic, snapshot as SgiParts)
  parts.load(snapshot)
  for (const cpu of gic.cpus) cpu.updateRunning()
  gic.irqs.relist()
  gic.irqs.dirty = gic.allCpus
  gic.settle()
}

/** An SGI is edge-triggered for good, and pending exactly while it has a source. */
function checkSgis(gic: GicV2, parts: SgiParts): void {
  for (let cpu = 0; cpu < gic.config.cpus; cpu++) {
    if ((parts.edge[cpu]! & SGIS) !== SGIS) throw new SnapshotError(`snapshot.edge[${cpu}]: SGIs are edge-triggered`)
    for (let sgi = 0; sgi < 16; sgi++) {
      const at = cpu * 16 + sgi
      if (((parts.latch[cpu]! >>> sgi) & 1) !== (parts.sources[at] === 0 ? 0 : 1))
        throw new SnapshotError(
          `snapshot.sources[${at}]: SGI ${sgi} of CPU ${cpu} is pending without a source, or has one and is not`,
        )
    }
  }
}

const SGIS = 0xffff

interface SgiParts {
  readonly edge: readonly number[]
  readonly latch: readonly number[]
  readonly sources: readonly number[]
}

function schema(gic: GicV2): Part {
  const { irqs } = gic
  const [nsacr1, nsacr2, nsacr3] = irqs.nsacr
  const bitmap = (words: Int32Array) => array(words, (i) => irqs.implemented[i]!)
  const exists = (slot: number, bits: number) => ((irqs.implemented[slot >>> 5]! >>> (slot & 31)) & 1 ? bits : 0)
  return group({
    format: exactly('vgic-gicv2', 'the format'),
    version: exactly(SNAPSHOT_VERSION, 'the version'),
    config: exactly(gic.config, 'the configuration'),
    ctlr: integer(
      () => gic.ctlr,
      (value) => {
        gic.ctlr = value
      },
      0,
      3,
    ),
    enabled: bitmap(irqs.enabled),
    latch: bitmap(irqs.latch),
    line: bitmap(irqs.line),
    active: bitmap(irqs.active),
    group: bitmap(irqs.group),
    edge: bitmap(irqs.edge),
    withdrawn: bitmap(irqs.withdrawn),
    nsacr: list([bitmap(nsacr1), bitmap(nsacr2), bitmap(nsacr3)]),
    priority: array(irqs.priority, (slot) => exists(slot, gic.priorityMask)),
    targets: array(irqs.targets, (slot) => (slot < gic.config.cpus * 32 ? 0 : exists(slot, gic.allCpus))),
    sources: array(irqs.sources, () => gic.allCpus),
    activeSource: array(irqs.activeSource, () => 7),
    cpus: list(gic.cpus.map(cpuPart)),
  })
}

function cpuPart(cpu: CpuInterface): Part {
  const register = (name: 'ctlr' | 'pmr' | 'bpr' | 'abpr', least: number, most: number) =>
    integer(
      () => cpu[name],
      (value) => {
        cpu[name] = value
      },
      least,
      most,
    )
  return group({
    ctlr: register('ctlr', 0, 0x7ff),
    pmr: register('pmr', 0, 0xff),
    bpr: register('bpr', cpu.minimumBpr, 7),
    abpr: register('abpr', cpu.minimumBpr + 1, 7),
    apr: array(cpu.apr, (i) => cpu.existingLevels(i)),
    nsapr: array(cpu.nsapr, (i) => cpu.existingLevels(i)),
    legacyIrq: flag(
      () => cpu.legacyIrq,
      (value) => {
        cpu.legacyIrq = value
      },
    ),
    legacyFiq: flag(
      () => cpu.legacyFiq,
      (value) => {
        cpu.legacyFiq = value
      },
    ),
  })
}
