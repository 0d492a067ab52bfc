/**
 * Why an interrupt of a GICv2 is, or is not, signalled: the gates of delivery, in order, each asked for one interrupt and
 * one CPU. The conditions are the functions that deliver (`gates.ts`, `delivery.ts`); what is added here is words, and what
 * to do (`actions.ts`).
 */

import { keyIntid, keyPriority, NONE } from '../candidates.ts'
import { bestOf, type Explanation, kindOf, neverThere, priorityName, summarise } from '../explain.ts'
import { activeGate, askGates, enabledGate, type Gate, pendingGate } from '../gates.ts'
import { advice, hex, type Remedy, type RemedyAction, remedy } from '../remedy.ts'
import { enableInDistributor, enableInInterface, endAll, openMask, sendToSelf, setBit, setByte } from './actions.ts'
import { Ctlr } from './cpu-interface.ts'
import {
  bestCandidate,
  distributorGroupOpen,
  interfaceGroupOpen,
  priorityMaskOpen,
  runningPriorityOpen,
} from './delivery.ts'
import { activeSays, alternatives, endRemedy, inTheWay, runningSays } from './handling.ts'
import { groupRemedy } from './other-group.ts'
import { sgiSays } from './sgi-request.ts'
import type { GicV2State } from './state.ts'
import { bitOf, isIntid, numbered, type Subject, subjectOf } from './subject.ts'

/** What makes an interrupt a candidate on a CPU: without all of it, none is ahead of it. */
const candidacy = [
  'pending',
  'enabled',
  'not active',
  'targeted',
  'group enabled in the Distributor',
  'group enabled in the CPU interface',
]

