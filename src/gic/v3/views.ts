/**
 * What only GICv3's Distributor and Redistributors show of the interrupts' state: the group modifier, non-maskability and
 * routes; and how a Redistributor's frame, or a bank of extended INTIDs, looks at its words of a bank. The rest is `../views.ts`.
 */

import type { BankView, Initiator } from '../../mmio/index.ts'
import type { ViewedGic } from '../views.ts'
import type { CheckedConfigV3 } from './config.ts'
import { IRM, type IrqsV3 } from './irqs.ts'

/** What these views ask of a GICv3. */
export interface ViewedGicV3 extends ViewedGic {
  readonly config: CheckedConfigV3
  readonly irqs: IrqsV3
}

/** What a Redistributor's frame shows is one PE's part of it. */
interface OnePe {
  readonly gic: ViewedGicV3
  readonly pe: number
}

/** GICD_IGRPMODR, GICR_IGRPMODR0: Secure software's, while there are two Security states; RAZ/WI otherwise (IHI 0069 12.9.11). */
export const modifiers: BankView<ViewedGicV3> = {
  read: (gic, word, by) => (gic.irqs.twoStates && by.secure ? gic.irqs.modifier[word]! : 0),
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    if (irqs.twoStates && by.secure)
      irqs.assignPlacing(irqs.modifier, 'modifier', word, value, mask & irqs.implemented[word]!)
  },
}

/** GICD_INMIR, GICR_INMIR0: where non-maskable interrupts are implemented; a bit of Group 0 is RES0 (IHI 0069 12.9.17). */
export const nmis: BankView<ViewedGicV3> = {
  read: (gic, word, by) => gic.irqs.nmi[word]! & maybeNmi(gic, word, by),
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    irqs.assignPlacing(irqs.nmi, 'nmi', word, value, mask & maybeNmi(gic, word, by))
  },
}

function maybeNmi(gic: ViewedGicV3, word: number, by: Initiator): number {
  return gic.config.nmi ? gic.visible(word, by, 0) & gic.irqs.group1(word) : 0
}

const AFFINITY = 0x00ff_ffff

/** GICD_IROUTER: words of Aff2 to Aff0 with the routing mode, and of Aff3; an SPI has two (IHI 0069 12.9.22). */
export const routes: BankView<ViewedGicV3> = {
  read: (gic, word, by) => {
    const slot = word >>> 1
    if (!((gic.visible(slot >>> 5, by, 3) >>> (slot & 31)) & 1)) return 0
    return word & 1 ? gic.irqs.routeHigh[slot]! : gic.irqs.routeLow[slot]!
  },
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    const slot = word >>> 1
    if (!((gic.visible(slot >>> 5, by, 3) >>> (slot & 31)) & 1)) return
    const kept = AFFINITY | (gic.config.oneOfN ? IRM : 0)
    const low = irqs.routeLow[slot]!
    if (word & 1) irqs.setRoute(slot, low, value & mask & 0xff)
    else irqs.setRoute(slot, (low & ~mask) | (value & mask & kept), irqs.routeHigh[slot]!)
  },
}

/** A bank of a Redistributor: word `index` of its own `words`, from word `first` of the state on. */
export function own(view: BankView<ViewedGicV3>, words: number, first: (gic: ViewedGicV3) => number): BankView<OnePe> {
  return {
    read: ({ gic, pe }, index, by) => view.read(gic, first(gic) + pe * words + index, by),
    assign: ({ gic, pe }, index, value, mask, by) => view.assign(gic, first(gic) + pe * words + index, value, mask, by),
  }
}

/** A bank of extended SPIs: word `index` from the first of theirs on, with `scale` words of this bank to a bitmap word. */
export function extended(view: BankView<ViewedGicV3>, scale: number): BankView<ViewedGicV3> {
  const at = (gic: ViewedGicV3, index: number) => {
    const word = gic.irqs.espiWord * scale + index
    return word < gic.irqs.eppiWord * scale ? word : -1
  }
  return {
    read: (gic, index, by) => {
      const word = at(gic, index)
      return word < 0 ? 0 : view.read(gic, word, by)
    },
    assign: (gic, index, value, mask, by) => {
      const word = at(gic, index)
      if (word >= 0) view.assign(gic, word, value, mask, by)
    },
  }
}
