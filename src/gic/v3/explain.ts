/**
 * Why an interrupt of a GICv3 is, or is not, signalled: the gates of delivery, in order, each asked for one interrupt and one
 * PE. The conditions are the functions that deliver (`../gates.ts`, `delivery.ts`); what is added here is words.
 */

import { NONE } from '../candidates.ts'
import { type Explanation, kindOf, summarise } from '../explain.ts'
import { activeGate, type Cause, enabledGate, type GateReport, pendingGate } from '../gates.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import {
  type Acknowledge,
  bestCandidate,
  distributorGroupOpen,
  groupOf,
  interfaceGroupOpen,
  isFiq,
  isNmiKey,
  keyIntid,
  keyPriority,
  peekAcknowledge,
  priorityMaskOpen,
  redistributorOpen,
  runningPriorityOpen,
  SPURIOUS,
} from './delivery.ts'
import { typer } from './distributor-control.ts'
import { Group } from './groups.ts'
import { FIRST_EPPI, FIRST_ESPI, IRM } from './irqs.ts'
import { FIRST_LPI } from './lpis.ts'
import type { GicV3State } from './state.ts'

/** One interrupt on one PE, as the gates see it. */
interface Subject {
  readonly gic: GicV3State
  readonly cpu: CpuInterfaceV3
  readonly intid: number
  /** Word and bit of its state; of no meaning for an LPI. */
  readonly word: number
  readonly bit: number
  readonly lpi: boolean
  readonly group: number
  readonly priority: number
  readonly nmi: boolean
}

