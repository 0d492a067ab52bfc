/** A write to GICD_SGIR as a request (IHI 0048 4.3.15): whom it asks for, whether their groups let it through, and both in words. It sends nothing. */

import { fateSays, fates, type SgiFate } from '../sgi-log.ts'
import type { GicV2State } from './state.ts'

export const Filter = { list: 0, others: 1, self: 2 } as const

/** The CPUs that a request asks for, a bit each; -1 where its filter is reserved. */
export function targetsOf(gic: GicV2State, source: number, value: number): number {
  const filter = (value >>> 24) & 3
  if (filter === Filter.list) return (value >>> 16) & gic.allCpus
  if (filter === Filter.others) return gic.allCpus & ~(1 << source)
  return filter === Filter.self ? 1 << source : -1
}

/**
 * With the Security Extensions, Secure software says which group the SGI must be in on its target (NSATT); Non-secure
 * software reaches Group 1 SGIs, and those that the target's GICD_NSACR0 grants.
 */
export function isLetThrough({ irqs, config }: GicV2State, cpu: number, value: number, secure: boolean): boolean {
  if (!config.security) return true
  const sgi = value & 15
  const group = (irqs.group[cpu]! >>> sgi) & 1
  return secure ? group === ((value >>> 15) & 1) : group === 1 || ((irqs.nsacr[0][cpu]! >>> sgi) & 1) === 1
}

/** Who wrote what to GICD_SGIR, and for whom. */
export function requestSays(gic: GicV2State, source: number, value: number): string {
  const filter = (value >>> 24) & 3
  const targets = targetsOf(gic, source, value)
  const cpus = gic.cpus.filter(({ cpu }) => (targets >>> cpu) & 1).map(({ cpu }) => `CPU ${cpu}`)
  const whom =
    targets < 0
      ? 'nobody (the filter is reserved)'
      : filter === Filter.self
        ? 'itself'
        : filter === Filter.others
          ? 'all CPUs but itself'
          : cpus.length === 0
            ? 'no CPU that there is'
            : cpus.join(', ')
  return `CPU ${source} wrote 0x${(value >>> 0).toString(16)} to GICD_SGIR, which asks for ${whom}`
}

/** Why one that asks for a CPU does not get there. */
export function filterSays(gic: GicV2State, cpu: number, value: number, secure: boolean): string {
  const group = (gic.irqs.group[cpu]! >>> (value & 15)) & 1
  return secure
    ? `it is in Group ${group} on CPU ${cpu}, and NSATT asks for Group ${1 - group}`
    : `it is in Group 0 on CPU ${cpu}, and GICD_NSACR0 does not grant it to Non-secure software`
}

/** What became of the last requests for an SGI that is not pending on a CPU. */
export function sgiSays(gic: GicV2State, sgi: number, cpu: number): string {
  const said = gic.irqs.sgis.requests(sgi, cpu).map(({ source, how, low }) => {
    const secure = how === SECURE
    const targets = targetsOf(gic, source, low)
    const asked = targets > 0 && ((targets >>> cpu) & 1) === 1
    const fate: SgiFate = !asked ? 'elsewhere' : isLetThrough(gic, cpu, low, secure) ? 'taken' : 'filtered'
    const why = fate === 'filtered' ? `, but ${filterSays(gic, cpu, low, secure)}` : ''
    return { fate, says: requestSays(gic, source, low) + why }
  })
  for (const fate of fates) {
    const found = said.find((each) => each.fate === fate)
    if (found !== undefined) return fateSays[fate](found.says)
  }
  return gic.irqs.sgis.noneSays('CPU')
}

/** How a request was made, as the log keeps it. */
export const NON_SECURE = 1
export const SECURE = 2