/** In the order of a walk from the wire to the CPU. */
export const gates: readonly Gate<Subject>[] = [
  {
    name: 'exists',
    cause: 'absent',
    open: (s) => isIntid(s.intid) && bitOf(s, s.gic.irqs.implemented) === 1,
    report: (s, open) => ({
      register: 'GICD_TYPER',
      field: 'ITLinesNumber',
      value: Math.ceil(s.gic.config.intids / 32) - 1,
      says: open ? 'the interrupt exists.' : absentSays(s),
    }),
    remedy: (s) =>
      advice(
        s.intid >= s.gic.config.intids && s.intid < 1020
          ? 'Configure the GIC with more INTIDs, or use another one.'
          : 'Ask for the interrupt that you expect.',
      ),
  },
  {
    name: pendingGate.name,
    cause: 'source',
    open: (s) => ((pendingGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISPENDR', s.intid, 32),
      field: `Set_pending_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: pendingSays(s, open),
    }),
    remedy: pendingRemedy,
  },
  {
    name: enabledGate.name,
    cause: 'configuration',
    open: (s) => ((enabledGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISENABLER', s.intid, 32),
      field: `Set_enable_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: open ? 'it is enabled.' : 'it is not enabled in the Distributor.',
    }),
    remedy: (s) => remedy([setBit(s.gic, 'ISENABLER', 0x100, s.intid, s.group, s.cpu.cpu)]),
  },
  {
    name: activeGate.name,
    cause: 'handling',
    open: (s) => ((activeGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ISACTIVER', s.intid, 32),
      field: `Set_active_bit[${s.bit}]`,
      value: open ? 0 : 1,
      says: open ? 'it is not active.' : activeSays(s),
    }),
    remedy: endRemedy,
  },
  {
    name: 'targeted',
    cause: 'configuration',
    open: (s) => ((s.gic.irqs.targetsOf(s.word, s.bit) >>> s.cpu.cpu) & 1) === 1,
    report: (s, open) => ({
      register: numbered('GICD_ITARGETSR', s.intid, 4),
      field: `CPU_targets_offset_${s.intid % 4}B`,
      value: s.gic.irqs.targetsOf(s.word, s.bit),
      says: open ? 'it is routed to this CPU.' : targetsSay(s),
    }),
    remedy: targetRemedy,
  },
  {
    name: 'group enabled in the Distributor',
    cause: 'configuration',
    open: (s) => distributorGroupOpen(s.gic, s.group),
    report: (s, open) => ({
      register: 'GICD_CTLR',
      field: `EnableGrp${s.group}`,
      value: open ? 1 : 0,
      says: open
        ? `the Distributor forwards Group ${s.group}.`
        : `it is in Group ${s.group}, which the Distributor does not forward.`,
    }),
    remedy: (s) => groupRemedy(s, enableInDistributor(s.gic, s.group, s.cpu.cpu)),
  },
  {
    name: 'group enabled in the CPU interface',
    cause: 'configuration',
    open: (s) => interfaceGroupOpen(s.cpu, s.group),
    report: (s, open) => ({
      register: 'GICC_CTLR',
      field: `EnableGrp${s.group}`,
      value: open ? 1 : 0,
      says: open
        ? `the CPU interface signals Group ${s.group}.`
        : `it is in Group ${s.group}, which CPU ${s.cpu.cpu}'s interface does not signal.`,
    }),
    remedy: (s) => groupRemedy(s, enableInInterface(s.gic, s.group, s.cpu)),
  },
  {
    name: 'priority mask',
    cause: 'configuration',
    open: (s) => priorityMaskOpen(s.cpu, s.priority),
    report: (s) => ({
      register: 'GICC_PMR',
      field: 'Priority',
      value: s.cpu.pmr,
      says:
        s.cpu.pmr === 0
          ? 'the mask is 0, which lets no priority pass, as it is after reset.'
          : `its priority is ${priorityName(s.priority, s.gic.config.security && s.group === 1)}, and the mask lets values below ${hex(s.cpu.pmr)} pass${priorityMaskOpen(s.cpu, s.priority) ? '' : ' only'}.`,
    }),
    remedy: maskRemedy,
  },
  {
    name: 'running priority',
    cause: 'handling',
    open: (s) => runningPriorityOpen(s.cpu, s.priority, s.group),
    report: (s) => ({
      register: 'GICC_RPR',
      field: 'Priority',
      value: Math.min(s.cpu.running, 0xff),
      says: runningSays(s),
    }),
    remedy: (s) => {
      const running = inTheWay(s)
      return remedy(endAll(s.gic, s.cpu, running), {
        before: running.some(({ intid }) => intid === undefined) ? UNACCOUNTED : 'When its handler is done,',
        after: alternatives(s),
      })
    },
  },
  {
    name: 'best pending',
    cause: 'turn',
    needs: () => candidacy,
    open: isFirst,
    report: (s, open) => {
      const key = bestCandidate(s.gic, s.cpu, true)
      return {
        register: 'GICC_HPPIR',
        field: 'Interrupt_ID',
        value: key === NONE ? 1023 : keyIntid(key),
        says: open ? 'nothing is ahead of it.' : `${aheadOf(key, s)} is ahead of it.`,
      }
    },
    remedy: (s) => {
      const intid = keyIntid(bestCandidate(s.gic, s.cpu, true))
      return {
        text: 'Its turn comes when that one has been acknowledged and ended.',
        actions: [{ do: 'wait', intid, cpu: s.cpu.cpu }],
      }
    },
  },
]

const UNACCOUNTED =
  'No interrupt that is known accounts for all of it: active priorities were written, or a group changed.'

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

function aheadOf(key: number, s: Subject): string {
  if (key === NONE || keyIntid(key) === s.intid) return 'nothing'
  const priority = keyPriority(key)
  const order =
    priority === s.priority ? 'the same, and a lower INTID' : `${hex(s.priority)}, and lower values come first`
  return `${kindOf(keyIntid(key))} of priority ${hex(priority)} (this one's is ${order})`
}

export function explainInterrupt(gic: GicV2State, intid: number, cpu: number): Explanation {
  const subject = subjectOf(gic, intid, cpu)
  const reports = askGates(gates[0]!.open(subject) ? gates : gates.slice(0, 1), subject)
  const fiq = subject.group === 0 && (subject.cpu.ctlr & Ctlr.FIQEn) !== 0
  return summarise(intid, cpu, fiq ? 'fiq' : 'irq', reports)
}

