/** One interrupt on one CPU of a GICv2, as the gates of `explain` see it. */

import type { CpuInterface } from './cpu-interface.ts'
import type { GicV2State } from './state.ts'

export interface Subject {
  readonly gic: GicV2State
  readonly cpu: CpuInterface
  readonly intid: number
  readonly word: number
  readonly bit: number
  readonly group: number
  readonly priority: number
}

export const numbered = (register: string, intid: number, perRegister: number) =>
  `${register}${Math.floor(intid / perRegister)}`
export const bitOf = ({ word, bit }: Subject, bitmap: Int32Array) => (bitmap[word]! >>> bit) & 1

export const isIntid = (intid: number) => Number.isInteger(intid) && intid >= 0 && intid < 1024

export function subjectOf(gic: GicV2State, intid: number, cpu: number): Subject {
  const known = isIntid(intid)
  const word = gic.irqs.wordOf(known ? intid : 0, cpu)
  const bit = intid & 31
  const group = known ? (gic.irqs.group[word]! >>> bit) & 1 : 0
  return { gic, cpu: gic.cpus[cpu]!, intid, word, bit, group, priority: gic.irqs.priority[word * 32 + bit]! }
}
