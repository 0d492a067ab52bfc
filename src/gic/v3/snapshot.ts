/**
 * What a snapshot of a GICv3 holds, and its version. LPI configuration is not in it: it is in guest memory, which the embedder
 * saves; pending LPIs are. Outputs and candidates are not: they follow from the rest; and
 * nor is what only explanations remember.
 */

import { array, exactly, flag, group, integer, list, type Part, SnapshotError } from '../snapshot.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { FIRST_LPI } from './lpis.ts'
import { BASE_HIGH, dpgFields, PENDBASER_LOW, PROPBASER_LOW, PTZ_HIGH, type Redistributor } from './redistributor.ts'
import type { GicV3State } from './state.ts'
import type { StatusRegisters } from './status.ts'

/** Raised whenever the meaning or the set of parts changes. */
export const SNAPSHOT_VERSION = 2

export interface SnapshotV3 {
  readonly format: 'vgic-gicv3'
  readonly version: number
  readonly [part: string]: unknown
}

export function snapshotGic(gic: GicV3State): SnapshotV3 {
  return schema(gic).save() as SnapshotV3
}

export function restoreGic(gic: GicV3State, snapshot: unknown): void {
  const parts = schema(gic)
  parts.check(snapshot, 'snapshot')
  parts.load(snapshot)
  gic.irqs.withdrawn.fill(0)
  for (const cpu of gic.cpus) {
    cpu.taken.fill(0)
    cpu.updateRunning()
  }
  gic.securityChanged()
  gic.irqs.retarget()
  gic.eligibilityChanged()
  gic.resume()
}

function schema(gic: GicV3State): Part {
  const { irqs, config } = gic
  const [nsacr1, nsacr2, nsacr3] = irqs.nsacr
  const bitmap = (words: Int32Array) => array(words, (i) => irqs.implemented[i]!)
  const exists = (slot: number, bits: number) => ((irqs.implemented[slot >>> 5]! >>> (slot & 31)) & 1 ? bits : 0)
  const routable = (slot: number) => irqs.ownerOf(slot >>> 5) < 0
  return group({
    format: exactly('vgic-gicv3', 'the format'),
    version: exactly(SNAPSHOT_VERSION, 'the version'),
    config: exactly(config, 'the configuration'),
    groupEnables: integer(
      () => gic.groupEnables,
      (value) => {
        gic.groupEnables = value
      },
      0,
      7,
    ),
    twoStates: flag(
      () => irqs.twoStates,
      (value) => {
        irqs.twoStates = value && config.security
      },
    ),
    e1nwf: flag(
      () => gic.e1nwf,
      (value) => {
        gic.e1nwf = value
      },
    ),
    statusr: statusPart(gic.statusr),
    enabled: bitmap(irqs.enabled),
    latch: bitmap(irqs.latch),
    line: bitmap(irqs.line),
    message: array(irqs.message, (i) => (config.messageSpis && irqs.ownerOf(i) < 0 ? irqs.implemented[i]! : 0)),
    active: bitmap(irqs.active),
    group: bitmap(irqs.group),
    modifier: array(irqs.modifier, (i) => (config.security ? irqs.implemented[i]! : 0)),
    nmi: array(irqs.nmi, (i) => (config.nmi ? irqs.implemented[i]! : 0)),
    edge: bitmap(irqs.edge),
    nsacr: list([bitmap(nsacr1), bitmap(nsacr2), bitmap(nsacr3)]),
    priority: array(irqs.priority, (slot) => exists(slot, gic.priorityMask)),
    routeLow: array(irqs.routeLow, (slot) => (routable(slot) ? exists(slot, 0x80ff_ffff | 0) : 0)),
    routeHigh: array(irqs.routeHigh, (slot) => (routable(slot) ? exists(slot, 0xff) : 0)),
    cpus: list(gic.cpus.map((cpu) => cpuPart(gic, cpu))),
    redistributors: list(gic.redistributors.map(redistributorPart)),
  })
}

