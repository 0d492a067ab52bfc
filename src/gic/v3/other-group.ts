/**
 * What opens the gate of a closed group: the group's enable, or another group. An interrupt that nobody has moved out of
 * Group 0, where reset puts it, while software runs on Group 1 is the commonest case: there the move is named first.
 */

import { type Remedy, type RemedyAction, remedy, tellLower } from '../remedy.ts'
import { moveToGroup1 } from './actions.ts'
import { distributorGroupOpen, interfaceGroupOpen } from './delivery.ts'
import { Group } from './groups.ts'
import { groupName, registerOf, type Subject } from './subject.ts'

/** `enable` opens the gate for the group that the interrupt is in. */
export function groupRemedy(s: Subject, enable: RemedyAction): Remedy {
  const { gic, cpu, group, intid, bit, lpi } = s
  if (lpi) return remedy([enable])
  if (group === Group.G0 && distributorGroupOpen(gic, Group.G1NS) && interfaceGroupOpen(cpu, Group.G1NS))
    return remedy([moveToGroup1(gic, intid, cpu.pe)], {
      before: `${groupName(gic, Group.G1NS)} is enabled:`,
      after: ` to move it there, or ${tellLower([enable])}`,
    })
  const by = gic.twoStates ? ', by a Secure access' : ''
  return remedy([enable], { after: `, or change its group (${registerOf('IGROUPR', intid, 32)} bit ${bit}${by})` })
}
