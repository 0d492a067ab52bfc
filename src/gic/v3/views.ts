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
  save: (gic, word) => gic.irqs.modifier[word]!,
  restore: (gic, word, value, mask) => {
    const { irqs } = gic
    const exist = gic.config.security ? irqs.implemented[word]! : 0
    irqs.assignPlacing(irqs.modifier, 'modifier', word, value, mask & exist)
  },
}

/** GICD_INMIR, GICR_INMIR0: where non-maskable interrupts are implemented; a bit of Group 0 is RES0 (IHI 0069 12.9.17). */
export const nmis: BankView<ViewedGicV3> = {
  read: (gic, word, by) => gic.irqs.nmi[word]! & maybeNmi(gic, word, by),
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    irqs.assignPlacing(irqs.nmi, 'nmi', word, value, mask & maybeNmi(gic, word, by))
  },
  // What is hidden while an interrupt is in Group 0 is there again when it leaves it, and is saved.
  save: (gic, word, by) => gic.irqs.nmi[word]! & gic.visible(word, by, 0),
  restore: (gic, word, value, mask, by) => {
    const exist = gic.config.nmi ? gic.visible(word, by, 0) : 0
    gic.irqs.assignPlacing(gic.irqs.nmi, 'nmi', word, value, mask & exist)
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
  return placed(
    view,
    ({ gic }) => gic,
    ({ gic, pe }, index) => first(gic) + pe * words + index,
  )
}

/** A bank of a PE's extended PPIs, with `scale` words to a bitmap word: there where they are configured. */
export function ownExtended(view: BankView<ViewedGicV3>, scale: number): BankView<OnePe> {
  return placed(
    view,
    ({ gic }) => gic,
    ({ gic, pe }, index) => (gic.config.extendedPpis === 0 ? -1 : (gic.irqs.eppiWord + pe * 2) * scale + index),
  )
}

/** A bank of extended SPIs: word `index` from the first of theirs on, with `scale` words of this bank to a bitmap word. */
export function extended(view: BankView<ViewedGicV3>, scale: number): BankView<ViewedGicV3> {
  return placed(
    view,
    (gic) => gic,
    (gic, index) => {
      const word = gic.irqs.espiWord * scale + index
      return word < gic.irqs.eppiWord * scale ? word : -1
    },
  )
}

/** A bank whose words are elsewhere in the state: at `wordOf`, or nowhere where that is -1. */
function placed<D>(
  view: BankView<ViewedGicV3>,
  gicOf: (device: D) => ViewedGicV3,
  wordOf: (device: D, index: number) => number,
): BankView<D> {
  const reader =
    (read: BankView<ViewedGicV3>['read']): BankView<D>['read'] =>
    (device, index, by) => {
      const word = wordOf(device, index)
      return word < 0 ? 0 : read(gicOf(device), word, by)
    }
  const writer =
    (write: BankView<ViewedGicV3>['assign']): BankView<D>['assign'] =>
    (device, index, value, mask, by) => {
      const word = wordOf(device, index)
      if (word >= 0) write(gicOf(device), word, value, mask, by)
    }
  return {
    read: reader(view.read),
    assign: writer(view.assign),
    save: reader(view.save ?? view.read),
    restore: writer(view.restore ?? view.assign),
  }
}