function absentSays({ intid, gic }: Subject): string {
  const never = neverThere(intid)
  if (never !== undefined && !(intid >= 1024)) return never
  return `this GIC has INTIDs 0 to ${gic.config.intids - 1} only${intid < 1020 ? '' : ', and no GICv2 has one above 1019'}.`
}

/** The CPU beside those that have it: what is pending for them stays theirs. */
function targetRemedy({ gic, word, bit, cpu, intid, group }: Subject): Remedy {
  const targets = gic.irqs.targetsOf(word, bit)
  const own = 1 << cpu.cpu
  return remedy([setByte(gic, 'ITARGETSR', 0x800, intid, targets | own, group, cpu.cpu)], {
    after: targets === 0 ? '' : `, or ${hex(own)} to have it go to CPU ${cpu.cpu} alone`,
  })
}

function targetsSay({ gic, word, bit, cpu }: Subject): string {
  const targets = gic.irqs.targetsOf(word, bit)
  if (targets === 0) return 'its target byte is 0, as it is after reset: it goes to no CPU.'
  const others = gic.cpus.filter((each) => (targets >>> each.cpu) & 1).map((each) => `CPU ${each.cpu}`)
  return `its target byte ${hex(targets)} sends it to ${others.join(', ')}, and not to CPU ${cpu.cpu}.`
}

function pendingSays(s: Subject, open: boolean): string {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  if (open) return bitOf(s, irqs.latch) === 1 ? 'it is pending (latched).' : 'it is pending (its level is high).'
  if (s.intid < 16) return sgiSays(s.gic, s.intid, s.cpu.cpu)
  if (!edge && bitOf(s, irqs.withdrawn))
    return 'it is level-sensitive and its line dropped before any CPU acknowledged it.'
  if (edge && bitOf(s, irqs.line))
    return 'it is edge-triggered; its line is high, but that edge has been taken already.'
  return edge ? 'no edge has arrived on its line.' : 'its line is low.'
}

function pendingRemedy(s: Subject): Remedy {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  const wire = { do: 'line', intid: s.intid, cpu: s.intid < 32 ? s.cpu.cpu : -1 } as const
  const high: RemedyAction = { ...wire, level: true }
  const low: RemedyAction = { ...wire, level: false }
  if (s.intid < 16)
    return { text: 'Send it with GICD_SGIR.', actions: [sendToSelf(s.gic, s.intid, s.group, s.cpu.cpu)] }
  if (!edge && bitOf(s, irqs.withdrawn))
    return {
      text: 'Keep the line high until the handler has quietened the device, or make it edge-triggered in GICD_ICFGR.',
      actions: [high],
    }
  if (edge && bitOf(s, irqs.line))
    return {
      text: 'Lower and raise the line again, or make it level-sensitive in GICD_ICFGR.',
      actions: [low, high],
    }
  return edge
    ? { text: 'Pulse its line, or write GICD_ISPENDR.', actions: [high, low] }
    : { text: 'Raise its line, or write GICD_ISPENDR.', actions: [high] }
}

/** A usual priority that every mask can let pass, for one that none does. */
const USUAL = 0xa0

function maskRemedy(s: Subject): Remedy {
  const { gic, cpu, group, intid } = s
  const open = openMask(gic, group, cpu)
  if (s.priority < cpu.priorityMask) {
    const value = `, or write a lower value to its byte of ${numbered('GICD_IPRIORITYR', intid, 4)}`
    return remedy([open], { after: cpu.pmr > bestOf(gic.config.security && group === 1) ? value : '' })
  }
  const better = setByte(gic, 'IPRIORITYR', 0x400, intid, USUAL, group, cpu.cpu)
  return remedy([better, open], { before: 'It has the lowest priority, which every mask holds back.' })
}
