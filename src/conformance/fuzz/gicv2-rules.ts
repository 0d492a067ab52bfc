/**
 * What IHI 0048 leaves UNPREDICTABLE and implementations answer differently, as rules that keep random steps out of it.
 * (An end of interrupt out of order is UNPREDICTABLE too, but they agree: it drops the best active priority.)
 * A target adds its own (its known deviations). A rule never looks at an answer to decide what is right.
 */

import type { Step } from '../target.ts'
import type { Rule } from './compare.ts'
import type { Gicv2View } from './gicv2-view.ts'

const writes = (step: Step, region: string, first: number, last = first): step is Step & { op: 'write' } =>
  step.op === 'write' && step.region === region && step.offset >= first && step.offset <= last

export const GICV2_RULES: readonly Rule<Gicv2View>[] = [
  {
    id: 'U-MODE',
    clause:
      'IHI 0048 3.2.1, 4.4.1: EOImode and AckCtl are not changed between the acknowledge and the end of an interrupt',
    breaks(step, view) {
      if (!writes(step, 'gicc', 0x000)) return false
      const changed = view.cpuControlAfter(step) ^ view.cpuControl[step.cpu]!
      return (changed & 0x604) !== 0 && !view.idle(step.cpu)
    },
  },
  {
    id: 'U-BPR',
    clause:
      'IHI 0048 3.3.2, 4.4.3: which split of priorities the running priority is compared by is not said for a binary point that changes while an interrupt is active',
    breaks(step, view) {
      if (step.op !== 'write' || step.region !== 'gicc') return false
      const control = step.offset === 0x000 && ((view.cpuControlAfter(step) ^ view.cpuControl[step.cpu]!) & 0x010) !== 0
      const point = step.offset === 0x008 || step.offset === 0x01c
      return (control || point) && !view.settled(step.cpu)
    },
  },
  {
    id: 'U-ICFGR',
    clause: 'IHI 0048 4.3.13: an interrupt whose GICD_ICFGRn field changes while it is enabled is UNPREDICTABLE',
    breaks(step, view) {
      if (!writes(step, 'gicd', 0xc00, 0xcff)) return false
      for (let n = 0; n < 16; n++) {
        const intid = (step.offset - 0xc00) * 4 + n
        const changes = view.edge[intid] !== ((Number(step.value) >>> (2 * n + 1)) & 1)
        if (changes && intid >= 16 && view.enabled[intid] === 1) return true
      }
      return false
    },
  },
  {
    id: 'U-GROUP',
    clause: 'IHI 0048 4.3.4: changing the group of an interrupt that is pending or active is UNPREDICTABLE',
    breaks: (step, view) => writes(step, 'gicd', 0x080, 0x0ff) && view.started,
  },
  {
    id: 'U-SGIR',
    clause: 'IHI 0048 4.3.15: GICD_SGIR.TargetListFilter 0b11 is reserved',
    breaks: (step) => writes(step, 'gicd', 0xf00) && ((Number(step.value) >>> 24) & 3) === 3,
  },
  {
    id: 'U-APR',
    clause: 'IHI 0048 4.4.12, 4.4.13: GICC_APRn and GICC_NSAPRn are written only to restore what was read',
    breaks: (step) => writes(step, 'gicc', 0x0d0, 0x0ef),
  },
]
