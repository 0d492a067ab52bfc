/**
 * Delivery in a GICv2: which candidate a CPU is signalled, over which wire, and what acknowledging, ending and deactivating
 * it does (IHI 0048 chapter 3). The gates here are the ones that `explain.ts` reports.
 */

import { keyIntid, keyPriority, NONE } from '../candidates.ts'
import { Output } from '../outputs.ts'
import { type CpuInterface, Ctlr, IDLE } from './cpu-interface.ts'
import { runningSays } from './running.ts'
import type { GicV2State } from './state.ts'

const { FIQEn, AckCtl } = Ctlr
const { irq: IRQ, fiq: FIQ } = Output

/** GICD_CTLR and GICC_CTLR have one enable bit for each group, at the same place. */
export function distributorGroupOpen(gic: GicV2State, group: number): boolean {
  return ((gic.ctlr >>> group) & 1) === 1
}

export function interfaceGroupOpen(cpu: CpuInterface, group: number): boolean {
  return ((cpu.ctlr >>> group) & 1) === 1
}

/** Only a priority of lower value than GICC_PMR is signalled (IHI 0048 4.4.2). */
export function priorityMaskOpen(cpu: CpuInterface, priority: number): boolean {
  return priority < cpu.pmr
}

/**
 * Only a group priority of lower value than that of the running priority preempts (IHI 0048 3.3.2). Both are cut to the
 * interrupt's own binary point: the running interrupt may be of the other group, or the point have moved since.
 */
export function runningPriorityOpen(cpu: CpuInterface, priority: number, group: number): boolean {
  const mask = cpu.groupPriorityMask(group)
  return (priority & mask) < (cpu.running & (mask | IDLE))
}

/** Best candidate of the groups that are enabled in the Distributor, and in the CPU interface too where `signalled`. */
export function bestCandidate(gic: GicV2State, cpu: CpuInterface, signalled: boolean): number {
  const { candidates } = gic.irqs
  const set = cpu.cpu * 2
  // Both gates at once: each has the enable bits of the groups at the same place.
  const groups = gic.ctlr & (signalled ? cpu.ctlr : -1)
  const best = groups & 1 ? candidates.best(set) : NONE
  return groups & 2 ? Math.min(best, candidates.best(set + 1)) : best
}

export function groupOf(gic: GicV2State, cpu: number, intid: number): number {
  return (gic.irqs.group[gic.irqs.wordOf(intid, cpu)]! >>> (intid & 31)) & 1
}

/** Brings what one CPU is signalled up to date: the interrupt that an acknowledge would take, and the two wires. */
export function updateCpu(gic: GicV2State, cpu: CpuInterface): void {
  let key = bestCandidate(gic, cpu, true)
  let levels = 0
  if (key !== NONE) {
    const priority = keyPriority(key)
    const group = groupOf(gic, cpu.cpu, keyIntid(key))
    if (!priorityMaskOpen(cpu, priority) || !runningPriorityOpen(cpu, priority, group)) key = NONE
    else levels = group === 0 && cpu.ctlr & FIQEn ? FIQ : IRQ
  }
  cpu.signalled = key
  if (cpu.legacy !== 0) levels |= bypassing(cpu)
  cpu.wires.drive(levels)
}

/** The legacy inputs that are high and reach the CPU past its interface. */
function bypassing(cpu: CpuInterface): number {
  return cpu.legacy & ((irqBypassed(cpu) ? IRQ : 0) | (fiqBypassed(cpu) ? FIQ : 0))
}

/** The legacy IRQ input reaches the CPU while the interface signals no group as IRQ and a bypass is not disabled. */
function irqBypassed(cpu: CpuInterface): boolean {
  const { ctlr } = cpu
  const signals = ctlr & Ctlr.FIQEn ? Ctlr.EnableGrp1 : Ctlr.EnableGrp0 | Ctlr.EnableGrp1
  const disabled = ctlr & Ctlr.FIQEn ? Ctlr.IRQBypDisGrp1 : Ctlr.IRQBypDisGrp0 | Ctlr.IRQBypDisGrp1
  return (ctlr & signals) === 0 && (ctlr & disabled) !== disabled
}

