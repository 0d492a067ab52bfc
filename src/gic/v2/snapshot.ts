/** What a snapshot of a GICv2 holds, and its version. Outputs and candidates are not in it: they follow
 * from the rest; and nor is what only explanations remember (that a level was withdrawn). */

import { Output } from '../outputs.ts'
import {
  array,
  checkAccessLevels,
  exactly,
  flag,
  group,
  integer,
  list,
  type Part,
  refined,
  SnapshotError,
} from '../snapshot.ts'
import { nonSecureGrantable } from '../views.ts'
import type { CpuInterface } from './cpu-interface.ts'
import type { GicV2State } from './state.ts'

/** Raised whenever the meaning or the set of parts changes. */
export const SNAPSHOT_VERSION = 2

/** All of a GICv2, as plain JSON. */
export interface SnapshotV2 {
  /** Tells it from other snapshots. */
  readonly format: 'vgic-gicv2'
  /** Of the format. */
  readonly version: number
  readonly [part: string]: unknown
}

export function snapshotGic(gic: GicV2State): SnapshotV2 {
  return schema(gic).save() as SnapshotV2
}

/** Throws what `restoreGic` would, with `where` as the name of the whole. */
export function checkGic(gic: GicV2State, snapshot: unknown, where = 'snapshot'): void {
  schema(gic).check(snapshot, where)
}

export function restoreGic(gic: GicV2State, snapshot: unknown): void {
  const parts = schema(gic)
  parts.check(snapshot, 'snapshot')
  parts.load(snapshot)
  gic.irqs.withdrawn.fill(0)
  gic.irqs.sgis.clear(true)
  for (const cpu of gic.cpus) {
    cpu.taken.fill(0)
    cpu.updateRunning()
  }
  gic.irqs.relist()
  gic.irqs.dirty = gic.allCpus
  gic.settle()
}

/** An SGI is edge-triggered for good, and pending exactly while it has a source. */
function checkSgis(gic: GicV2State, parts: SgiParts, where: string): void {
  for (let cpu = 0; cpu < gic.config.cpus; cpu++) {
    if ((parts.edge[cpu]! & SGIS) !== SGIS) throw new SnapshotError(`${where}.edge[${cpu}]: SGIs are edge-triggered`)
    if (gic.config.sgiEnable === 'always' && (parts.enabled[cpu]! & SGIS) !== SGIS)
      throw new SnapshotError(`${where}.enabled[${cpu}]: SGIs are always enabled in this configuration`)
    for (let sgi = 0; sgi < 16; sgi++) {
      const at = cpu * 16 + sgi
      if (((parts.latch[cpu]! >>> sgi) & 1) !== (parts.sources[at] === 0 ? 0 : 1))
        throw new SnapshotError(
          `${where}.sources[${at}]: SGI ${sgi} of CPU ${cpu} is pending without a source, or has one and is not`,
        )
    }
  }
}

const SGIS = 0xffff

interface SgiParts {
  readonly enabled: readonly number[]
  readonly edge: readonly number[]
  readonly latch: readonly number[]
  readonly sources: readonly number[]
}

function schema(gic: GicV2State): Part {
  const { irqs } = gic
  const [nsacr1, nsacr2, nsacr3] = irqs.nsacr
  /** Bits of the interrupts that exist; of the private ones only those in `own`. */
  const bitmap = (words: Int32Array, own = -1) => array(words, (i) => irqs.implemented[i]! & (i < irqs.pes ? own : -1))
  const access = (words: Int32Array) => array(words, (i) => nonSecureGrantable(gic, i))
  const exists = (slot: number, bits: number) => ((irqs.implemented[slot >>> 5]! >>> (slot & 31)) & 1 ? bits : 0)
  const parts = group({
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
    line: array(irqs.line, (i) => irqs.wired(i)),
    active: bitmap(irqs.active),
    group: bitmap(irqs.group),
    edge: bitmap(irqs.edge, gic.config.ppiConfig === 'fixed' ? SGIS : -1),
    nsacr: refined(list([access(nsacr1), access(nsacr2), access(nsacr3)]), checkAccessLevels),
    priority: array(irqs.priority, (slot) => exists(slot, gic.priorityMask)),
    targets: array(irqs.targets, (slot) =>
      slot < gic.config.cpus * 32 || gic.config.cpus === 1 ? 0 : exists(slot, gic.allCpus),
    ),
    sources: array(irqs.sources, () => gic.allCpus),
    activeSource: array(irqs.activeSource, undefined, gic.config.cpus - 1),
    cpus: list(gic.cpus.map((cpu) => cpuPart(cpu, gic.config.security))),
  })
  return refined(parts, (value: SgiParts, where) => checkSgis(gic, value, where))
}

function cpuPart(cpu: CpuInterface, security: boolean): Part {
  const register = (name: 'ctlr' | 'pmr' | 'bpr' | 'abpr', least: number, most: number, allowed = -1) =>
    integer(
      () => cpu[name],
      (value) => {
        cpu[name] = value
      },
      least,
      most,
      allowed,
    )
  return group({
    ctlr: register('ctlr', 0, security ? 0x7ff : 0x3ff),
    pmr: register('pmr', 0, 0xff, cpu.priorityMask),
    bpr: register('bpr', cpu.minimumBpr, 7),
    abpr: register('abpr', cpu.minimumBpr + 1, 7),
    apr: array(cpu.apr, (i) => cpu.existingLevels(i)),
    nsapr: array(cpu.nsapr, (i) => cpu.existingLevels(i)),
    legacyIrq: flag(
      () => (cpu.legacy & Output.irq) !== 0,
      (value) => {
        cpu.legacy = value ? cpu.legacy | Output.irq : cpu.legacy & ~Output.irq
      },
    ),
    legacyFiq: flag(
      () => (cpu.legacy & Output.fiq) !== 0,
      (value) => {
        cpu.legacy = value ? cpu.legacy | Output.fiq : cpu.legacy & ~Output.fiq
      },
    ),
  })
}
