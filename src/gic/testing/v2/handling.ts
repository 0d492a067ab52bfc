/** What an acknowledge, an end and a deactivation do to an interrupt, and what a CPU is told of the highest pending one. */

import { best, groupPriority, runningPriority, signalled } from './delivery.ts'
import type { Irq, OracleState } from './state.ts'

function filter(gic: OracleState, irq: Irq | undefined, cpu: number, nonSecureView: boolean): number {
  if (irq === undefined) return 1023
  if (nonSecureView && irq.group === 0) return 1023
  if (!nonSecureView && irq.group === 1 && !gic.interfaces[cpu]!.ackCtl) return 1022
  return irq.intid < 16 ? irq.intid + Math.min(...irq.sources) * 1024 : irq.intid
}

export function acknowledge(gic: OracleState, cpu: number, nonSecureView: boolean): number {
  const irq = signalled(gic, cpu)
  const answer = filter(gic, irq, cpu, nonSecureView)
  if (irq === undefined || answer === 1022 || answer === 1023) return answer
  irq.active = true
  irq.latch = false
  if (irq.intid < 16) irq.sources = irq.sources.filter((source) => source !== answer >>> 10)
  gic.interfaces[cpu]!.activePriorities[irq.group].add(groupPriority(gic, irq, cpu))
  return answer
}

export function highestPending(gic: OracleState, cpu: number, nonSecureView: boolean): number {
  const irq = best(gic, cpu, () => true)
  if (irq !== undefined && !gic.interfaces[cpu]!.enable[irq.group]) return 1023
  return filter(gic, irq, cpu, nonSecureView)
}

export function endOfInterrupt(
  gic: OracleState,
  cpu: number,
  value: number,
  nonSecureView: boolean,
  split: boolean,
): void {
  const irq = gic.irq(value & 0x3ff, cpu)
  if (irq === undefined || (nonSecureView && irq.group === 0) || runningPriority(gic, cpu) === 256) return
  const priorities = gic.interfaces[cpu]!.activePriorities[irq.group]
  priorities.delete(Math.min(...priorities))
  if (!split) irq.active = false
}

export function deactivate(gic: OracleState, cpu: number, value: number, nonSecureView: boolean, split: boolean): void {
  const irq = gic.irq(value & 0x3ff, cpu)
  if (irq === undefined || !split || (nonSecureView && irq.group === 0)) return
  irq.active = false
}
