/**
 * What opens the gate of a closed group: the group's enable, or the other group. An interrupt that nobody has moved out of
 * Group 0, where reset puts it, while software runs on Group 1 is the commonest case: there the move is named first.
 */

import { type Remedy, type RemedyAction, remedy, tellLower } from '../remedy.ts'
import { moveToGroup1 } from './actions.ts'
import { distributorGroupOpen, interfaceGroupOpen } from './delivery.ts'
import { numbered, type Subject } from './subject.ts'

/** `enable` opens the gate for the group that the interrupt is in. */
export function groupRemedy(s: Subject, enable: RemedyAction): Remedy {
  const { gic, cpu, group, intid, bit } = s
  if (group === 0 && distributorGroupOpen(gic, 1) && interfaceGroupOpen(cpu, 1))
    return remedy([moveToGroup1(gic, intid, cpu.cpu)], {
      before: 'Group 1 is enabled:',
      after: ` to move it there, or ${tellLower([enable])}`,
    })
  const by = gic.config.security ? ', by a Secure access' : ''
  return remedy([enable], {
    after: `, or move it to Group ${1 - group} (${numbered('GICD_IGROUPR', intid, 32)} bit ${bit}${by})`,
  })
}
