/** Which interrupt a PE is signalled: a walk over all of them for each question. Who may acknowledge it is none of its business. */

import { isSecureAccess } from './security.ts'
import { cut, groups, type IntGroup, type Irq, type OracleState, type Pe } from './state.ts'

/** What waits for a PE. Lower sorts first: priority, then non-maskable, then INTID. */
export interface Waiting {
  intid: number
  group: IntGroup
  priority: number
  nmi: boolean
}

export interface Running {
  priority: number
  group: IntGroup
  nmi: boolean
}

/** 1 of N goes to the first PE that takes part: which one is IMPLEMENTATION DEFINED (4.7.2), and this is the model's choice. */
function isFor(gic: OracleState, irq: Irq, pe: number): boolean {
  if (irq.owner !== undefined) return true
  if (irq.routeLow >= 0x8000_0000) {
    const group = gic.groupOf(irq)
    return gic.pes.findIndex((each) => !each.asleep && each.enable[group] && !each.dpg[group]) === pe
  }
  return gic.config.affinities[pe] === irq.aff3 * 2 ** 24 + irq.routeLow
}

const nmiPriority = (gic: OracleState, group: IntGroup): number => (gic.twoStates && group === 'G1NS' ? 0x80 : 0)

function lpiPriority(gic: OracleState, byte: number): number {
  const priority = byte - (byte % 4)
  return gic.twoStates ? 128 + priority / 2 : priority
}

/** Everything that waits, best first; groups that the CPU interface disables too. */
export function waiting(gic: OracleState, pe: number): Waiting[] {
  const { asleep, lpis } = gic.pes[pe]!
  if (asleep) return []
  const all: Waiting[] = []
  for (const list of [gic.private[pe]!, gic.shared])
    for (const irq of list.values()) {
      if (!irq.enabled || irq.active || !gic.isPending(irq)) continue
      const group = gic.groupOf(irq)
      if (!gic.forwarded[group] || !isFor(gic, irq, pe)) continue
      const nmi = irq.nmi && group !== 'G0'
      all.push({ intid: irq.intid, group, nmi, priority: nmi ? nmiPriority(gic, group) : irq.priority })
    }
  if (gic.forwarded.G1NS)
    for (const [intid, byte] of lpis ?? [])
      if (byte % 2 === 1) all.push({ intid, group: 'G1NS', nmi: false, priority: lpiPriority(gic, byte) })
  return all.sort((a, b) => a.priority - b.priority || Number(b.nmi) - Number(a.nmi) || a.intid - b.intid)
}

/** Bits of a priority below the group priority, for an interrupt group. */
function subpriorityBits(pe: Pe, group: IntGroup): number {
  if (group === 'G0') return pe.bpr.G0 + 1
  if (group === 'G1S') return (pe.cbpr[0] ? pe.bpr.G0 : pe.bpr.G1S) + 1
  return pe.cbpr[1] ? pe.bpr.G0 + 1 : pe.bpr.G1NS
}

/** Priority and group of what runs. */
export function runningOn(gic: OracleState, pe: Pe): Running | undefined {
  const all = groups.flatMap((group) => [
    ...(pe.activeNmi[group] ? [{ priority: nmiPriority(gic, group), group, nmi: true }] : []),
    ...[...pe.active[group]].map((level) => ({ priority: level * 2 ** gic.levelBits, group, nmi: false })),
  ])
  return all.sort((a, b) => a.priority - b.priority || Number(b.nmi) - Number(a.nmi))[0]
}

function passesMask(gic: OracleState, pe: Pe, { priority, nmi }: Waiting): boolean {
  if (!nmi) return cut(priority, 8 - gic.config.priorityBits) < pe.pmr
  if (priority === 0) return true
  return isSecureAccess(gic, pe) ? pe.pmr > 0x80 : pe.pmr >= 0x80
}

export function signalled(gic: OracleState, index: number): Waiting | undefined {
  const pe = gic.pes[index]!
  const best = waiting(gic, index).find(({ group }) => pe.enable[group])
  if (best === undefined || !passesMask(gic, pe, best)) return undefined
  const running = runningOn(gic, pe)
  if (running === undefined) return best
  const bits = subpriorityBits(pe, best.group)
  const [mine, theirs] = [cut(best.priority, bits), cut(running.priority, bits)]
  if (!best.nmi) return mine < theirs ? best : undefined
  const nmis = groups.filter((group) => pe.activeNmi[group]).map((group) => nmiPriority(gic, group))
  return mine <= theirs && nmis.every((priority) => priority > best.priority) ? best : undefined
}