function fiqBypassed(cpu: CpuInterface): boolean {
  const { ctlr } = cpu
  if (ctlr & Ctlr.FIQEn) return (ctlr & Ctlr.EnableGrp0) === 0 && (ctlr & Ctlr.FIQBypDisGrp0) === 0
  const disabled = Ctlr.FIQBypDisGrp0 | Ctlr.FIQBypDisGrp1
  return (ctlr & disabled) !== disabled
}

export const SPURIOUS = 1023
/** The pending interrupt is of Group 1 and this read may not take it (IHI 0048 3.2.5). */
export const GROUP1_PENDING = 1022

/** Which interrupts a read of an acknowledge or highest-pending register may see. */
export type View = 'secure' | 'non-secure'

/** What a read in this view makes of the interrupt `intid` of `group`: itself, 1022 or 1023. */
function filtered(cpu: CpuInterface, intid: number, group: number, view: View): number {
  if (view === 'non-secure') return group === 1 ? intid : SPURIOUS
  return group === 1 && !(cpu.ctlr & AckCtl) ? GROUP1_PENDING : intid
}

/** GICC_IAR and GICC_AIAR without their effect: INTID with an SGI's source in bits 12:10. */
export function peekAcknowledge(gic: GicV2State, cpu: CpuInterface, view: View): number {
  const key = cpu.signalled
  if (key === NONE) return SPURIOUS
  const intid = filtered(cpu, keyIntid(key), groupOf(gic, cpu.cpu, keyIntid(key)), view)
  return intid < 16 ? withSource(gic, cpu.cpu, intid) : intid
}

export function acknowledge(gic: GicV2State, cpu: CpuInterface, view: View, register: string): number {
  const key = cpu.signalled
  let intid = SPURIOUS
  let value = SPURIOUS
  if (key !== NONE) {
    const { irqs } = gic
    const candidate = keyIntid(key)
    const word = irqs.wordOf(candidate, cpu.cpu)
    const group = (irqs.group[word]! >>> (candidate & 31)) & 1
    value = intid = filtered(cpu, candidate, group, view)
    if (intid === candidate) {
      cpu.activatePriority(keyPriority(key), group, candidate)
      if (intid < 16) value |= irqs.takeSgi(cpu.cpu, intid) << 10
      else irqs.activate(word, intid & 31)
      irqs.dirty |= 1 << cpu.cpu
    }
  }
  if (gic.events.active) reportAcknowledge(gic, cpu, view, register, intid, value)
  return value
}

function reportAcknowledge(
  gic: GicV2State,
  { cpu }: CpuInterface,
  view: View,
  register: string,
  intid: number,
  value: number,
): void {
  const reason = intid < 1020 ? undefined : gic.whyNothing(cpu, view)
  gic.events.emit({ kind: 'acknowledge', cpu, intid, source: intid < 16 ? value >>> 10 : 0, register, reason })
}

/** GICC_HPPIR and GICC_AHPPIR: does not depend on the priority mask or on what is running (IHI 0048 4.4.7). */
export function highestPending(gic: GicV2State, cpu: CpuInterface, view: View): number {
  const key = bestCandidate(gic, cpu, false)
  if (key === NONE) return SPURIOUS
  const intid = keyIntid(key)
  const group = groupOf(gic, cpu.cpu, intid)
  if (!interfaceGroupOpen(cpu, group)) return SPURIOUS
  const seen = filtered(cpu, intid, group, view)
  return seen < 16 ? withSource(gic, cpu.cpu, seen) : seen
}

function withSource(gic: GicV2State, cpu: number, sgi: number): number {
  const sources = gic.irqs.sources[cpu * 16 + sgi]!
  return sgi | ((31 - Math.clz32(sources & -sources)) << 10)
}

/**
 * GICC_EOIR and GICC_AEOIR: priority drop, and deactivation too unless `split`. What the architecture leaves UNPREDICTABLE
 * is decided so: nothing running, or no such interrupt: ignored; out of order: the group's best priority drops.
 */
export function endOfInterrupt(gic: GicV2State, cpu: CpuInterface, value: number, view: View, split: boolean): void {
  const intid = value & 0x3ff
  if (intid >= 1020) return
  const { irqs } = gic
  const word = irqs.wordOf(intid, cpu.cpu)
  const bit = intid & 31
  const exists = intid < gic.config.intids
  const group = (irqs.group[word]! >>> bit) & 1
  const hidden = group === 0 && view === 'non-secure'
  if (!exists || hidden || cpu.running === IDLE) {
    refuseEnd(gic, cpu, intid, !exists, hidden)
    return
  }
  const { active } = gic.events
  if (active) reportEnd(gic, cpu, value, word, group)
  cpu.dropPriority(group)
  if (active) reportDrop(gic, cpu, intid)
  if (!split) deactivate(gic, cpu, word, bit)
  irqs.dirty |= 1 << cpu.cpu
}

