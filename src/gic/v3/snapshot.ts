/**
 * What a snapshot of a GICv3 holds, and its version. LPI configuration is not in it: it is in guest memory, which the embedder
 * saves; pending LPIs are. Outputs and candidates are not: they follow from the rest; and
 * nor is what only explanations remember.
 */

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
import type { CheckedConfigV3 } from './config.ts'
import { Bank, type CpuInterfaceV3 } from './cpu-interface.ts'
import { messageable } from './doors.ts'
import { Group } from './groups.ts'
import { IRM } from './irqs.ts'
import { FIRST_LPI } from './lpis.ts'
import {
  BASE_HIGH,
  dpgFields,
  lpiEndOf,
  PENDBASER_LOW,
  PROPBASER_LOW,
  PTZ_HIGH,
  type Redistributor,
} from './redistributor.ts'
import type { GicV3State } from './state.ts'
import type { StatusRegisters } from './status.ts'

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

/** Raised whenever the meaning or the set of parts changes. */
export const SNAPSHOT_VERSION = 2

/** All of a GICv3 but for its ITSs, as plain JSON. */
export interface SnapshotV3 {
  /** Tells it from other snapshots. */
  readonly format: 'vgic-gicv3'
  /** Of the format. */
  readonly version: number
  readonly [part: string]: unknown
}

export function snapshotGic(gic: GicV3State): SnapshotV3 {
  return schema(gic).save() as SnapshotV3
}

/** Throws what `restoreGic` would, with `where` as the name of the whole. */
export function checkGic(gic: GicV3State, snapshot: unknown, where = 'snapshot'): void {
  schema(gic).check(snapshot, where)
}

export function restoreGic(gic: GicV3State, snapshot: unknown): void {
  const parts = schema(gic)
  parts.check(snapshot, 'snapshot')
  parts.load(snapshot)
  gic.irqs.withdrawn.fill(0)
  gic.irqs.sgis.clear(true)
  for (const cpu of gic.cpus) {
    cpu.taken.fill(0)
    cpu.updateRunning()
    gic.eligibilityChanged(cpu.pe)
  }
  gic.securityChanged()
  gic.irqs.retarget()
  gic.resume()
}

function schema(gic: GicV3State): Part {
  const { irqs, config } = gic
  const [nsacr1, nsacr2, nsacr3] = irqs.nsacr
  const bitmap = (words: Int32Array) => array(words, (i) => irqs.implemented[i]!)
  const exists = (slot: number, bits: number) => ((irqs.implemented[slot >>> 5]! >>> (slot & 31)) & 1 ? bits : 0)
  const access = (words: Int32Array) => array(words, (i) => nonSecureGrantable(gic, i))
  const route = (config.oneOfN ? IRM : 0) | 0x00ff_ffff
  const routable = (slot: number) => irqs.ownerOf(slot >>> 5) < 0
  const parts = group({
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
    twoStates: allowedFlag(
      config.security,
      () => irqs.twoStates,
      (value) => {
        irqs.twoStates = value
      },
    ),
    statusr: statusPart(gic.statusr, config),
    enabled: bitmap(irqs.enabled),
    latch: bitmap(irqs.latch),
    line: array(irqs.line, (i) => irqs.wired(i)),
    message: array(irqs.message, (i) => messageable(gic, i)),
    active: bitmap(irqs.active),
    group: bitmap(irqs.group),
    modifier: array(irqs.modifier, (i) => (config.security ? irqs.implemented[i]! : 0)),
    nmi: array(irqs.nmi, (i) => (config.nmi ? irqs.implemented[i]! : 0)),
    edge: refined(bitmap(irqs.edge), (edge: readonly number[], where) => checkSgis(edge, where, config.cpus)),
    nsacr: refined(list([access(nsacr1), access(nsacr2), access(nsacr3)]), checkAccessLevels),
    priority: array(irqs.priority, (slot) => exists(slot, gic.priorityMask)),
    routeLow: array(irqs.routeLow, (slot) => (routable(slot) ? exists(slot, route) : 0)),
    routeHigh: array(irqs.routeHigh, (slot) => (routable(slot) ? exists(slot, 0xff) : 0)),
    cpus: list(gic.cpus.map((cpu) => cpuPart(gic, cpu))),
    redistributors: list(gic.redistributors.map(redistributorPart)),
  })
  return refined(parts, checkControl)
}

/** GICD_CTLR has no EnableGrp1S while its DS is 1. */
function checkControl({ groupEnables, twoStates }: { groupEnables: number; twoStates: boolean }, where: string): void {
  if (!twoStates && groupEnables & (1 << Group.G1S))
    throw new SnapshotError(
      `${where}.groupEnables: Secure Group 1 is enabled, and there is one Security state (DS is 1)`,
    )
}