interface Gate {
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
const hex = (value: number) => `0x${(value >>> 0).toString(16)}`
const groupNames = ['Group 0', 'Secure Group 1', 'Non-secure Group 1']
const bitOf = ({ word, bit }: Subject, bitmap: Int32Array) => (bitmap[word]! >>> bit) & 1

/** Name of the register of a bank that holds an interrupt's field, as software writes it: GICR_ISENABLER0, GICD_ISENABLER1. */
function registerOf(bank: string, { intid }: Subject, perRegister: number): string {
  if (intid < 32) return `GICR_${bank}${Math.floor(intid / perRegister)}`
  if (intid < 1024) return `GICD_${bank}${Math.floor(intid / perRegister)}`
  if (intid >= FIRST_ESPI) return `GICD_${bank}${Math.floor((intid - FIRST_ESPI) / perRegister)}E`
  return `GICR_${bank}${Math.floor((intid - 1056 + 32) / perRegister)}E`
}

const lpis = (s: Subject) => s.gic.redistributors[s.cpu.pe]!.lpis

/** The field that tells software how far the INTIDs of this one's kind go. */
function rangeOf({ gic, lpi, intid }: Subject): { register: string; field: string; value: number } {
  const value = typer(gic)
  if (lpi) return { register: 'GICD_TYPER', field: 'IDbits', value: (value >>> 19) & 31 }
  if (intid >= FIRST_ESPI) return { register: 'GICD_TYPER', field: 'ESPI_range', value: value >>> 27 }
  if (intid >= FIRST_EPPI) return { register: 'GICR_TYPER', field: 'PPInum', value: gic.config.extendedPpis / 32 }
  return { register: 'GICD_TYPER', field: 'ITLinesNumber', value: value & 31 }
}

const existsGate: Gate = {
  name: 'exists',
  open: (s) => (s.lpi ? s.intid < s.gic.lpiEnd : s.gic.irqs.exists(s.intid)),
  report: (s, open) => ({
    ...rangeOf(s),
    says: open ? 'the interrupt exists.' : 'this GIC has no such INTID.',
    remedy: open ? undefined : 'Configure the GIC with it, or use another one.',
  }),
}

/** What an LPI passes instead of the Distributor's registers. */
const lpiGates: readonly Gate[] = [
  {
    name: 'LPIs enabled',
    open: (s) => lpis(s) !== undefined,
    report: (s, open) => ({
      register: 'GICR_CTLR',
      field: 'EnableLPIs',
      value: open ? 1 : 0,
      says: open ? 'the Redistributor takes LPIs.' : `PE ${s.cpu.pe}'s Redistributor does not take LPIs.`,
      remedy: open ? undefined : 'Write GICR_PROPBASER and GICR_PENDBASER, then set GICR_CTLR.EnableLPIs.',
    }),
  },
  {
    name: 'covered by the tables',
    open: (s) => lpis(s)?.covers(s.intid) === true,
    report: (s, open) => ({
      register: 'GICR_PROPBASER',
      field: 'IDbits',
      value: s.gic.redistributors[s.cpu.pe]!.propbaserLow & 31,
      says: open ? 'the configuration table covers it.' : 'the configuration table does not reach so far.',
      remedy: open ? undefined : 'Give a greater GICR_PROPBASER.IDbits, and a table of that size.',
    }),
  },
  {
    name: 'pending',
    open: (s) => lpis(s)?.covers(s.intid) === true && lpis(s)!.isPending(s.intid),
    report: (s, open) => ({
      register: 'GICR_PENDBASER',
      field: '',
      value: open ? 1 : 0,
      says: open ? 'it is pending on this Redistributor.' : `it is not pending on PE ${s.cpu.pe}.`,
      remedy: open
        ? undefined
        : 'Its message has not come, or went to another PE: explain the message from its DeviceID and EventID.',
    }),
  },
  {
    name: 'enabled',
    // Of a pending LPI, what the Redistributor read when it became so or was invalidated, not what is in memory since.
    open: (s) => {
      const table = lpis(s)
      if (table?.covers(s.intid) !== true) return false
      return table.isPending(s.intid) ? table.listedPriority(s.intid) >= 0 : (table.configurationOf(s.intid) & 1) === 1
    },
    report: (s, open) => {
      const value = lpis(s)?.covers(s.intid) ? lpis(s)!.configurationOf(s.intid) : 0
      const pending = lpis(s)?.covers(s.intid) === true && lpis(s)!.isPending(s.intid)
      const stale = !open && pending && (value & 1) === 1
      return {
        register: 'LPI configuration table',
        field: 'Enable',
        value,
        says: open
          ? 'its configuration enables it.'
          : stale
            ? 'its configuration byte enables it now, but was read when it did not.'
            : 'its configuration byte does not enable it.',
        remedy: open
          ? undefined
          : stale
            ? 'Invalidate it: INV, or GICR_INVLPIR.'
            : 'Set bit 0 of its byte in the table at GICR_PROPBASER, and invalidate it (INV, or GICR_INVLPIR).',
      }
    },
  },
]

const bankGates: readonly Gate[] = [
  {
    name: pendingGate.name,
    open: (s) => ((pendingGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISPENDR', s, 32),
      field: `Set_pending_bit[${s.bit}]`,
      value: open ? 1 : 0,
      ...pendingWords(s, open),
    }),
  },
  {
    name: enabledGate.name,
    open: (s) => ((enabledGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISENABLER', s, 32),
      field: `Set_enable_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: open ? 'it is enabled.' : 'it is not enabled.',
      remedy: open ? undefined : `Write ${hex(1 << s.bit)} to ${registerOf('ISENABLER', s, 32)}${ownFrame(s)}.`,
    }),
  },
  {
    name: activeGate.name,
    open: (s) => ((activeGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISACTIVER', s, 32),
      field: `Set_active_bit[${s.bit}]`,
      value: open ? 0 : 1,
      says: open
        ? 'it is not active.'
        : 'it was acknowledged and is still active: it was never ended, or never deactivated.',
      remedy: open
        ? undefined
        : `Write ${s.intid} to ICC_EOIR${s.group === Group.G0 ? 0 : 1}_EL1${s.cpu.eoiMode ? ' and then to ICC_DIR_EL1 (EOImode is set)' : ''}.`,
    }),
  },
  {
    name: 'targeted',
    open: (s) => targetsPe(s),
    report: (s, open) => {
      const slot = s.word * 32 + s.bit
      const owner = s.gic.irqs.ownerOf(s.word) >= 0
      return {
        register: owner ? 'GICR_TYPER' : registerOf('IROUTER', s, 1),
        field: owner
          ? 'Affinity_Value'
          : s.gic.irqs.routeLow[slot]! & IRM
            ? 'Interrupt_Routing_Mode'
            : 'Aff3.Aff2.Aff1.Aff0',
        value: owner ? s.gic.config.affinities[s.cpu.pe]! : (s.gic.irqs.routeLow[slot]! & 0xff_ffff) >>> 0,
        says: open ? 'it is routed to this PE.' : routedElsewhere(s),
        remedy: open
          ? undefined
          : `Write this PE's affinity ${hex(s.gic.config.affinities[s.cpu.pe]!)} to ${registerOf('IROUTER', s, 1)}.`,
      }
    },
  },
]

const commonGates: readonly Gate[] = [
  {
    name: 'group enabled in the Distributor',
    open: (s) => distributorGroupOpen(s.gic, s.group),
    report: (s, open) => ({
      register: 'GICD_CTLR',
      field: distributorEnable(s),
      value: open ? 1 : 0,
      says: open
        ? `the Distributor forwards ${groupNames[s.group]}.`
        : `it is in ${groupNames[s.group]}, which the Distributor does not forward.`,
      remedy: open
        ? undefined
        : `Set GICD_CTLR.${distributorEnable(s)}${s.lpi ? '' : `, or change its group (${registerOf('IGROUPR', s, 32)} bit ${s.bit})`}.`,
    }),
  },
  {
    name: 'Redistributor awake',
    open: (s) => redistributorOpen(s.gic, s.cpu.pe),
    report: (s, open) => ({
      register: 'GICR_WAKER',
      field: 'ChildrenAsleep',
      value: open ? 0 : 1,
      says: open ? 'the Redistributor forwards to its PE.' : `PE ${s.cpu.pe}'s Redistributor is asleep.`,
      remedy: open ? undefined : 'Clear GICR_WAKER.ProcessorSleep, and wait until ChildrenAsleep reads 0.',
    }),
  },
  {
    name: 'group enabled in the CPU interface',
    open: (s) => interfaceGroupOpen(s.cpu, s.group),
    report: (s, open) => ({
      register: s.group === Group.G0 ? 'ICC_IGRPEN0_EL1' : 'ICC_IGRPEN1_EL1',
      field: 'Enable',
      value: open ? 1 : 0,
      says: open
        ? `the CPU interface signals ${groupNames[s.group]}.`
        : `it is in ${groupNames[s.group]}, which PE ${s.cpu.pe}'s interface does not signal.`,
      remedy: open
        ? undefined
        : `Write 1 to ${s.group === Group.G0 ? 'ICC_IGRPEN0_EL1' : 'ICC_IGRPEN1_EL1'} on PE ${s.cpu.pe}.`,
    }),
  },
  {
    name: 'priority mask',
    open: (s) => priorityMaskOpen(s.cpu, s.priority, s.nmi),
    report: (s, open) => ({
      register: 'ICC_PMR_EL1',
      field: 'Priority',
      value: s.cpu.pmr,
      says: open
        ? s.nmi
          ? 'it is non-maskable.'
          : `its priority ${hex(s.priority)} is above the mask.`
        : `its priority ${hex(s.priority)} is not lower in value than the mask ${hex(s.cpu.pmr)}.`,
      remedy: open
        ? undefined
        : s.cpu.pmr === 0
          ? `ICC_PMR_EL1 is 0, which masks everything, as it is after reset: write 0xff to it on PE ${s.cpu.pe}.`
          : `Write a greater value to ICC_PMR_EL1 on PE ${s.cpu.pe}, or give the interrupt a lower priority value.`,
    }),
  },
  {
    name: 'running priority',
    open: (s) => runningPriorityOpen(s.cpu, s.priority, s.group, s.nmi),
    report: (s, open) => ({
      register: 'ICC_RPR_EL1',
      field: 'Priority',
      value: Math.min(s.cpu.running, 0xff),
      says: open
        ? 'nothing that runs holds it back.'
        : s.cpu.running === s.cpu.bestNmi
          ? 'a non-maskable interrupt runs, which it does not preempt.'
          : `an interrupt of priority ${hex(s.cpu.running)} runs, which its group priority ${hex(s.priority & s.cpu.groupPriorityMask(s.group))} does not preempt.`,
      remedy: open
        ? undefined
        : 'It is signalled when the running one is ended, or give it a better priority or a finer binary point.',
    }),
  },
  {
    name: 'best pending',
    open: (s) => isFirst(s),
    report: (s, open) => {
      const key = bestCandidate(s.gic, s.cpu, true)
      return {
        register: `ICC_HPPIR${s.group === Group.G0 ? 0 : 1}_EL1`,
        field: 'INTID',
        value: key === NONE ? SPURIOUS : keyIntid(key),
        says: open
          ? 'nothing is ahead of it.'
          : key === NONE
            ? 'it is not a candidate.'
            : `${kindOf(keyIntid(key))}${isNmiKey(key) ? ', non-maskable,' : ` of priority ${hex(keyPriority(key))}`} is ahead of it.`,
        remedy: open ? undefined : 'Its turn comes when that one has been acknowledged and ended.',
      }
    },
  },
]

function gatesOf(subject: Subject): readonly Gate[] {
  return [existsGate, ...(subject.lpi ? lpiGates : bankGates), ...commonGates]
}

/** Whether every gate is open: of all interrupts, the one that is signalled. */
export function isDeliverable(gic: GicV3State, intid: number, pe: number): boolean {
  const subject = subjectOf(gic, intid, pe)
  return gatesOf(subject).every((gate) => gate.open(subject))
}

/** Only the best candidate is looked at: a lesser one waits, even where it could preempt and the best cannot. */
function isFirst(s: Subject): boolean {
  const best = bestCandidate(s.gic, s.cpu, true)
  return best === NONE || keyIntid(best) === s.intid
}

export function explainInterrupt(gic: GicV3State, intid: number, pe: number): Explanation {
  const subject = subjectOf(gic, intid, pe)
  const exists = existsGate.open(subject)
  const reports = (exists ? gatesOf(subject) : [existsGate]).map((gate): GateReport => {
    const open = exists && gate.open(subject)
    const cause = causes[gate.name] ?? 'configuration'
    const state = open ? 'open' : 'closed'
    return { gate: gate.name, open, state, waitsFor: [], cause, actions: [], ...gate.report(subject, open) }
  })
  return summarise(intid, pe, isFiq(gic, subject.cpu, subject.group) ? 'fiq' : 'irq', reports)
}

/** Why an acknowledge gives no interrupt; undefined when it gives one. */
export function whyNothing(gic: GicV3State, pe: number, register: Acknowledge): string | undefined {
  const cpu = gic.cpus[pe]!
  const answer = peekAcknowledge(gic, cpu, register)
  if (answer < 1020 || answer > SPURIOUS) return undefined
  const key = gic.signalled[pe]!
  if (key !== NONE) {
    const intid = keyIntid(key)
    return `${answer}: ${kindOf(intid)} is signalled, but in ${groupNames[groupOf(gic, pe, intid)]}, which ICC_${register}_EL1 does not take here.`
  }
  const waiting = nearest(gic, pe)
  return waiting === undefined ? '1023: nothing is pending for this PE.' : `1023: ${waiting.summary}`
}

/** The pending interrupt that gets furthest through the gates on this PE: the one that a person most likely waits for. */
function nearest(gic: GicV3State, pe: number): Explanation | undefined {
  let best: Explanation | undefined
  let passed = -1
  const consider = (intid: number) => {
    const subject = subjectOf(gic, intid, pe)
    const gates = gatesOf(subject)
    if (!gates.find((gate) => gate.name === 'pending')!.open(subject)) return
    const open = gates.findIndex((gate) => !gate.open(subject))
    if (open <= passed) return
    passed = open
    best = explainInterrupt(gic, intid, pe)
  }
  const { irqs } = gic
  for (let word = 0; word < irqs.words; word++) {
    const owner = irqs.ownerOf(word)
    if (owner >= 0 && owner !== pe) continue
    for (let rest = irqs.pending(word); rest !== 0; rest &= rest - 1)
      consider(irqs.intidOf(word, 31 - Math.clz32(rest & -rest)))
  }
  gic.redistributors[pe]!.lpis?.forEachPending(consider)
  return best
}

function subjectOf(gic: GicV3State, intid: number, pe: number): Subject {
  const { irqs } = gic
  const cpu = gic.cpus[pe]!
  const table = gic.redistributors[pe]!.lpis
  if (intid >= FIRST_LPI) {
    const listed = table?.covers(intid) ? table.listedPriority(intid) : -1
    const priority =
      listed >= 0 || !table?.covers(intid) ? Math.max(listed, 0) : table.priorityOf(table.configurationOf(intid))
    return { gic, cpu, intid, word: 0, bit: 0, lpi: true, group: Group.G1NS, priority, nmi: false }
  }
  const word = irqs.exists(intid) ? irqs.wordOf(intid, pe) : pe
  const bit = intid & 31
  const nmi = irqs.isNmi(word, bit)
  const priority = irqs.priorityOf(word, bit)
  return { gic, cpu, intid, word, bit, lpi: false, group: irqs.groupOf(word, bit), priority, nmi }
}

function targetsPe(s: Subject): boolean {
  const target = s.gic.irqs.targetOf(s.word, s.bit)
  return target === s.cpu.pe || (target === s.gic.config.cpus && s.gic.recipients[s.group] === s.cpu.pe)
}

function routedElsewhere(s: Subject): string {
  const { irqs, recipients, config } = s.gic
  const target = irqs.targetOf(s.word, s.bit)
  if (target < 0) return 'its route names an affinity that no PE has.'
  if (target < config.cpus) return `it is routed to PE ${target}.`
  const recipient = recipients[s.group]!
  return recipient < 0
    ? 'it may go to any PE, and none takes part.'
    : `it may go to any PE, and PE ${recipient} takes it.`
}

function pendingWords(s: Subject, open: boolean): { says: string; remedy: string | undefined } {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  if (open)
    return {
      says: bitOf(s, irqs.latch) ? 'it is pending (latched).' : 'it is pending (its level is high).',
      remedy: undefined,
    }
  if (s.intid < 16) return { says: 'no PE has sent it.', remedy: 'Send it with ICC_SGI1R_EL1.' }
  if (!edge && bitOf(s, irqs.withdrawn))
    return {
      says: 'it is level-sensitive and its line dropped before any PE acknowledged it.',
      remedy: `Keep the line high until the handler has quietened the device, or make it edge-triggered in ${registerOf('ICFGR', s, 16)}.`,
    }
  if (edge && bitOf(s, irqs.line))
    return {
      says: 'it is edge-triggered; its line is high, but that edge has been taken already.',
      remedy: `Lower and raise the line again, or make it level-sensitive in ${registerOf('ICFGR', s, 16)}.`,
    }
  return {
    says: edge ? 'no edge has arrived on its line.' : 'its line is low.',
    remedy: edge ? 'Pulse its line, or write its set-pending bit.' : 'Raise its line, or write its set-pending bit.',
  }
}

function distributorEnable(s: Subject): string {
  if (!s.gic.irqs.twoStates) return s.group === Group.G0 ? 'EnableGrp0' : 'EnableGrp1'
  return ['EnableGrp0', 'EnableGrp1S', 'EnableGrp1NS'][s.group]!
}

function ownFrame(s: Subject): string {
  return s.gic.irqs.ownerOf(s.word) >= 0 ? ` in PE ${s.cpu.pe}'s Redistributor` : ''
}
