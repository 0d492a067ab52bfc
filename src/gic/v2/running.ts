/** What runs on a CPU of a GICv2: its active priorities, and the interrupt that each is of where that is known. For `explain` alone. */

import { soleActives } from '../sole-active.ts'
import type { CpuInterface } from './cpu-interface.ts'
import type { GicV2State } from './state.ts'

export interface Running {
  readonly level: number
  readonly priority: number
  /** The group in which it was acknowledged. */
  readonly group: number
  /** Undefined where software wrote the active priority, or the interrupt has changed its group since and cannot drop it. */
  readonly intid: number | undefined
}

const groupNow = ({ irqs }: GicV2State, cpu: number, intid: number) =>
  (irqs.group[irqs.wordOf(intid, cpu)]! >>> (intid & 31)) & 1

/** The active priorities of a CPU, the best one first. */
export function runningOn(gic: GicV2State, cpu: CpuInterface): Running[] {
  const found: Running[] = []
  let unseen: ReadonlyMap<number, number> | undefined
  const sole = (row: number) => {
    unseen ??= unseenOn(gic, cpu)
    return unseen.get(row)
  }
  for (let level = cpu.running >>> (cpu.minimumBpr + 1); level < cpu.levels; level++)
    for (const group of [0, 1]) {
      if (!(((group === 1 ? cpu.nsapr : cpu.apr)[level >>> 5]! >>> (level & 31)) & 1)) continue
      const taken = cpu.taken[group * 128 + level]! - 1
      const intid = taken < 0 ? sole(group * 128 + level) : groupNow(gic, cpu.cpu, taken) === group ? taken : undefined
      found.push({ level, priority: level << (cpu.minimumBpr + 1), group, intid })
    }
  return found
}

/** Active interrupts that no CPU is known to have acknowledged, by the row of `taken` that they would have on this one. */
function unseenOn({ irqs, cpus }: GicV2State, cpu: CpuInterface): ReadonlyMap<number, number> {
  return soleActives(irqs, cpu.cpu, (word, bit, intid) => {
    if (!((irqs.targetsOf(word, bit) >>> cpu.cpu) & 1)) return undefined
    if ((word < irqs.pes ? [cpu] : cpus).some((each) => each.taken.includes(intid + 1))) return undefined
    const group = (irqs.group[word]! >>> bit) & 1
    const level = activeLevel(cpu, group, irqs.priority[word * 32 + bit]!)
    return level === undefined ? undefined : group * 128 + level
  })
}

/** The level of an active priority that this priority has left, under whatever binary point it was acknowledged. */
function activeLevel(cpu: CpuInterface, group: number, priority: number): number | undefined {
  const registers = group === 1 ? cpu.nsapr : cpu.apr
  for (let point = cpu.minimumBpr; point < 8; point++) {
    const level = (priority & (0xff << (point + 1)) & 0xff) >>> (cpu.minimumBpr + 1)
    if ((registers[level >>> 5]! >>> (level & 31)) & 1) return level
  }
  return undefined
}

/** What runs on a CPU of one group down to the interrupt `intid`, which is the last; undefined where that does not run there. */
export function runningDownTo(gic: GicV2State, cpu: CpuInterface, intid: number): Running[] | undefined {
  const running = runningOn(gic, cpu)
  const own = running.find((each) => each.intid === intid)
  // A drop takes the best priority of the group: those that preempted it in the other group may stay.
  return own && running.filter(({ group, level }) => group === own.group && level <= own.level)
}

/** Whether this CPU acknowledged the interrupt and has dropped its priority since. */
export function droppedOn(cpu: CpuInterface, intid: number): boolean {
  return cpu.taken.includes(intid + 1)
}

/** For a report of misuse: what runs, and what would end it. */
export function runningSays(gic: GicV2State, cpu: CpuInterface): string {
  const [best] = runningOn(gic, cpu)
  if (best?.intid === undefined) return ''
  const source = best.intid < 16 ? gic.irqs.activeSource[cpu.cpu * 16 + best.intid]! << 10 : 0
  return `: INTID ${best.intid} runs, which 0x${(best.intid | source).toString(16)} ends`
}
