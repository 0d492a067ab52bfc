/** Which interrupt a CPU is signalled: a walk over all of them for each question. What a handler does with it is in `handling.ts`. */

import { flag, type Irq, type OracleState } from './state.ts'

function isFor(gic: OracleState, irq: Irq, cpu: number): boolean {
  if (irq.intid < 32 || gic.config.cpus === 1) return true
  return flag(irq.targets, cpu)
}

/** Every gate but the CPU interface's: what the Distributor forwards. Lowest priority value first, then lowest INTID. */
export function best(gic: OracleState, cpu: number, wanted: (irq: Irq) => boolean): Irq | undefined {
  let found: Irq | undefined
  for (let intid = 0; intid < gic.config.intids; intid++) {
    const irq = gic.irq(intid, cpu)!
    if (!irq.enabled || irq.active || !gic.isPending(irq) || !isFor(gic, irq, cpu)) continue
    if (!gic.groupEnable[irq.group] || !wanted(irq)) continue
    if (found === undefined || irq.priority < found.priority) found = irq
  }
  return found
}

export function runningPriority(gic: OracleState, cpu: number): number {
  const [zero, one] = gic.interfaces[cpu]!.activePriorities
  return Math.min(256, ...zero, ...one)
}

/** Tables 3-2 and 3-3: the binary point splits a priority; Group 1's own one leaves a bit more to the group. */
export function groupPriority(gic: OracleState, irq: Irq, cpu: number, priority = irq.priority): number {
  const { bpr, abpr, cbpr } = gic.interfaces[cpu]!
  const subpriorityBits = irq.group === 0 || cbpr ? bpr + 1 : abpr
  return Math.floor(priority / 2 ** subpriorityBits) * 2 ** subpriorityBits
}

/** The interrupt that an acknowledge by this CPU would take. */
export function signalled(gic: OracleState, cpu: number): Irq | undefined {
  const own = gic.interfaces[cpu]!
  const irq = best(gic, cpu, ({ group }) => own.enable[group])
  if (irq === undefined || irq.priority >= own.pmr) return undefined
  const running = runningPriority(gic, cpu)
  if (running === 256) return irq
  // A preempting interrupt is better in its own group priority bits: 3.3.2 compares group priorities.
  return groupPriority(gic, irq, cpu) < groupPriority(gic, irq, cpu, running) ? irq : undefined
}
