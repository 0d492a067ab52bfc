/**
 * The gates that every interrupt of a GICv3 passes: its group in the Distributor, the Redistributor, and the PE's CPU
 * interface. The conditions are the functions that deliver (`delivery.ts`).
 */

import { NONE } from '../candidates.ts'
import { bestOf, kindOf, preemptionAlternatives, priorityName, runningTold } from '../explain.ts'
import type { Gate } from '../gates.ts'
import { hex, type Remedy, remedy } from '../remedy.ts'
import { enableField, enableInDistributor, enableInInterface, endAll, openMask, setPriority, wake } from './actions.ts'
import { IDLE } from './cpu-interface.ts'
import {
  bestCandidate,
  distributorGroupOpen,
  interfaceGroupOpen,
  isNmiKey,
  keyIntid,
  keyPriority,
  preempts,
  priorityMaskOpen,
  redistributorOpen,
  runningPriorityOpen,
  SPURIOUS,
} from './delivery.ts'
import { setLpiPriority } from './gates-lpis.ts'
import { Group } from './groups.ts'
import { groupRemedy } from './other-group.ts'
import { type Running, runningOn } from './running.ts'
import { groupName, isCovered, type Subject } from './subject.ts'

/** What makes an interrupt a candidate on a PE: without all of it, none is ahead of it. */
const candidacy = [
  'LPIs enabled',
  'covered by the tables',
  'pending',
  'enabled',
  'not active',
  'targeted',
  'group enabled in the Distributor',
  'Redistributor awake',
  'group enabled in the CPU interface',
]

/** The name of the group's enable in the CPU interface. */
const enableOf = (s: Subject) => (s.group === Group.G0 ? 'ICC_IGRPEN0_EL1' : 'ICC_IGRPEN1_EL1')

