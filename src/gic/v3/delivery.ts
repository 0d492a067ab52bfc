/**
 * Delivery in a GICv3: which candidate a PE is signalled, over which wire, and what acknowledging it does (IHI 0069 4.2 to
 * 4.8). The gates here are the ones that `explain.ts` reports; ending and deactivating are in `ending.ts`.
 */

import { NONE } from '../candidates.ts'
import { Output } from '../outputs.ts'
import { type CpuInterfaceV3, IDLE } from './cpu-interface.ts'
import { Group, NMI_SETS, NON_SECURE_NMI, SETS } from './groups.ts'
import { FIRST_LPI } from './lpis.ts'
import { isAtEl3, isRestricted, isSecureAccess } from './security.ts'
import type { GicV3State } from './state.ts'

/**
 * A key of `../candidates.ts` leaves bit 22 clear: no INTID is so great. A non-maskable interrupt has it set, in the key of
 * one priority better: so it comes before all that share its priority, and after all of better ones.
 */
const NMI_KEY = 1 << 22
const PRIORITY_SHIFT = 23

const { G0, G1S, G1NS } = Group
const { irq: IRQ, fiq: FIQ, superpriority: SUPERPRIORITY } = Output

export const SPURIOUS = 1023
/** A Secure, or a Non-secure, interrupt that EL3 is to hand on (IHI 0069 2.2.1). */
export const FOR_SECURE = 1020
export const FOR_NON_SECURE = 1021
/** A non-maskable interrupt is pending: read ICC_NMIAR1_EL1. */
export const NMI_PENDING = 1022

export function isNmiKey(key: number): boolean {
  return (key & NMI_KEY) !== 0
}

export function keyIntid(key: number): number {
  return key & (NMI_KEY - 1)
}

export function keyPriority(key: number): number {
  return (key >> PRIORITY_SHIFT) + (isNmiKey(key) ? 1 : 0)
}

/** The key of an interrupt of a PE, as `bestCandidate` compares them. */
export function keyOf(priority: number, intid: number, nmi: boolean): number {
  return nmi ? ((priority - 1) << PRIORITY_SHIFT) | NMI_KEY | intid : (priority << PRIORITY_SHIFT) | intid
}

/** Forwarding of the group by the Distributor (GICD_CTLR.EnableGrp0, EnableGrp1S, EnableGrp1NS). */
export function distributorGroupOpen(gic: GicV3State, group: number): boolean {
  return ((gic.groupEnables >>> group) & 1) === 1
}

/** Signalling of the group by the CPU interface (ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1). */
export function interfaceGroupOpen(cpu: CpuInterfaceV3, group: number): boolean {
  return ((cpu.enables >>> group) & 1) === 1
}

/** A Redistributor whose PE sleeps forwards nothing (GICR_WAKER.ChildrenAsleep). */
export function redistributorOpen(gic: GicV3State, pe: number): boolean {
  return !gic.redistributors[pe]!.asleep || !gic.config.sleep
}

/**
 * Only a priority of lower value than ICC_PMR_EL1 is signalled. A non-maskable interrupt always is, but for a Non-secure one
 * where there are two Security states: a mask in the Secure half of the priorities hides it, and for a Secure PE one at the
 * edge of that half does too.
 */
export function priorityMaskOpen(cpu: CpuInterfaceV3, priority: number, nmi: boolean): boolean {
  if (!nmi) return (priority & cpu.priorityMask) < cpu.pmr
  if (priority === 0 || cpu.pmr > NON_SECURE_NMI) return true
  return cpu.pmr === NON_SECURE_NMI && cpu.el !== 3 && !cpu.secure
}

/**
 * Only a group priority of lower value than that of the running priority preempts, both cut to the interrupt's own binary
 * point (IHI 0069 4.8.5). A non-maskable interrupt preempts those of its own group priority, too, unless they are as it is.
 */
export function runningPriorityOpen(cpu: CpuInterfaceV3, priority: number, group: number, nmi: boolean): boolean {
  return preempts(cpu.groupPriorityMask(group), priority, nmi, cpu.running, cpu.bestNmi)
}

