/**
 * What IHI 0069 leaves UNPREDICTABLE, as rules that keep a random sequence of steps for a GICv3 out of it.
 * A target adds its own (its known deviations). A rule never looks at an answer to decide what is right.
 */

import type { Step } from '../target.ts'
import type { Rule } from './compare.ts'
import { bankWrite, GICR_STRIDE, type Gicv3View, isSecure, SGI_FRAME } from './gicv3-view.ts'

const special = (intid: number): boolean => intid >= 1020 && intid < 1024

/** GICD_ICFGRn or GICR_ICFGR1: the first INTID that it configures, and whose it is. */
function configuration(step: Step): { first: number; owner: number | undefined } | undefined {
  if (step.op !== 'write') return undefined
  if (step.region === 'gicd' && step.offset >= 0xc08 && step.offset < 0xd00)
    return { first: (step.offset - 0xc00) * 4, owner: undefined }
  if (step.region === 'gicr' && step.offset % GICR_STRIDE === SGI_FRAME + 0xc04)
    return { first: 16, owner: Math.floor(step.offset / GICR_STRIDE) }
  return undefined
}

export const GICV3_RULES: readonly Rule<Gicv3View>[] = [
  {
    id: 'U3-EOI',
    clause:
      'IHI 0069 12.2 (ICC_EOIR0_EL1, ICC_EOIR1_EL1): the write is for the last interrupt acknowledged and not yet ended on this PE, by the register of its group, in the Security state of the acknowledge',
    breaks(step, view) {
      if (step.op !== 'msr' || !/^ICC_EOIR[01]_EL1$/.test(step.register)) return false
      if (special(Number(step.value))) return false
      if (view.unanswered[step.cpu]) return true
      const running = view.running[step.cpu]!
      const last = running[running.length - 1]
      return (
        last?.intid !== Number(step.value) ||
        step.register !== `ICC_EOIR${last.group}_EL1` ||
        last.secure !== isSecure(step)
      )
    },
  },
  {
    id: 'U3-DIR',
    clause: 'IHI 0069 12.2 (ICC_DIR_EL1): for an interrupt whose priority was dropped with EOImode 1',
    breaks(step, view) {
      if (step.op !== 'msr' || step.register !== 'ICC_DIR_EL1') return false
      if (view.mode(step.cpu, isSecure(step)) === 0) return true
      return !view.dropped[step.cpu]!.some((one) => one.intid === Number(step.value) && one.secure === isSecure(step))
    },
  },
  {
    id: 'U3-MODE',
    clause: 'IHI 0069 4.4.1: EOImode does not change between the acknowledge and the end of an interrupt',
    breaks: (step, view) =>
      step.op === 'msr' &&
      step.register === 'ICC_CTLR_EL1' &&
      ((Number(step.value) >> 1) & 1) !== view.mode(step.cpu, isSecure(step)) &&
      !view.idle(step.cpu),
  },
  {
    id: 'U3-BPR',
    clause:
      'IHI 0069 4.8.2: which split the running priority is compared by is not said for a binary point that changes while an interrupt is active',
    breaks(step, view) {
      if (step.op !== 'msr') return false
      const control =
        step.register === 'ICC_CTLR_EL1' &&
        ((Number(step.value) ^ view.control[step.cpu]![isSecure(step) ? 1 : 0]) & 1) !== 0
      const point = step.register === 'ICC_BPR0_EL1' || step.register === 'ICC_BPR1_EL1'
      return (control || point) && (view.unanswered[step.cpu] === true || view.running[step.cpu]!.length > 0)
    },
  },
  {
    id: 'U3-ICFGR',
    clause: 'IHI 0069 12.9 (GICD_ICFGR<n>): the configuration of an enabled interrupt is not changed',
    breaks(step, view) {
      const what = configuration(step)
      if (what === undefined || step.op !== 'write') return false
      for (let n = 0; n < 16; n++) {
        const edge = (Number(step.value) >>> (2 * n + 1)) & 1
        if (edge !== view.edge(what.owner, what.first + n) && view.enabled(what.owner, what.first + n)) return true
      }
      return false
    },
  },
  {
    id: 'U3-GROUP',
    clause: 'IHI 0069 4.6: the group of an interrupt that is pending or active is not changed',
    breaks: (step, view) => bankWrite(step)?.bank === 0x080 && view.started,
  },
  {
    id: 'U3-APR',
    clause: 'IHI 0069 12.2 (ICC_AP0R<n>_EL1, ICC_AP1R<n>_EL1): written only to restore what was read',
    breaks: (step) => step.op === 'msr' && /^ICC_AP[01]R[0-3]_EL1$/.test(step.register),
  },
]
