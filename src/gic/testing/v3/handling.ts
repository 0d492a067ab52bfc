/** Acknowledging, ending, deactivating, and sending SGIs: what these accesses change. Whether they may is security.ts's to say. */

import { runningOn, signalled } from './delivery.ts'
import { forwards, isRoutedToEl3, isSplit, mayDeactivate, mayEnd, shows } from './security.ts'
import { cut, type OracleState } from './state.ts'

export function acknowledge(gic: OracleState, index: number, register: 'IAR0' | 'IAR1' | 'NMIAR1'): number {
  const pe = gic.pes[index]!
  const best = signalled(gic, index)
  if (best === undefined) return 1023
  const intid = shows(gic, pe, register === 'IAR0' ? 0 : 1, best.group, best.intid)
  if (intid !== best.intid) return intid
  if (register === 'IAR1' && best.nmi && pe.sctlrNmi) return 1022
  if (register === 'NMIAR1' && !best.nmi) return 1023
  if (best.nmi) pe.activeNmi[best.group] = true
  // ICC_RPR_EL1: the group priority as if the binary point were the minimum.
  else pe.active[best.group].add(cut(best.priority, gic.levelBits) / 2 ** gic.levelBits)
  if (intid >= 8192) pe.lpis!.delete(intid)
  else Object.assign(gic.irq(intid, index)!, { active: true, latch: false })
  return intid
}

function exists(gic: OracleState, intid: number, pe: number): boolean {
  const { lpis } = gic.config
  return intid >= 8192 ? lpis !== undefined && intid < 2 ** lpis.intidBits : gic.irq(intid, pe) !== undefined
}

export function endOfInterrupt(gic: OracleState, index: number, intid: number, of: 0 | 1): void {
  const pe = gic.pes[index]!
  const running = runningOn(gic, pe)
  if (running === undefined || !exists(gic, intid, index)) return
  if ((running.group === 'G0') !== (of === 0) || !mayEnd(gic, pe, running.group)) return
  if (running.nmi) pe.activeNmi[running.group] = false
  else pe.active[running.group].delete(Math.min(...pe.active[running.group]))
  const irq = gic.irq(intid, index)
  if (irq && !isSplit(gic, pe) && mayDeactivate(gic, pe, gic.groupOf(irq))) irq.active = false
}

export function deactivate(gic: OracleState, index: number, intid: number): void {
  const pe = gic.pes[index]!
  const irq = gic.irq(intid, index)
  if (irq === undefined || !isSplit(gic, pe)) return
  const group = gic.groupOf(irq)
  if (mayDeactivate(gic, pe, group) && !isRoutedToEl3(gic, pe, group)) irq.active = false
}

/** ICC_SGI0R_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1: to the PEs that the value names. */
export function sendSgi(gic: OracleState, index: number, register: string, value: bigint): void {
  const { config } = gic
  const field = (lsb: number, width: number) => Number((value >> BigInt(lsb)) & ((1n << BigInt(width)) - 1n))
  const sender = gic.pes[index]!
  const rss = config.affinities.some((affinity) => affinity % 256 > 15)
  for (let pe = 0; pe < config.cpus; pe++) {
    if (field(40, 1) === 1) {
      if (pe === index) continue
    } else {
      const affinity = config.affinities[pe]!
      const aff0 = affinity % 256
      const cluster = field(48, 8) * 2 ** 24 + field(32, 8) * 2 ** 16 + field(16, 8) * 2 ** 8
      const first = rss ? field(44, 4) * 16 : 0
      if (affinity - aff0 !== cluster || aff0 < first || aff0 > first + 15 || field(aff0 - first, 1) === 0) continue
    }
    const irq = gic.irq(field(24, 4), pe)!
    if (forwards(gic, sender, register, irq)) irq.latch = true
  }
}