/** The same of any running priority, and the best of those that are non-maskable; `mask` is the interrupt's binary point. */
export function preempts(mask: number, priority: number, nmi: boolean, running: number, bestNmi: number): boolean {
  const held = running & (mask | IDLE)
  if (nmi) return (priority & mask) <= held && bestNmi > priority
  return (priority & mask) < held
}

export function groupOf(gic: GicV3State, pe: number, intid: number): number {
  return intid >= FIRST_LPI ? G1NS : gic.irqs.groupOf(gic.irqs.wordOf(intid, pe), intid & 31)
}

/** Best candidate for a PE, of the groups enabled in the Distributor, and in its interface too where `signalled`. */
export function bestCandidate(gic: GicV3State, cpu: CpuInterfaceV3, signalled: boolean): number {
  const { pe } = cpu
  if (!redistributorOpen(gic, pe)) return NONE
  const groups = gic.groupEnables & (signalled ? cpu.enables : -1)
  const { irqs } = gic
  const { candidates } = irqs
  const set = pe * SETS
  let key = NONE
  if (groups & (1 << G0)) key = candidates.best(set + G0)
  if (groups & (1 << G1S)) key = Math.min(key, candidates.best(set + G1S))
  if (groups & (1 << G1NS)) {
    key = Math.min(key, candidates.best(set + G1NS))
    const { lpis } = gic.redistributors[pe]!
    if (lpis !== undefined) key = Math.min(key, lpis.best())
  }
  return irqs.rare === 0 ? key : Math.min(key, bestRare(gic, pe, groups))
}

/** Best of the candidates that are 1-of-N, where this PE is the one that takes those, or non-maskable, or both. */
function bestRare({ irqs }: GicV3State, pe: number, groups: number): number {
  const { candidates, recipients } = irqs
  let best = NONE
  for (let group = G0 as number; group <= G1NS; group++) {
    if (!((groups >>> group) & 1)) continue
    const own = pe * SETS + group
    const shared = recipients.chosen[group] === pe ? irqs.pes * SETS + group : own
    best = Math.min(best, candidates.best(shared))
    if (group === G0) continue
    const nmi = Math.min(candidates.best(own + NMI_SETS), candidates.best(shared + NMI_SETS))
    if (nmi !== NONE) best = Math.min(best, (nmi - (1 << PRIORITY_SHIFT)) | NMI_KEY)
  }
  return best
}

/** Brings what one PE is signalled up to date: the interrupt that an acknowledge would take, and the wires. */
export function updatePe(gic: GicV3State, cpu: CpuInterfaceV3): void {
  const key = bestCandidate(gic, cpu, true)
  const levels = key === NONE ? 0 : levelsFor(gic, cpu, key)
  cpu.signalled = levels === 0 ? NONE : key
  cpu.wires.drive(levels)
}

/** The wires that a candidate drives: none while the PE's priorities hold it back. */
function levelsFor(gic: GicV3State, cpu: CpuInterfaceV3, key: number): number {
  const group = groupOf(gic, cpu.pe, keyIntid(key))
  const priority = keyPriority(key)
  const nmi = isNmiKey(key)
  if (!priorityMaskOpen(cpu, priority, nmi) || !runningPriorityOpen(cpu, priority, group, nmi)) return 0
  return (isFiq(gic, cpu, group) ? FIQ : IRQ) | (nmi ? SUPERPRIORITY : 0)
}

/** Group 0 is FIQ; Group 1 is IRQ in the Security state that it belongs to, and FIQ elsewhere and at EL3 (IHI 0069 4.6.2). */
export function isFiq(gic: GicV3State, cpu: CpuInterfaceV3, group: number): boolean {
  if (group === G0) return true
  if (!gic.twoStates) return false
  return cpu.el === 3 || (group === G1S) !== cpu.secure
}

/**
 * What ICC_IAR0_EL1 and ICC_HPPIR0_EL1 make of an interrupt. EL3 is told of one of Group 1 whom it is for: 1020 is for Secure
 * EL1 or EL2, 1021 for Non-secure EL1 or EL2, with one Security state too (IHI 0069 2.2.1).
 */
