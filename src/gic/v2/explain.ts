/**
 * Why an interrupt of a GICv2 is, or is not, signalled: the gates of delivery, in order, each asked for one interrupt and
 * one CPU. The conditions are the functions that deliver (`gates.ts`, `delivery.ts`); what is added here is words.
 */

import { keyIntid, keyPriority, NONE } from '../candidates.ts'
import { type Explanation, kindOf, summarise } from '../explain.ts'
import { activeGate, type Cause, enabledGate, type GateReport, pendingGate } from '../gates.ts'
import { type CpuInterface, Ctlr } from './cpu-interface.ts'
import {
  bestCandidate,
  distributorGroupOpen,
  groupOf,
  interfaceGroupOpen,
  priorityMaskOpen,
  runningPriorityOpen,
  type View,
} from './delivery.ts'
import type { GicV2State } from './state.ts'

/** One interrupt on one CPU, as the gates see it. */
interface Subject {
  readonly gic: GicV2State
  readonly cpu: CpuInterface
  readonly intid: number
  readonly word: number
  readonly bit: number
  readonly group: number
  readonly priority: number
}

export interface Gate {
  readonly name: string
  open(subject: Subject): boolean
  report(
    subject: Subject,
    open: boolean,
  ): Omit<GateReport, 'gate' | 'open' | 'state' | 'waitsFor' | 'cause' | 'actions'>
}

const causes: Readonly<Record<string, Cause>> = {
  exists: 'absent',
  pending: 'source',
  'not active': 'handling',
  'running priority': 'handling',
  'best pending': 'turn',
}
const hex = (value: number) => `0x${value.toString(16)}`
const numbered = (register: string, intid: number, perRegister: number) =>
  `${register}${Math.floor(intid / perRegister)}`
const bitOf = ({ word, bit }: Subject, bitmap: Int32Array) => (bitmap[word]! >>> bit) & 1

/** In the order of a walk from the wire to the CPU. */
export const gates: readonly Gate[] = [
  {
    name: 'exists',
    open: (s) => bitOf(s, s.gic.irqs.implemented) === 1,
    report: (s, open) => ({
      register: 'GICD_TYPER',
      field: 'ITLinesNumber',
      value: Math.ceil(s.gic.config.intids / 32) - 1,
      says: open ? 'the interrupt exists.' : `this GIC has INTIDs 0 to ${s.gic.config.intids - 1} only.`,
      remedy: open ? undefined : 'Configure the GIC with more INTIDs, or use another one.',
    }),
  },
  {
    name: pendingGate.name,
    open: (s) => ((pendingGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISPENDR', s.intid, 32),
      field: `Set_pending_bit[${s.bit}]`,
      value: open ? 1 : 0,
      ...pendingWords(s, open),
    }),
  },
  {
    name: enabledGate.name,
    open: (s) => ((enabledGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISENABLER', s.intid, 32),
      field: `Set_enable_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: open ? 'it is enabled.' : 'it is not enabled in the Distributor.',
      remedy: open
        ? undefined
        : `Write ${hex((1 << s.bit) >>> 0)} to ${numbered('GICD_ISENABLER', s.intid, 32)}${banked(s)}.`,
    }),
  },
  {
    name: activeGate.name,
    open: (s) => ((activeGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISACTIVER', s.intid, 32),
      field: `Set_active_bit[${s.bit}]`,
      value: open ? 0 : 1,
      says: open
        ? 'it is not active.'
        : 'it is still active: it was acknowledged and never ended, or never deactivated.',
      remedy: open ? undefined : endRemedy(s),
    }),
  },
  {
    name: 'targeted',
    open: (s) => ((s.gic.irqs.targetsOf(s.word, s.bit) >>> s.cpu.cpu) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ITARGETSR', s.intid, 4),
      field: `CPU_targets_offset_${s.intid % 4}B`,
      value: s.gic.irqs.targetsOf(s.word, s.bit),
      says: open
        ? 'it is routed to this CPU.'
        : `its target byte ${hex(s.gic.irqs.targetsOf(s.word, s.bit))} leaves CPU ${s.cpu.cpu} out.`,
      remedy: open ? undefined : `Write byte ${hex(1 << s.cpu.cpu)} at GICD offset ${hex(0x800 + s.intid)}.`,
    }),
  },
  {
    name: 'group enabled in the Distributor',
    open: (s) => distributorGroupOpen(s.gic, s.group),
    report: (s, open) => ({
      register: 'GICD_CTLR',
      field: `EnableGrp${s.group}`,
      value: open ? 1 : 0,
      says: open
        ? `the Distributor forwards Group ${s.group}.`
        : `it is in Group ${s.group}, which the Distributor does not forward.`,
      remedy: open ? undefined : `Set GICD_CTLR.EnableGrp${s.group}${otherGroup(s)}.`,
    }),
  },
  {
    name: 'group enabled in the CPU interface',
    open: (s) => interfaceGroupOpen(s.cpu, s.group),
    report: (s, open) => ({
      register: 'GICC_CTLR',
      field: `EnableGrp${s.group}`,
      value: open ? 1 : 0,
      says: open
        ? `the CPU interface signals Group ${s.group}.`
        : `it is in Group ${s.group}, which CPU ${s.cpu.cpu}'s interface does not signal.`,
      remedy: open ? undefined : `Set GICC_CTLR.EnableGrp${s.group} on CPU ${s.cpu.cpu}${otherGroup(s)}.`,
    }),
  },
  {
    name: 'priority mask',
    open: (s) => priorityMaskOpen(s.cpu, s.priority),
    report: (s, open) => ({
      register: 'GICC_PMR',
      field: 'Priority',
      value: s.cpu.pmr,
      says: open
        ? `its priority ${hex(s.priority)} is above the mask.`
        : `its priority ${hex(s.priority)} is not lower in value than the mask ${hex(s.cpu.pmr)}.`,
      remedy: open ? undefined : maskRemedy(s),
    }),
  },
  {
    name: 'running priority',
    open: (s) => runningPriorityOpen(s.cpu, s.priority, s.group),
    report: (s, open) => ({
      register: 'GICC_RPR',
      field: 'Priority',
      value: Math.min(s.cpu.running, 0xff),
      says: open
        ? 'nothing that runs holds it back.'
        : `an interrupt of priority ${hex(s.cpu.running)} runs, which its group priority ${hex(s.priority & s.cpu.groupPriorityMask(s.group))} does not preempt.`,
      remedy: open
        ? undefined
        : 'It is signalled when the running one is ended (GICC_EOIR), or give it a better priority or a finer GICC_BPR.',
    }),
  },
  {
    name: 'best pending',
    open: (s) => isFirst(s),
    report: (s, open) => {
      const key = bestCandidate(s.gic, s.cpu, true)
      return {
        register: 'GICC_HPPIR',
        field: 'Interrupt_ID',
        value: key === NONE ? 1023 : keyIntid(key),
        says: open
          ? 'nothing is ahead of it.'
          : `${kindOf(keyIntid(key))} of priority ${hex(keyPriority(key))} is ahead of it.`,
        remedy: open ? undefined : 'Its turn comes when that one has been acknowledged and ended.',
      }
    },
  },
]

