/**
 * Which interrupts a case of random steps is about, and random changes of their wires, for either GIC. Wires of some interrupts cost
 * a target little to drive, and so most of what happens is theirs.
 */

import type { Step } from '../target.ts'
import type { Random } from './random.ts'

export interface Wires {
  /** SPIs and PPIs that cost a target little to drive; most input changes are of these. */
  fastSpis: readonly number[]
  fastPpis: readonly number[]
  /** The SPIs that the target has are INTIDs 32 to 31 + this. */
  spis: number
  /** Where 16 MiB of guest memory begin; for an ITS. */
  memory?: number
}

/** A few SGIs, PPIs and SPIs; at least so many of the SPIs are any at all. */
export function chooseIntids(random: Random, wires: Wires, leastOfAny: number): number[] {
  const some = (count: number, make: () => number): number[] => Array.from({ length: count }, make)
  return [
    ...some(1 + random.below(3), () => random.below(16)),
    ...some(1 + random.below(2), () => (random.oneIn(8) ? 16 + random.below(16) : random.pick(wires.fastPpis))),
    ...some(2 + random.below(4), () => random.pick(wires.fastSpis)),
    ...some(leastOfAny + random.below(3), () => 32 + random.below(wires.spis)),
  ]
}

/** One of those that the case is about; now and then any other. */
export function someIntid(random: Random, wires: Wires, intids: readonly number[]): number {
  return random.oneIn(20) ? random.below(32 + wires.spis) : random.pick(intids)
}

/** A wire's new level, which may be the old one. */
export function inputStep(random: Random, { fastSpis, fastPpis, spis }: Wires, cpus: number): Step {
  const level = random.below(2) as 0 | 1
  // The others are slow.
  const fast = !random.oneIn(60)
  if (random.oneIn(3)) {
    const intid = fast ? random.pick(fastPpis) : 16 + random.below(16)
    return { op: 'ppi', intid, cpu: random.below(cpus), level }
  }
  return { op: 'spi', intid: fast ? random.pick(fastSpis) : 32 + random.below(spis), level }
}