export const interfaceGates: readonly Gate<Subject>[] = [
  {
    name: 'group enabled in the Distributor',
    cause: 'configuration',
    open: (s) => distributorGroupOpen(s.gic, s.group),
    report: (s, open) => ({
      register: 'GICD_CTLR',
      field: enableField(s.gic, s.group)[0],
      value: open ? 1 : 0,
      says: open
        ? `the Distributor forwards ${groupName(s.gic, s.group)}.`
        : `it is in ${groupName(s.gic, s.group)}, which the Distributor does not forward.`,
    }),
    remedy: (s) => groupRemedy(s, enableInDistributor(s.gic, s.group, s.cpu.pe)),
  },
  {
    name: 'Redistributor awake',
    cause: 'configuration',
    open: (s) => redistributorOpen(s.gic, s.cpu.pe),
    report: (s, open) => ({
      register: 'GICR_WAKER',
      field: 'ChildrenAsleep',
      value: open ? 0 : 1,
      says: open ? 'the Redistributor forwards to its PE.' : `PE ${s.cpu.pe}'s Redistributor is asleep.`,
    }),
    remedy: (s) => remedy([wake(s.gic, s.cpu.pe)], { after: ', and wait until ChildrenAsleep reads 0' }),
  },
  {
    name: 'group enabled in the CPU interface',
    cause: 'configuration',
    open: (s) => interfaceGroupOpen(s.cpu, s.group),
    report: (s, open) => ({
      register: enableOf(s),
      field: 'Enable',
      value: open ? 1 : 0,
      says: open
        ? `the CPU interface signals ${groupName(s.gic, s.group)}.`
        : `it is in ${groupName(s.gic, s.group)}, which PE ${s.cpu.pe}'s interface does not signal.`,
    }),
    remedy: (s) => groupRemedy(s, enableInInterface(s.gic, s.cpu, s.group)),
  },
  {
    name: 'priority mask',
    cause: 'configuration',
    needs: prioritised,
    open: (s) => priorityMaskOpen(s.cpu, s.priority, s.nmi),
    report: (s, open) => ({ register: 'ICC_PMR_EL1', field: 'Priority', value: s.cpu.pmr, says: maskSays(s, open) }),
    remedy: maskRemedy,
  },
  {
    name: 'running priority',
    cause: 'handling',
    needs: prioritised,
    open: (s) => runningPriorityOpen(s.cpu, s.priority, s.group, s.nmi),
    report: (s) => ({
      register: 'ICC_RPR_EL1',
      field: 'Priority',
      value: Math.min(s.cpu.running, 0xff),
      says: runningSays(s),
    }),
    remedy: (s) => {
      const running = inTheWay(s)
      return remedy(endAll(s.gic, s.cpu, running), {
        before: running.some(({ intid }) => intid === undefined)
          ? 'No interrupt that is known accounts for all of it: active priorities were written, or a group changed.'
          : 'When its handler is done,',
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
        register: `ICC_HPPIR${s.group === Group.G0 ? 0 : 1}_EL1`,
        field: 'INTID',
        value: key === NONE ? SPURIOUS : keyIntid(key),
        says: open ? 'nothing is ahead of it.' : `${aheadOf(key, s)} is ahead of it.`,
      }
    },
    remedy: (s) => ({
      text: 'Its turn comes when that one has been acknowledged and ended.',
      actions: [{ do: 'wait', intid: keyIntid(bestCandidate(s.gic, s.cpu, true)), cpu: s.cpu.pe }],
    }),
  },
]

/** An LPI's priority is in a table. */
function prioritised(s: Subject): readonly string[] {
  return s.lpi ? ['LPIs enabled', 'covered by the tables'] : []
}

/** Only the best candidate is looked at: a lesser one waits, even where it could preempt and the best cannot. */
export function isFirst(s: Subject): boolean {
  const best = bestCandidate(s.gic, s.cpu, true)
  return best === NONE || keyIntid(best) === s.intid
}

function aheadOf(key: number, s: Subject): string {
  if (key === NONE || keyIntid(key) === s.intid) return 'nothing'
  const name = kindOf(keyIntid(key))
  if (isNmiKey(key)) return `${name}, which is non-maskable,`
  const priority = keyPriority(key)
  const order =
    priority === s.priority ? 'the same, and a lower INTID' : `${hex(s.priority)}, and lower values come first`
  return `${name} of priority ${hex(priority)} (this one's is ${order})`
}

function maskSays(s: Subject, open: boolean): string {
  const mask = s.cpu.pmr
  if (s.nmi)
    return open
      ? 'it is non-maskable, and passes.'
      : `it is a Non-secure non-maskable interrupt, and the mask ${hex(mask)} is in the Secure half of the priorities, which holds it back.`
  if (mask === 0) return 'the mask is 0, which lets no priority pass, as it is after reset.'
  const priority = priorityName(s.priority, s.gic.twoStates && s.group === Group.G1NS)
  return `its priority is ${priority}, and the mask lets values below ${hex(mask)} pass${open ? '' : ' only'}.`
}

/** A usual priority that every mask can let pass, for one that none does. */
const USUAL = 0xa0

function maskRemedy(s: Subject): Remedy {
  const { gic, cpu, group, intid, nmi } = s
  const open = openMask(gic, cpu, group)
  if (nmi || (s.priority & cpu.priorityMask) < cpu.priorityMask)
    return remedy([open], {
      after: nmi || cpu.pmr <= bestFor(s) ? '' : ', or give the interrupt a lower priority value',
    })
  const better = s.lpi
    ? isCovered(s)
      ? setLpiPriority(s, USUAL)
      : []
    : [setPriority(gic, intid, group, cpu.pe, USUAL)]
  return remedy([...better, open], { before: 'It has the lowest priority, which every mask holds back.' })
}

/** What has to be ended before this interrupt preempts what is left: the best that run, as many as it takes. */
function inTheWay(s: Subject): Running[] {
  const running = runningOn(s.gic, s.cpu)
  let count = 1
  while (count < running.length && !wouldPreempt(s, running.slice(count))) count++
  return running.slice(0, count)
}

function wouldPreempt(s: Subject, left: readonly Running[]): boolean {
  const best = (of: readonly Running[]) => Math.min(IDLE, ...of.map(({ priority }) => priority))
  const bestNmi = best(left.filter(({ level }) => level < 0))
  return preempts(s.cpu.groupPriorityMask(s.group), s.priority, s.nmi, best(left), bestNmi)
}

/** The best priority that the software which owns it can give to it. */
function bestFor(s: Subject): number {
  return bestOf(s.gic.twoStates && s.group === Group.G1NS)
}

/** What else lets it preempt what runs (IHI 0069 4.8.5). Nothing of this is so of non-maskable interrupts. */
function alternatives(s: Subject): string {
  const { cpu, group, priority, nmi } = s
  if (nmi || cpu.running === cpu.bestNmi) return ''
  const mask = cpu.groupPriorityMask(group)
  const finest = (0xff << (cpu.minimumBpr + 1)) & 0xff
  return preemptionAlternatives(cpu.running, { priority, best: bestFor(s), mask, finest }, 'the binary point')
}

function runningSays(s: Subject): string {
  if (s.cpu.idle) return 'nothing runs on this PE.'
  const [best] = runningOn(s.gic, s.cpu)
  const mask = s.cpu.groupPriorityMask(s.group)
  const what = best?.intid === undefined ? 'an interrupt' : kindOf(best.intid)
  if (s.cpu.running === s.cpu.bestNmi)
    return `${what} runs, which is non-maskable: ${s.cpu.running === 0 ? 'nothing preempts it' : `only values below ${hex(s.cpu.running)} do, which are Secure interrupts'`}.`
  return runningTold(what, s.cpu.running, s.priority, mask)
}