/** Whether every gate is open: of all interrupts, the one that is signalled. */
export function isDeliverable(gic: GicV2State, intid: number, cpu: number): boolean {
  const subject = subjectOf(gic, intid, cpu)
  return gates.every((gate) => gate.open(subject))
}

/** Only the best candidate is looked at: a lesser one waits, even where it could preempt and the best cannot. */
function isFirst(s: Subject): boolean {
  const best = bestCandidate(s.gic, s.cpu, true)
  return best === NONE || keyIntid(best) === s.intid
}

export function explainInterrupt(gic: GicV2State, intid: number, cpu: number): Explanation {
  const subject = subjectOf(gic, intid, cpu)
  const exists = Number.isInteger(intid) && intid >= 0 && intid < 1024 && gates[0]!.open(subject)
  const asked = exists ? gates : gates.slice(0, 1)
  const reports = asked.map((gate): GateReport => {
    const open = exists && gate.open(subject)
    const cause = causes[gate.name] ?? 'configuration'
    const state = open ? 'open' : 'closed'
    return { gate: gate.name, open, state, waitsFor: [], cause, actions: [], ...gate.report(subject, open) }
  })
  const fiq = subject.group === 0 && (subject.cpu.ctlr & Ctlr.FIQEn) !== 0
  return summarise(intid, cpu, fiq ? 'fiq' : 'irq', reports)
}

/** Why an acknowledge in this view gives 1023 or 1022; undefined when it gives an interrupt. */
export function whyNothing(gic: GicV2State, cpu: number, view: View): string | undefined {
  const key = gic.signalled[cpu]!
  if (key !== NONE) {
    const intid = keyIntid(key)
    const group = groupOf(gic, cpu, intid)
    if (view === 'non-secure')
      return group === 1
        ? undefined
        : `1023: ${kindOf(intid)} is signalled, but it is in Group 0, which this read may not see.`
    if (group === 0 || gic.cpus[cpu]!.ctlr & Ctlr.AckCtl) return undefined
    return `1022: ${kindOf(intid)} is signalled, but it is in Group 1: read GICC_AIAR, or set GICC_CTLR.AckCtl.`
  }
  const waiting = nearest(gic, cpu)
  return waiting === undefined ? '1023: nothing is pending for this CPU.' : `1023: ${waiting.summary}`
}