function statusPart(statusr: StatusRegisters): Part {
  const one = (name: 'secure' | 'nonSecure') =>
    integer(
      () => statusr[name],
      (value) => {
        statusr[name] = value
      },
      0,
      15,
    )
  return group({ secure: one('secure'), nonSecure: one('nonSecure') })
}

function cpuPart(gic: GicV3State, cpu: CpuInterfaceV3): Part {
  const number = (
    name: 'el' | 'pmr' | 'enables' | 'cbpr' | 'eoiMode' | 'activeNmi',
    least: number,
    most: number,
    allowed = -1,
  ) =>
    integer(
      () => cpu[name],
      (value) => {
        cpu[name] = value
      },
      least,
      most,
      allowed,
    )
  const boolean = (name: 'secure' | 'scrFiq' | 'scrIrq' | 'sctlrNmi' | 'eoiModeEl3' | 'pmhe') =>
    flag(
      () => cpu[name],
      (value) => {
        cpu[name] = value
      },
    )
  return group({
    el: number('el', 0, 3),
    secure: boolean('secure'),
    scrFiq: boolean('scrFiq'),
    scrIrq: boolean('scrIrq'),
    sctlrNmi: boolean('sctlrNmi'),
    pmr: number('pmr', 0, 0xff, cpu.priorityMask),
    bpr: list([0, 1, 2].map((i) => pointPart(cpu, i))),
    enables: number('enables', 0, 7),
    cbpr: number('cbpr', 0, 3),
    eoiMode: number('eoiMode', 0, 3),
    eoiModeEl3: boolean('eoiModeEl3'),
    pmhe: boolean('pmhe'),
    apr: list(cpu.apr.map((registers) => array(registers, (i) => cpu.existingLevels(i)))),
    activeNmi: number('activeNmi', 0, 6, gic.config.nmi ? 6 : 0),
  })
}

function pointPart(cpu: CpuInterfaceV3, group: number): Part {
  return integer(
    () => cpu.bpr[group]!,
    (value) => {
      cpu.bpr[group] = value
    },
    cpu.minimumBpr + (group === Group.G1NS ? 1 : 0),
    7,
  )
}

function redistributorPart(redistributor: Redistributor): Part {
  const { config } = redistributor.gic
  const lpis = config.lpis === undefined ? 0 : -1
  const word = (name: 'dpg' | 'propbaserLow' | 'propbaserHigh' | 'pendbaserLow' | 'pendbaserHigh', allowed: number) =>
    integer(
      () => redistributor[name] >>> 0,
      (value) => {
        redistributor[name] = value | 0
      },
      0,
      0xffff_ffff,
      allowed,
    )
  return group({
    asleep: flag(
      () => redistributor.asleep,
      (value) => {
        redistributor.asleep = value
      },
    ),
    statusr: statusPart(redistributor.statusr),
    dpg: word('dpg', dpgFields(config)),
    propbaserLow: word('propbaserLow', lpis & PROPBASER_LOW),
    propbaserHigh: word('propbaserHigh', lpis & BASE_HIGH),
    pendbaserLow: word('pendbaserLow', lpis & PENDBASER_LOW),
    pendbaserHigh: word('pendbaserHigh', lpis & (BASE_HIGH | PTZ_HIGH)),
    lpis: lpisPart(redistributor),
  })
}

/** Pending LPIs by INTID while GICR_CTLR.EnableLPIs is 1; null while it is 0. */
function lpisPart(redistributor: Redistributor): Part {
  return {
    save: () => redistributor.lpis?.pendingList() ?? null,
    check: (value, where) => {
      if (value === null) return
      const end = redistributor.gic.lpiEnd
      if (redistributor.gic.config.lpis === undefined) throw new SnapshotError(`${where}: LPIs are not configured here`)
      if (!Array.isArray(value)) throw new SnapshotError(`${where}: expected null or an array of INTIDs`)
      for (const [i, intid] of value.entries())
        if (!Number.isInteger(intid) || intid < FIRST_LPI || intid >= end)
          throw new SnapshotError(`${where}[${i}]: expected an INTID from ${FIRST_LPI} to ${end - 1}`)
    },
    load: (value) => {
      redistributor.loadLpis(value as number[] | null)
    },
  }
}
