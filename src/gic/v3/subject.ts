/** One interrupt on one PE of a GICv3, as the gates of `explain` see it, and the names that software has for its registers. */

import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { FIRST_ESPI } from './irqs.ts'
import { FIRST_LPI, type Lpis } from './lpis.ts'
import type { GicV3State } from './state.ts'

export interface Subject {
  readonly gic: GicV3State
  readonly cpu: CpuInterfaceV3
  readonly intid: number
  /** Word and bit of its state; of no meaning for an LPI. */
  readonly word: number
  readonly bit: number
  readonly lpi: boolean
  readonly group: number
  readonly priority: number
  readonly nmi: boolean
}

export function subjectOf(gic: GicV3State, intid: number, pe: number): Subject {
  const { irqs } = gic
  const cpu = gic.cpus[pe]!
  if (intid >= FIRST_LPI) {
    const table = gic.redistributors[pe]!.lpis
    const priority = table?.covers(intid) ? lpiPriority(table, intid) : 0
    return { gic, cpu, intid, word: 0, bit: 0, lpi: true, group: Group.G1NS, priority, nmi: false }
  }
  const word = irqs.exists(intid) ? irqs.wordOf(intid, pe) : pe
  const bit = intid & 31
  const nmi = irqs.isNmi(word, bit)
  const priority = irqs.priorityOf(word, bit)
  return { gic, cpu, intid, word, bit, lpi: false, group: irqs.groupOf(word, bit), priority, nmi }
}

/** Of a pending LPI as the Redistributor read it; of another what it would read. */
function lpiPriority(table: Lpis, intid: number): number {
  const listed = table.listedPriority(intid)
  return listed >= 0 ? listed : table.priorityOf(table.configurationOf(intid))
}

/** The LPIs of the PE's Redistributor, while those are enabled. */
export function lpisOf(s: Subject): Lpis | undefined {
  return s.gic.redistributors[s.cpu.pe]!.lpis
}

/** They are enabled, and the tables have this one. */
export function isCovered(s: Subject): boolean {
  return lpisOf(s)?.covers(s.intid) === true
}

const groupNames = ['Group 0', 'Secure Group 1', 'Non-secure Group 1'] as const

/** With one Security state there is one Group 1. */
export function groupName(gic: Pick<GicV3State, 'twoStates'>, group: number): string {
  return group !== Group.G0 && !gic.twoStates ? 'Group 1' : groupNames[group]!
}

export const bitOf = ({ word, bit }: Subject, bitmap: Int32Array) => (bitmap[word]! >>> bit) & 1

/** Name of the register of a bank that holds an interrupt's field, as software writes it: GICR_ISENABLER0, GICD_ISENABLER1. */
export function registerOf(bank: string, intid: number, perRegister: number): string {
  if (intid < 32) return `GICR_${bank}${Math.floor(intid / perRegister)}`
  if (intid < 1024) return `GICD_${bank}${Math.floor(intid / perRegister)}`
  if (intid >= FIRST_ESPI) return `GICD_${bank}${Math.floor((intid - FIRST_ESPI) / perRegister)}E`
  return `GICR_${bank}${Math.floor((intid - 1056 + 32) / perRegister)}E`
}

/** An affinity as Arm writes it: 0.0.1.2. */
export function affinityName(affinity: number): string {
  return [24, 16, 8, 0].map((shift) => (affinity >>> shift) & 0xff).join('.')
}
