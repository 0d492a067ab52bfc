/** What a handler on a GICv2 has left undone: whom an active interrupt waits for, what runs ahead of another, and what ends it. */

import { bestOf, kindOf, preemptionAlternatives, runningTold } from '../explain.ts'
import { type Remedy, remedy } from '../remedy.ts'
import { deactivate, endAll, isSplitFor, setBit } from './actions.ts'
import { type CpuInterface, IDLE } from './cpu-interface.ts'
import { droppedOn, type Running, runningDownTo, runningOn } from './running.ts'
import type { Subject } from './subject.ts'

/** The CPU that acknowledged an active interrupt and has not dropped its priority, with what has to be ended up to it. */
function runner(s: Subject): { cpu: CpuInterface; running: Running[] } | undefined {
  for (const cpu of s.intid < 32 ? [s.cpu] : s.gic.cpus) {
    const running = runningDownTo(s.gic, cpu, s.intid)
    if (running !== undefined) return { cpu, running }
  }
  return undefined
}

function dropper(s: Subject): CpuInterface | undefined {
  const cpus = s.intid < 32 ? [s.cpu] : s.gic.cpus
  return cpus.find((cpu) => droppedOn(cpu, s.intid) && isSplitFor(s.gic, cpu, s.group))
}

export function activeSays(s: Subject): string {
  const at = runner(s)
  if (at !== undefined) return `it is still active: CPU ${at.cpu.cpu} acknowledged it and has not ended it.`
  const dropped = dropper(s)
  return dropped === undefined
    ? 'it is active, but no CPU runs it: a write made it so, or what should have ended it named another INTID, or left that to GICC_DIR.'
    : `it is still active: CPU ${dropped.cpu} dropped its priority and has not deactivated it.`
}

/** An active interrupt is ended by the CPU whose running priority it is; once that has dropped it is only deactivated. */
export function endRemedy(s: Subject): Remedy {
  const { gic, intid, group } = s
  const at = runner(s)
  if (at !== undefined) {
    const before =
      at.running.length > 1 ? `${at.running.length - 1} that preempted it on CPU ${at.cpu.cpu} end first.` : undefined
    const after = ` when its handler is done${isSplitFor(gic, at.cpu, group) ? ' (GICC_CTLR.EOImode is set)' : ''}`
    return remedy(endAll(gic, at.cpu, at.running), before === undefined ? { after } : { before, after })
  }
  const dropped = dropper(s)
  if (dropped !== undefined)
    return remedy([deactivate(gic, intid, group, dropped.cpu)], { after: ' (GICC_CTLR.EOImode is set)' })
  return remedy([setBit(gic, 'ICACTIVER', 0x380, intid, group, s.cpu.cpu)])
}

/** What has to be ended before this interrupt preempts what is left. */
export function inTheWay(s: Subject): Running[] {
  const mask = s.cpu.groupPriorityMask(s.group)
  return runningOn(s.gic, s.cpu).filter(({ priority }) => (priority & mask) <= (s.priority & mask))
}

/** What else lets it preempt what runs (IHI 0048 3.3.3). */
export function alternatives({ cpu, gic, group, priority }: Subject): string {
  const mask = cpu.groupPriorityMask(group)
  const finest = (0xff << (cpu.minimumBpr + 1)) & 0xff
  const best = bestOf(gic.config.security && group === 1)
  return preemptionAlternatives(cpu.running, { priority, best, mask, finest }, 'GICC_BPR')
}

export function runningSays(s: Subject): string {
  if (s.cpu.running === IDLE) return 'nothing runs on this CPU.'
  const [best] = runningOn(s.gic, s.cpu)
  const mask = s.cpu.groupPriorityMask(s.group)
  const what = best?.intid === undefined ? 'an interrupt' : kindOf(best.intid)
  return runningTold(what, s.cpu.running, s.priority, mask)
}
