/**
 * What IHI 0069 leaves UNPREDICTABLE, as rules that keep a random sequence of steps for a GICv3 out of it.
 * A target adds its own (its known deviations). A rule never looks at an answer to decide what is right.
 */

import type { Step } from '../target.ts'
import type { Rule } from './compare.ts'
import { bankWrite, GICR_STRIDE, type Gicv3View, isSecure, placeOf, SGI_FRAME, samePlace } from './gicv3-view.ts'

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
      'IHI 0069 12.2 (ICC_EOIR0_EL1, ICC_EOIR1_EL1): the write is for the last interrupt acknowledged and not yet ended on this PE, by the register of its group, where it was acknowledged or at EL3',
    breaks(step, view) {
      if (step.op !== 'msr' || !/^ICC_EOIR[01]_EL1$/.test(step.register)) return false
      if (special(Number(step.value))) return false
      if (view.unanswered[step.cpu]) return true
      const running = view.running[step.cpu]!
      const last = running[running.length - 1]
      return (
        last?.intid !== Number(step.value) ||
        step.register !== `ICC_EOIR${last.group}_EL1` ||
        !(placeOf(step).el === 3 || samePlace(last.place, placeOf(step)))
      )
    },
  },
  {
    id: 'U3-DIR',
    clause: 'IHI 0069 12.2 (ICC_DIR_EL1): for an interrupt whose priority was dropped with EOImode 1',
    breaks(step, view) {
      if (step.op !== 'msr' || step.register !== 'ICC_DIR_EL1') return false
      if (view.mode(step.cpu, placeOf(step)) === 0) return true
      return !view.dropped[step.cpu]!.some((one) => one.intid === Number(step.value))
    },
  },
  {
    id: 'U3-MODE',
    clause: 'IHI 0069 4.4.1: EOImode does not change between the acknowledge and the end of an interrupt',
    breaks(step, view) {
      if (step.op !== 'msr' || view.idle(step.cpu)) return false
      if (step.register === 'ICC_CTLR_EL3') return ((Number(step.value) ^ view.controlEl3(step.cpu)) & 0x1c) !== 0
      const { ns } = placeOf(step)
      const now = view.mode(step.cpu, { el: 1, ns })
      return step.register === 'ICC_CTLR_EL1' && ((Number(step.value) >> 1) & 1) !== now
    },
  },
  {
    id: 'U3-BPR',
    clause:
      'IHI 0069 4.8.2: which split the running priority is compared by is not said for a binary point that changes while an interrupt is active',
    breaks(step, view) {
      if (step.op !== 'msr') return false
      const value = Number(step.value)
      const control =
        (step.register === 'ICC_CTLR_EL1' && ((value ^ view.control[step.cpu]![placeOf(step).ns ? 0 : 1]) & 1) !== 0) ||
        (step.register === 'ICC_CTLR_EL3' && ((value ^ view.controlEl3(step.cpu)) & 3) !== 0)
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
    id: 'U3-DS',
    clause: 'IHI 0069 12.9 (GICD_CTLR.DS): it is set before there are interrupts, which would change their group',
    breaks: (step, view) =>
      step.op === 'write' &&
      step.region === 'gicd' &&
      step.offset === 0 &&
      isSecure(step) &&
      !view.ds &&
      (Number(step.value) & 0x40) !== 0 &&
      view.started,
  },
  {
    id: 'U3-S1',
    clause:
      'IHI 0069 4.6: what Secure EL1 is to Group 1 when GICD_CTLR.DS is 1, and Group 1 has no Security state, is not said',
    breaks: (step, view) =>
      view.config.security &&
      view.ds &&
      (step.op === 'mrs' || step.op === 'msr') &&
      /^ICC_(IAR|HPPIR|EOIR)1_EL1$/.test(step.register) &&
      placeOf(step).el === 1 &&
      !placeOf(step).ns,
  },
  {
    id: 'U3-AP',
    clause:
      'IHI 0069 12.2 (ICC_AP1R<n>_EL1): the contents are IMPLEMENTATION DEFINED, so whether Non-secure EL1 sees that a Non-secure interrupt has a priority of the Secure half',
    breaks: (step, view) =>
      view.config.security &&
      !view.ds &&
      step.op === 'mrs' &&
      step.register.startsWith('ICC_AP1R') &&
      placeOf(step).el === 1 &&
      placeOf(step).ns,
  },
  {
    id: 'U3-APR',
    clause: 'IHI 0069 12.2 (ICC_AP0R<n>_EL1, ICC_AP1R<n>_EL1): written only to restore what was read',
    breaks: (step) => step.op === 'msr' && /^ICC_AP[01]R[0-3]_EL1$/.test(step.register),
  },
]
