/**
 * A write to ICC_SGI0R_EL1, ICC_SGI1R_EL1 or ICC_ASGI1R_EL1 as a request (IHI 0069 12.1.10): whom it asks for, whether their
 * groups let it through, and both in words. It sends nothing.
 */

import { hexWords } from '../remedy.ts'
import { fateSays, fates, type SgiFate } from '../sgi-log.ts'
import { Group } from './groups.ts'
import type { GicV3State } from './state.ts'
import { affinityName, groupName } from './subject.ts'

export type SgiRegister = 'SGI0R' | 'SGI1R' | 'ASGI1R'

const { G0, G1S, G1NS } = Group
const IRM_HIGH = 1 << 8
const registers: readonly SgiRegister[] = ['SGI0R', 'SGI1R', 'ASGI1R']

/** Every PE but the sender. */
export function isForOthers(high: number): boolean {
  return (high & IRM_HIGH) !== 0
}

/** Aff3 in bits 55:48, Aff2 in 39:32, Aff1 in 23:16: all of an affinity but Aff0. */
export function clusterOf(low: number, high: number): number {
  return (((high >>> 16) & 0xff) << 24) | ((high & 0xff) << 16) | (((low >>> 16) & 0xff) << 8)
}

/** Aff0 of the list's bit 0: 16 * RangeSelector. */
export function firstOf(gic: GicV3State, high: number): number {
  return gic.rangeSelector ? ((high >>> 12) & 15) * 16 : 0
}

/**
 * What each register reaches: a bit for each group that an SGI may have on its target (IHI 0069 12.1.10, "Use of control
 * registers for SGI forwarding"). SGI1R generates Group 1 of the sender's Security state, ASGI1R of the other one.
 */
const reach = {
  Secure: { SGI0R: 1 << G0, SGI1R: 1 << G1S, ASGI1R: 1 << G1NS },
  'Non-secure': { SGI0R: 1 << G0, SGI1R: (1 << G0) | (1 << G1S) | (1 << G1NS), ASGI1R: (1 << G0) | (1 << G1S) },
  /** With one Security state the Distributor takes a request for Secure Group 1 for one for Group 0 (GICD_IGRPMODR<n>). */
  'Secure, DS': { SGI0R: 1 << G0, SGI1R: 1 << G0, ASGI1R: 1 << G1NS },
  'Non-secure, DS': { SGI0R: 1 << G0, SGI1R: (1 << G0) | (1 << G1NS), ASGI1R: 1 << G0 },
} as const satisfies Record<string, Record<SgiRegister, number>>

/** Whether a write of this register reaches an SGI that is in `group` on its target. */
export function reaches(
  gic: GicV3State,
  secure: boolean,
  register: SgiRegister,
  sgi: number,
  pe: number,
  group: number,
): boolean {
  const table = gic.twoStates
    ? reach[secure ? 'Secure' : 'Non-secure']
    : reach[secure ? 'Secure, DS' : 'Non-secure, DS']
  if (!((table[register] >>> group) & 1)) return false
  if (!gic.twoStates || secure || group === G1NS) return true
  // Non-secure software reaches Secure SGIs as far as the target's GICR_NSACR says: 1 grants Group 0, 2 Secure Group 1 too.
  return ((gic.irqs.nsacr[group === G0 ? 0 : 1][pe]! >>> sgi) & 1) === 1
}

/** How a request was made, as the log keeps it. */
export function howOf(register: SgiRegister, secure: boolean): number {
  return 1 + registers.indexOf(register) * 2 + (secure ? 1 : 0)
}

/** Most affinities that are named one by one. */
const MOST_NAMED = 4

/** Who wrote what to which register, and for whom: 0.0.0.1 (PE 1). */
export function requestSays(gic: GicV3State, source: number, register: SgiRegister, low: number, high: number): string {
  const value = hexWords(low, high)
  return `PE ${source} wrote ${value} to ICC_${register}_EL1, which asks for ${whom(gic, low, high)}`
}

function whom(gic: GicV3State, low: number, high: number): string {
  if (isForOthers(high)) return 'every PE but itself'
  const asked: number[] = []
  for (let bit = 0; bit < 16; bit++)
    if ((low >>> bit) & 1) asked.push((clusterOf(low, high) | (firstOf(gic, high) + bit)) >>> 0)
  if (asked.length === 0) return 'nobody: its TargetList is 0'
  const names = asked.slice(0, MOST_NAMED).map((affinity) => {
    const pe = gic.irqs.peWithAffinity(affinity)
    return `${affinityName(affinity)}, which ${pe < 0 ? 'no PE has' : `is PE ${pe}`}`
  })
  return names.join('; ') + (asked.length > MOST_NAMED ? `; and ${asked.length - MOST_NAMED} more` : '')
}

function asksFor(gic: GicV3State, source: number, low: number, high: number, pe: number): boolean {
  if (isForOthers(high)) return source !== pe
  const affinity = gic.config.affinities[pe]!
  const bit = (affinity & 0xff) - firstOf(gic, high)
  return bit >= 0 && bit < 16 && ((low >>> bit) & 1) === 1 && (affinity & ~0xff) === clusterOf(low, high)
}

/** Why one that asks for a PE does not get there. */
export function filterSays(gic: GicV3State, pe: number, sgi: number, register: SgiRegister, secure: boolean): string {
  const group = groupName(gic, gic.irqs.groupOf(pe, sgi))
  const state = gic.config.security
    ? `a ${secure ? 'Secure' : 'Non-secure'} write of ICC_${register}_EL1`
    : `ICC_${register}_EL1`
  const grant = gic.twoStates && !secure ? ', as GICR_NSACR does not grant it' : ''
  return `it is in ${group} on PE ${pe}, which ${state} does not reach${grant}`
}

/** What became of the last requests for an SGI that is not pending on a PE. */
export function sgiSays(gic: GicV3State, sgi: number, pe: number): string {
  const said = gic.irqs.sgis.requests(sgi, pe).map(({ source, how, low, high }) => {
    const secure = ((how - 1) & 1) === 1
    const register = registers[(how - 1) >>> 1]!
    const through = reaches(gic, secure, register, sgi, pe, gic.irqs.groupOf(pe, sgi))
    const fate: SgiFate = !asksFor(gic, source, low, high, pe) ? 'elsewhere' : through ? 'taken' : 'filtered'
    const why = fate === 'filtered' ? `, but ${filterSays(gic, pe, sgi, register, secure)}` : ''
    return { fate, says: requestSays(gic, source, register, low, high) + why }
  })
  for (const fate of fates) {
    const found = said.find((each) => each.fate === fate)
    if (found !== undefined) return fateSays[fate](found.says)
  }
  return gic.irqs.sgis.noneSays('PE')
}
