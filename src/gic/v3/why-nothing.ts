/** Why a read of an acknowledge register of a GICv3 gives 1020 to 1023: what is signalled for another one, or what is held back. */

import { NONE } from '../candidates.ts'
import { type Explanation, kindOf } from '../explain.ts'
import {
  type Acknowledge,
  FOR_NON_SECURE,
  FOR_SECURE,
  groupOf,
  isNmiKey,
  keyIntid,
  NMI_PENDING,
  peekAcknowledge,
  SPURIOUS,
} from './delivery.ts'
import { explainInterrupt, gatesOf } from './explain.ts'
import { Group } from './groups.ts'
import type { GicV3State } from './state.ts'
import { groupName, subjectOf } from './subject.ts'

/** Why an acknowledge gives no interrupt; undefined when it gives one. */
export function whyNothing(gic: GicV3State, pe: number, register: Acknowledge): string | undefined {
  const cpu = gic.cpus[pe]!
  const answer = peekAcknowledge(gic, cpu, register)
  if (answer < FOR_SECURE || answer > SPURIOUS) return undefined
  const key = gic.cpus[pe]!.signalled
  if (key !== NONE) {
    const intid = keyIntid(key)
    const group = groupOf(gic, pe, intid)
    const why = whyAnother(gic, answer, register, group, isNmiKey(key))
    return `${answer}: ${kindOf(intid)} is signalled, but ${why}`
  }
  const waiting = nearest(gic, pe)
  return waiting === undefined ? '1023: nothing is pending for this PE.' : `1023: ${waiting.summary}`
}

/** Why this register does not take what is signalled, and where it is taken. */
function whyAnother(gic: GicV3State, answer: number, register: Acknowledge, group: number, nmi: boolean): string {
  const name = groupName(gic, group)
  const own = group === Group.G0 ? 'ICC_IAR0_EL1' : 'ICC_IAR1_EL1'
  if (answer === NMI_PENDING) return 'it is non-maskable: read ICC_NMIAR1_EL1.'
  if (answer === FOR_SECURE) return `it is in ${name}, for Secure EL1 or EL2: EL3 hands it on, or reads ${own}.`
  if (answer === FOR_NON_SECURE) return `it is in ${name}, for Non-secure EL1 or EL2: EL3 hands it on, or reads ${own}.`
  if (register === 'NMIAR1' && group !== Group.G0 && !nmi) return `it is not non-maskable: read ${own}.`
  if ((register === 'IAR0') !== (group === Group.G0))
    return `in ${name}, which ICC_${register}_EL1 does not take here: read ${own}.`
  const state = group === Group.G1NS ? 'Non-secure' : 'Secure'
  return `in ${name}, which ${state} software takes, or EL3: ICC_${register}_EL1 does not take it here.`
}

/** The pending interrupt that gets furthest through the gates on this PE: the one that a person most likely waits for. */
function nearest(gic: GicV3State, pe: number): Explanation | undefined {
  let best = -1
  let passed = -1
  const consider = (intid: number) => {
    const subject = subjectOf(gic, intid, pe)
    const gates = gatesOf(subject)
    if (!gates.find((gate) => gate.name === 'pending')!.open(subject)) return
    const open = gates.findIndex((gate) => !gate.open(subject))
    if (open <= passed) return
    passed = open
    best = intid
  }
  const { irqs } = gic
  for (let word = 0; word < irqs.words; word++) {
    const owner = irqs.ownerOf(word)
    if (owner >= 0 && owner !== pe) continue
    for (let rest = irqs.pending(word); rest !== 0; rest &= rest - 1)
      consider(irqs.intidOf(word, 31 - Math.clz32(rest & -rest)))
  }
  gic.redistributors[pe]!.lpis?.forEachPending(consider)
  return best < 0 ? undefined : explainInterrupt(gic, best, pe)
}