function throughGroup0(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, group: number): number {
  if (group === G0) return isRestricted(gic, cpu) ? SPURIOUS : intid
  if (!isAtEl3(gic, cpu)) return SPURIOUS
  return group === G1S ? FOR_SECURE : FOR_NON_SECURE
}

/**
 * What ICC_IAR1_EL1 and ICC_HPPIR1_EL1 make of one: EL3 takes either Group 1, and below it each Security state its own.
 * (ICC_CTLR_EL3.RM, which hides them from EL3, is RES0 where Secure ICC_SRE_EL1.SRE is RAO/WI.)
 */
function throughGroup1(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, group: number): number {
  if (group === G0) return SPURIOUS
  if (!gic.twoStates || cpu.el === 3) return intid
  return isSecureAccess(gic, cpu) === (group === G1S) ? intid : SPURIOUS
}

/** Which acknowledge register: of Group 0, of Group 1, or of Group 1's non-maskable ones. */
export type Acknowledge = 'IAR0' | 'IAR1' | 'NMIAR1'

/** What an acknowledge register makes of the interrupt that is signalled: itself, or a special INTID. */
function seenThrough(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  register: Acknowledge,
  key: number,
  intid: number,
  group: number,
): number {
  if (register === 'IAR0') return throughGroup0(gic, cpu, intid, group)
  const seen = throughGroup1(gic, cpu, intid, group)
  if (register === 'NMIAR1') return isNmiKey(key) ? seen : SPURIOUS
  return cpu.sctlrNmi && isNmiKey(key) && seen === intid ? NMI_PENDING : seen
}

/** An acknowledge without its effect. */
export function peekAcknowledge(gic: GicV3State, cpu: CpuInterfaceV3, register: Acknowledge): number {
  const key = cpu.signalled
  if (key === NONE) return SPURIOUS
  const intid = keyIntid(key)
  return seenThrough(gic, cpu, register, key, intid, groupOf(gic, cpu.pe, intid))
}

export function acknowledge(gic: GicV3State, cpu: CpuInterfaceV3, register: Acknowledge): number {
  const key = cpu.signalled
  let seen = SPURIOUS
  if (key !== NONE) {
    const intid = keyIntid(key)
    const lpi = intid >= FIRST_LPI
    const word = lpi ? 0 : gic.irqs.wordOf(intid, cpu.pe)
    const group = lpi ? G1NS : gic.irqs.groupOf(word, intid & 31)
    seen = seenThrough(gic, cpu, register, key, intid, group)
    if (seen === intid) {
      if (isNmiKey(key)) cpu.activateNmi(group, intid)
      else cpu.activatePriority(keyPriority(key), group, intid)
      if (lpi) gic.redistributors[cpu.pe]!.lpis!.clearPending(intid)
      else gic.irqs.activate(word, intid & 31)
      gic.markDirty(cpu.pe)
    }
  }
  if (gic.events.active) reportAcknowledge(gic, cpu, register, seen)
  return seen
}

function reportAcknowledge(gic: GicV3State, { pe }: CpuInterfaceV3, register: Acknowledge, intid: number): void {
  const reason = isSpecial(intid) ? gic.whyNothing(pe, register) : undefined
  gic.events.emit({ kind: 'acknowledge', cpu: pe, intid, source: 0, register: `ICC_${register}_EL1`, reason })
}

export function isSpecial(intid: number): boolean {
  return intid >= FOR_SECURE && intid <= SPURIOUS
}

/** ICC_HPPIR0_EL1 and ICC_HPPIR1_EL1: not subject to the priority mask, nor to what is running (IHI 0069 8.2). */
export function highestPending(gic: GicV3State, cpu: CpuInterfaceV3, of: 0 | 1): number {
  const key = bestCandidate(gic, cpu, false)
  if (key === NONE) return SPURIOUS
  const intid = keyIntid(key)
  const group = groupOf(gic, cpu.pe, intid)
  if (!interfaceGroupOpen(cpu, group)) return SPURIOUS
  return of === 0 ? throughGroup0(gic, cpu, intid, group) : throughGroup1(gic, cpu, intid, group)
}