function checkSgis(edge: readonly number[], where: string, pes: number): void {
  for (let pe = 0; pe < pes; pe++)
    if ((edge[pe]! & SGIS) !== SGIS) throw new SnapshotError(`${where}[${pe}]: SGIs are edge-triggered`)
}

/** True only where this configuration can have it. */
function allowedFlag(allowed: boolean, get: () => boolean, set: (value: boolean) => void): Part {
  return refined(flag(get, set), (value, where) => {
    if (value === true && !allowed) throw new SnapshotError(`${where}: cannot be true in this configuration`)
  })
}

function statusPart(statusr: StatusRegisters, { security, statusRegisters }: CheckedConfigV3): Part {
  const one = (name: 'secure' | 'nonSecure') =>
    integer(
      () => statusr[name],
      (value) => {
        statusr[name] = value
      },
      0,
      15,
      statusRegisters && (security || name === 'nonSecure') ? 15 : 0,
    )
  return group({ secure: one('secure'), nonSecure: one('nonSecure') })
}

function cpuPart({ config }: GicV3State, cpu: CpuInterfaceV3): Part {
  const { security, nmi } = config
  /** What only a GIC with two Security states has, as bits: Secure Group 1, and the Secure bank. */
  const groups = security ? 7 : 7 & ~(1 << Group.G1S)
  const banks = security ? 3 : 1 << Bank.NS
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
  const boolean = (name: 'secure' | 'scrFiq' | 'scrIrq' | 'sctlrNmi') =>
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
    bpr: list([0, 1, 2].map((i) => pointPart(cpu, i, ((groups >>> i) & 1) === 1))),
    enables: number('enables', 0, 7, groups),
    cbpr: number('cbpr', 0, 3, banks),
    eoiMode: number('eoiMode', 0, 3, banks),
    eoiModeEl3: allowedFlag(
      security,
      () => cpu.eoiModeEl3,
      (value) => {
        cpu.eoiModeEl3 = value
      },
    ),
    apr: list(
      cpu.apr.map((registers, of) => array(registers, (i) => ((groups >>> of) & 1 ? cpu.existingLevels(i) : 0))),
    ),
    activeNmi: number('activeNmi', 0, 6, nmi ? groups & ~(1 << Group.G0) : 0),
  })
}

/** A group that there is not keeps the value of a reset. */
function pointPart(cpu: CpuInterfaceV3, group: number, exists: boolean): Part {
  const least = cpu.minimumBpr + (group === Group.G1NS ? 1 : 0)
  return integer(
    () => cpu.bpr[group]!,
    (value) => {
      cpu.bpr[group] = value
    },
    least,
    exists ? 7 : least,
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
  const parts = group({
    asleep: flag(
      () => redistributor.asleep,
      (value) => {
        redistributor.asleep = value
      },
    ),
    statusr: statusPart(redistributor.statusr, config),
    dpg: word('dpg', dpgFields(config)),
    propbaserLow: word('propbaserLow', lpis & PROPBASER_LOW),
    propbaserHigh: word('propbaserHigh', lpis & BASE_HIGH),
    pendbaserLow: word('pendbaserLow', lpis & PENDBASER_LOW),
    pendbaserHigh: word('pendbaserHigh', lpis & (BASE_HIGH | PTZ_HIGH)),
    lpis: lpisPart(redistributor),
  })
  return refined(parts, (value: BaseRegisters, where) => checkLpis(redistributor, value, where))
}

interface BaseRegisters {
  readonly propbaserLow: number
  readonly pendbaserHigh: number
  readonly lpis: readonly number[] | null
}

/** LPIs that are pending are in the table that GICR_PROPBASER.IDbits tells the size of; enabling them has used PTZ up. */
function checkLpis({ gic }: Redistributor, { propbaserLow, pendbaserHigh, lpis }: BaseRegisters, where: string): void {
  if (lpis === null) return
  if (gic.memory === undefined) throw new SnapshotError(`${where}.lpis: this GIC has no guest memory for their tables`)
  if (pendbaserHigh & PTZ_HIGH) throw new SnapshotError(`${where}.pendbaserHigh: PTZ is set while LPIs are enabled`)
  const end = lpiEndOf(propbaserLow, gic.lpiEnd)
  for (const [i, intid] of lpis.entries())
    if (intid >= end)
      throw new SnapshotError(`${where}.lpis[${i}]: ${intid} is beyond what propbaserLow covers (IDbits)`)
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
      if (new Set(value).size < value.length) throw new SnapshotError(`${where}: has an INTID twice`)
    },
    load: (value) => {
      redistributor.loadLpis(value as number[] | null)
    },
  }
}
