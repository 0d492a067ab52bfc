/** What runs on a PE of a GICv3: its active priorities, and the interrupt that each is of where that is known. For `explain` alone. */

import { soleActives } from '../sole-active.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { FIRST_LPI } from './lpis.ts'
import type { GicV3State } from './state.ts'

export interface Running {
  readonly priority: number
  /** Its bit of the active priorities registers of its group; -1 for a non-maskable one. */
  readonly level: number
  /** The group in which it was acknowledged. */
  readonly group: 0 | 1 | 2
  /** Undefined where software wrote the active priority, or the interrupt has changed its group since and cannot drop it. */
  readonly intid: number | undefined
}

const GROUPS = [0, 1, 2] as const
const NMI_ROW = 128
const ROWS = 129

const groupNow = ({ irqs }: GicV3State, pe: number, intid: number) =>
  intid >= FIRST_LPI ? Group.G1NS : irqs.groupOf(irqs.wordOf(intid, pe), intid & 31)

/** The active priorities of a PE, in the order in which they drop: the best first, and of one priority the non-maskable one. */
export function runningOn(gic: GicV3State, cpu: CpuInterfaceV3): Running[] {
  const found: Running[] = []
  if (cpu.idle) return found
  let unseen: ReadonlyMap<number, number> | undefined
  const known = (group: number, row: number) => {
    const intid = cpu.taken[group * ROWS + row]! - 1
    if (intid < 0) {
      unseen ??= unseenOn(gic, cpu)
      return unseen.get(group * ROWS + row)
    }
    return groupNow(gic, cpu.pe, intid) === group ? intid : undefined
  }
  for (const group of GROUPS)
    if (cpu.activeNmi & (1 << group))
      found.push({ priority: cpu.nmiPriority(group), level: -1, group, intid: known(group, NMI_ROW) })
  for (let level = 0; level < cpu.levels; level++)
    for (const group of GROUPS)
      if ((cpu.apr[group][level >>> 5]! >>> (level & 31)) & 1)
        found.push({ priority: level << (cpu.minimumBpr + 1), level, group, intid: known(group, level) })
  return found.sort((a, b) => a.priority - b.priority || a.level - b.level || a.group - b.group)
}

/** Active interrupts that no PE is known to have acknowledged, by the row of `taken` that they would have on this one. */
function unseenOn({ irqs, cpus, config }: GicV3State, cpu: CpuInterfaceV3): ReadonlyMap<number, number> {
  return soleActives(irqs, cpu.pe, (word, bit, intid) => {
    const target = irqs.targetOf(word, bit)
    if (target !== cpu.pe && target !== config.cpus) return undefined
    if ((irqs.ownerOf(word) >= 0 ? [cpu] : cpus).some(({ taken }) => taken.includes(intid + 1))) return undefined
    const group = irqs.groupOf(word, bit)
    if (irqs.isNmi(word, bit)) return group * ROWS + NMI_ROW
    return group * ROWS + (irqs.priorityOf(word, bit) >>> (cpu.minimumBpr + 1))
  })
}

/** What runs on a PE down to the interrupt `intid`, which is the last; undefined where that does not run there. */
export function runningDownTo(gic: GicV3State, cpu: CpuInterfaceV3, intid: number): Running[] | undefined {
  const running = runningOn(gic, cpu)
  const at = running.findIndex((each) => each.intid === intid)
  return at < 0 ? undefined : running.slice(0, at + 1)
}

/** Whether this PE acknowledged the interrupt and has dropped its priority since. */
export function droppedOn(cpu: CpuInterfaceV3, intid: number): boolean {
  return cpu.taken.includes(intid + 1)
}

/** For a report of misuse: what runs, and what would end it. */
export function runningSays(gic: GicV3State, cpu: CpuInterfaceV3): string {
  const [best] = runningOn(gic, cpu)
  if (best === undefined) return ''
  const register = `ICC_EOIR${best.group === Group.G0 ? 0 : 1}_EL1`
  const state = gic.twoStates ? (best.group === Group.G1NS ? ' of Non-secure state' : ' of Secure state') : ''
  return best.intid === undefined
    ? `: what runs is ended by ${register}${state}`
    : `: INTID ${best.intid} runs, which 0x${best.intid.toString(16)} to ${register}${state} ends`
}