function reportEnd(gic: GicV2State, cpu: CpuInterface, value: number, word: number, group: number): void {
  const intid = value & 0x3ff
  if (isRunning(gic, cpu, value, word, group)) return
  if (isFromAnother(gic, cpu, value)) gic.misuse('eoi-wrong-source', cpu.cpu, intid, ...sources(gic, cpu, value))
  else gic.misuse('eoi-of-another', cpu.cpu, intid, String(intid), runningSays(gic, cpu))
}

function reportDrop({ events }: GicV2State, { cpu }: CpuInterface, intid: number): void {
  events.emit({ kind: 'priority-drop', cpu, intid })
}

/** An SGI that is active, and that another CPU sent than the value says (GICC_EOIR.CPUID, IHI 0048 4.4.5). */
function isFromAnother({ irqs }: GicV2State, { cpu }: CpuInterface, value: number): boolean {
  const sgi = value & 0x3ff
  const active = sgi < 16 && ((irqs.active[cpu]! >>> sgi) & 1) === 1
  return active && irqs.activeSource[cpu * 16 + sgi] !== ((value >>> 10) & 7)
}

/** The SGI with the source that was written, and the right one. */
function sources({ irqs }: GicV2State, { cpu }: CpuInterface, value: number): [what: string, detail: string] {
  const sgi = value & 0x3ff
  const source = irqs.activeSource[cpu * 16 + sgi]!
  const right = `0x${(sgi | (source << 10)).toString(16)}`
  return [
    `${sgi} as from CPU ${(value >>> 10) & 7}`,
    `: CPU ${source} sent the one that is active, which ${right} ends`,
  ]
}

function refuseEnd(gic: GicV2State, { cpu }: CpuInterface, intid: number, absent: boolean, hidden: boolean): void {
  gic.misuse(absent ? 'eoi-invalid-intid' : hidden ? 'eoi-hidden-group' : 'eoi-without-acknowledge', cpu, intid)
}

/** Whether the interrupt that `value` names could be the one that runs: active, from that source, and of its priority. */
function isRunning({ irqs }: GicV2State, cpu: CpuInterface, value: number, word: number, group: number): boolean {
  const intid = value & 0x3ff
  if (!((irqs.active[word]! >>> (intid & 31)) & 1)) return false
  if (intid < 16 && irqs.activeSource[cpu.cpu * 16 + intid] !== ((value >>> 10) & 7)) return false
  return (irqs.priority[word * 32 + (intid & 31)]! & cpu.groupPriorityMask(group)) === cpu.running
}

/** GICC_DIR: works only while the view's EOImode separates the two (IHI 0048 4.4.11). */
export function deactivateInterrupt(
  gic: GicV2State,
  cpu: CpuInterface,
  value: number,
  view: View,
  split: boolean,
): void {
  const intid = value & 0x3ff
  if (intid >= 1020) return
  if (!split) {
    gic.misuse('deactivate-without-split', cpu.cpu, intid)
    return
  }
  const { irqs } = gic
  const word = irqs.wordOf(intid, cpu.cpu)
  const bit = intid & 31
  if (view === 'non-secure' && groupOf(gic, cpu.cpu, intid) === 0) {
    gic.misuse('deactivate-hidden-group', cpu.cpu, intid)
    return
  }
  if (!((irqs.active[word]! >>> bit) & 1)) {
    gic.misuse('deactivate-not-active', cpu.cpu, intid)
    return
  }
  if (gic.events.active && isFromAnother(gic, cpu, value))
    gic.misuse('deactivate-wrong-source', cpu.cpu, intid, ...sources(gic, cpu, value))
  deactivate(gic, cpu, word, bit)
}

function deactivate({ irqs, events }: GicV2State, { cpu }: CpuInterface, word: number, bit: number): void {
  const told = events.active && ((irqs.active[word]! >>> bit) & 1) === 1
  irqs.deactivate(word, bit)
  if (told) events.emit({ kind: 'deactivate', cpu, intid: irqs.intidOf(word, bit) })
}