/** The pending interrupt that gets furthest through the gates on this CPU: the one that a person most likely waits for. */
function nearest(gic: GicV2State, cpu: number): Explanation | undefined {
  let best: Explanation | undefined
  let passed = -1
  for (let intid = 0; intid < gic.config.intids; intid++) {
    const subject = subjectOf(gic, intid, cpu)
    if (!gates[1]!.open(subject)) continue
    const open = gates.findIndex((gate) => !gate.open(subject))
    if (open <= passed) continue
    passed = open
    best = explainInterrupt(gic, intid, cpu)
  }
  return best
}

function subjectOf(gic: GicV2State, intid: number, cpu: number): Subject {
  const known = Number.isInteger(intid) && intid >= 0 && intid < 1024
  const word = gic.irqs.wordOf(known ? intid : 0, cpu)
  const bit = intid & 31
  const group = known ? (gic.irqs.group[word]! >>> bit) & 1 : 0
  return { gic, cpu: gic.cpus[cpu]!, intid, word, bit, group, priority: gic.irqs.priority[word * 32 + bit]! }
}

function pendingWords(s: Subject, open: boolean): { says: string; remedy: string | undefined } {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  if (open) {
    const latched = bitOf(s, irqs.latch) === 1
    return { says: latched ? 'it is pending (latched).' : 'it is pending (its level is high).', remedy: undefined }
  }
  if (s.intid < 16) return { says: 'no CPU has sent it.', remedy: 'Send it with GICD_SGIR.' }
  if (!edge && bitOf(s, irqs.withdrawn))
    return {
      says: 'it is level-sensitive and its line dropped before any CPU acknowledged it.',
      remedy: 'Keep the line high until the handler has quietened the device, or make it edge-triggered in GICD_ICFGR.',
    }
  if (edge && bitOf(s, irqs.line))
    return {
      says: 'it is edge-triggered; its line is high, but that edge has been taken already.',
      remedy: 'Lower and raise the line again, or make it level-sensitive in GICD_ICFGR.',
    }
  return {
    says: edge ? 'no edge has arrived on its line.' : 'its line is low.',
    remedy: edge ? 'Pulse its line, or write GICD_ISPENDR.' : 'Raise its line, or write GICD_ISPENDR.',
  }
}

/** An active interrupt is ended by the CPU whose running priority it is; once that has dropped it is only deactivated. */
function endRemedy(s: Subject): string {
  const { gic, intid, group, priority } = s
  const modeBit = gic.config.security && group === 1 ? Ctlr.EOImodeNS : Ctlr.EOImodeS
  const handlers = [s.cpu, ...(intid < 32 ? [] : gic.cpus)]
  const handler = handlers.find((cpu) => cpu.isPriorityActive(priority, group))
  const split = ((handler ?? s.cpu).ctlr & modeBit) !== 0
  const value = hex(intid < 16 ? intid | (gic.irqs.activeSource[s.cpu.cpu * 16 + intid]! << 10) : intid)
  if (handler !== undefined)
    return split
      ? `Write ${value} to GICC_EOIR and then to GICC_DIR on CPU ${handler.cpu} when its handler is done (GICC_CTLR.EOImode is set).`
      : `Write ${value} to GICC_EOIR on CPU ${handler.cpu} when its handler is done.`
  if (split)
    return `Write ${value} to GICC_DIR: its priority has dropped, but it was not deactivated (GICC_CTLR.EOImode is set).`
  const register = numbered('GICD_ICACTIVER', intid, 32)
  return `No CPU runs it: write ${hex((1 << s.bit) >>> 0)} to ${register}${banked(s)}.`
}

function otherGroup(s: Subject): string {
  return `, or move it to Group ${1 - s.group} (${numbered('GICD_IGROUPR', s.intid, 32)} bit ${s.bit})`
}

function maskRemedy(s: Subject): string {
  if (s.cpu.pmr === 0)
    return `GICC_PMR is 0, which masks everything, as it is after reset: write 0xff to it on CPU ${s.cpu.cpu}.`
  return `Write a greater value to GICC_PMR on CPU ${s.cpu.cpu}, or a lower one to its byte of ${numbered('GICD_IPRIORITYR', s.intid, 4)}.`
}

function banked(s: Subject): string {
  return s.intid < 32 ? ` from CPU ${s.cpu.cpu} (the register is banked)` : ''
}
