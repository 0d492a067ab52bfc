/** Why a read of an acknowledge register of a GICv2 gives 1023 or 1022: what is signalled to somebody else, or what is held back. */

import { keyIntid, NONE } from '../candidates.ts'
import { type Explanation, kindOf } from '../explain.ts'
import { Ctlr } from './cpu-interface.ts'
import { groupOf, type View } from './delivery.ts'
import { explainInterrupt, gates } from './explain.ts'
import type { GicV2State } from './state.ts'
import { subjectOf } from './subject.ts'

/** Why an acknowledge in this view gives 1023 or 1022; undefined when it gives an interrupt. */
export function whyNothing(gic: GicV2State, cpu: number, view: View): string | undefined {
  const key = gic.cpus[cpu]!.signalled
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
  let best = -1
  let passed = -1
  for (let intid = 0; intid < gic.config.intids; intid++) {
    const subject = subjectOf(gic, intid, cpu)
    if (!gates[1]!.open(subject)) continue
    const open = gates.findIndex((gate) => !gate.open(subject))
    if (open <= passed) continue
    passed = open
    best = intid
  }
  return best < 0 ? undefined : explainInterrupt(gic, best, cpu)
}
