/**
 * What the banks of a Distributor or Redistributor show of the interrupts' state, to Secure and Non-secure accesses: bitmaps,
 * bit pairs and bytes, a word at a time. GICv2 and GICv3 share them; each has its own table, and views of what only it has.
 */

import type { BankView, Initiator } from '../mmio/index.ts'
import { bytesToWord, lowestBit } from './bits.ts'
import type { MisuseCode } from './events.ts'
import type { Interrupts } from './interrupts.ts'

/** What the views ask of a GIC. */
export interface ViewedGic {
  readonly config: { readonly security: boolean }
  readonly irqs: Interrupts
  /** Implemented bits of a priority. */
  readonly priorityMask: number
  /** There are two Security states: a GICv2 with the Security Extensions, a GICv3 while GICD_CTLR.DS is 0. */
  readonly twoStates: boolean
  /**
   * The interrupts of a word that an access may see: all that exist, or for a Non-secure access to a GIC with two Security
   * states those of Non-secure Group 1 and those that NSACR grants at `level` (1 to 3; 0: NSACR grants nothing here).
   */
  visible(word: number, by: Initiator, level: 0 | 1 | 2 | 3): number
  /** A Non-secure access to a GIC with two Security states: it sees half of the priorities, and no groups. */
  shifted(by: Initiator): boolean
  /** Interrupts of a word whose enable, pending state or trigger software cannot change. */
  fixedEnables(word: number): number
  fixedPending(word: number): number
  fixedTriggers(word: number): number
  misuse(code: MisuseCode, cpu: number, intid: number, what?: string, detail?: string): void
}

/** What Non-secure software sees of a word where there are two Security states: Non-secure Group 1, and what NSACR grants. */
export function nonSecureVisible(irqs: Interrupts, word: number, level: 0 | 1 | 2 | 3): number {
  // Level 3 is of SPIs alone: an SGI's is reserved, and treated as 2 (IHI 0048 4.3.14).
  const granted = level === 0 || (level === 3 && word < irqs.pes) ? 0 : irqs.nsacr[level - 1]![word]!
  return irqs.implemented[word]! & (irqs.group[word]! | granted)
}

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

/** Byte views: word `w` of a byte array holds slots 4w to 4w + 3. Which of its lanes are of INTIDs in `bits`, as a byte mask. */
export function lanesOf(bits: number, word: number): number {
  const four = (bits >>> ((word & 7) * 4)) & 15
  return (four & 1 ? 0xff : 0) | (four & 2 ? 0xff00 : 0) | (four & 4 ? 0xff0000 : 0) | (four & 8 ? 0xff000000 : 0)
}

/** Bit pairs: word `w` of a two-bit bank holds slots 16w to 16w + 15. Spreads 16 bits to the upper bit of each pair. */
export function spreadPairs(bits: number): number {
  let spread = bits & 0xffff
  spread = (spread | (spread << 8)) & 0x00ff00ff
  spread = (spread | (spread << 4)) & 0x0f0f0f0f
  spread = (spread | (spread << 2)) & 0x33333333
  spread = (spread | (spread << 1)) & 0x55555555
  return spread << 1
}

/** The inverse of `spreadPairs`: the upper bit of each pair, as 16 bits. */
export function gatherPairs(pairs: number): number {
  let bits = (pairs >>> 1) & 0x55555555
  bits = (bits | (bits >>> 1)) & 0x33333333
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff00ff
  return (bits | (bits >>> 8)) & 0xffff
}

/** GICD_IGROUPR: Secure software's; RAZ/WI to Non-secure accesses (IHI 0048 4.3.4). */
export const groups: BankView<ViewedGic> = {
  read: (gic, word, by) => (gic.shifted(by) ? 0 : gic.irqs.group[word]! & gic.irqs.implemented[word]!),
  assign: (gic, word, value, mask, by) => {
    if (gic.shifted(by)) return
    gic.irqs.assignPlacing(gic.irqs.group, 'group', word, value, mask & gic.irqs.implemented[word]!)
  },
}

/** GICD_ISENABLER, GICD_ICENABLER. */
export const enables: BankView<ViewedGic> = {
  read: (gic, word, by) => gic.irqs.enabled[word]! & gic.visible(word, by, 0),
  assign: (gic, word, value, mask, by) => {
    const fixed = gic.fixedEnables(word)
    gic.irqs.assign(gic.irqs.enabled, 'enabled', word, value, mask & gic.visible(word, by, 0) & ~fixed)
  },
}

/**
 * GICD_ISPENDR sets and GICD_ICPENDR clears the latch; an SGI's pending state is read-only here (IHI 0048 4.3.7, 4.3.8). What
 * is saved is the latch alone, whatever the trigger: levels have a door of their own.
 */
function pendingView(level: 1 | 2): BankView<ViewedGic> {
  return {
    read: (gic, word, by) => gic.irqs.pending(word) & gic.visible(word, by, level),
    assign: (gic, word, value, mask, by) => {
      const fixed = gic.fixedPending(word)
      gic.irqs.assign(gic.irqs.latch, 'pending', word, value, mask & gic.visible(word, by, level) & ~fixed)
    },
    save: (gic, word, by) => gic.irqs.latch[word]! & gic.visible(word, by, level),
  }
}

export const setPending = pendingView(1)
export const clearPending = pendingView(2)

/** GICD_ISACTIVER, GICD_ICACTIVER: GICD_NSACR may grant Non-secure reads, never writes (IHI 0048 4.3.17). */
export const actives: BankView<ViewedGic> = {
  read: (gic, word, by) => gic.irqs.active[word]! & gic.visible(word, by, 2),
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    irqs.assign(irqs.active, 'active', word, value, mask & gic.visible(word, by, 0))
  },
}

/** GICD_IPRIORITYR. Non-secure software sees the lower half of the priorities as all of them (IHI 0048 3.8.1). */
export const priorities: BankView<ViewedGic> = {
  read: (gic, word, by) => {
    const value = bytesToWord(gic.irqs.priority, word * 4) & lanesOf(gic.visible(word >>> 3, by, 0), word)
    return gic.shifted(by) ? (value << 1) & 0xfefefefe : value
  },
  assign: (gic, word, value, mask, by) => {
    const seen = mask & lanesOf(gic.visible(word >>> 3, by, 0), word)
    const shifted = gic.shifted(by)
    for (let lane = 0; lane < 4; lane++) {
      if (((seen >>> (lane * 8)) & 0xff) === 0) continue
      const byte = (value >>> (lane * 8)) & 0xff
      gic.irqs.setPriority(word * 4 + lane, (shifted ? 0x80 | (byte >>> 1) : byte) & gic.priorityMask)
    }
  },
}

/** GICD_ICFGR: bit 1 of each pair is edge; SGIs are edge-triggered for good (IHI 0048 4.3.13). */
export const triggers: BankView<ViewedGic> = {
  read: (gic, word, by) => {
    const half = (word & 1) * 16
    return spreadPairs((gic.irqs.edge[word >>> 1]! & gic.visible(word >>> 1, by, 0)) >>> half)
  },
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    const half = (word & 1) * 16
    const at = word >>> 1
    const may = (gatherPairs(mask) << half) & gic.visible(at, by, 0) & ~gic.fixedTriggers(at)
    const changed = (irqs.edge[at]! ^ (gatherPairs(value) << half)) & may
    if (changed === 0) return
    if (irqs.events.active)
      for (let rest = changed & irqs.enabled[at]!; rest !== 0; rest &= rest - 1)
        gic.misuse('config-while-enabled', by.cpu, irqs.intidOf(at, lowestBit(rest)))
    irqs.assign(irqs.edge, 'config', at, gatherPairs(value) << half, may)
  },
  restore: (gic, word, value, mask, by) => {
    const half = (word & 1) * 16
    const at = word >>> 1
    const may = (gatherPairs(mask) << half) & gic.visible(at, by, 0) & ~gic.fixedTriggers(at)
    gic.irqs.assign(gic.irqs.edge, 'config', at, gatherPairs(value) << half, may)
  },
}

/**
 * GICD_NSACR: two bits for each SGI and SPI; a PPI has none, and an SGI's 3 works as 2. RAZ/WI with one Security state
 * (IHI 0048 4.3.14, IHI 0069 12.9.19).
 */
export const nonSecureAccess: BankView<ViewedGic> = {
  read: (gic, word) => (gic.twoStates ? accessLevels(gic, word) : 0),
  assign: (gic, word, value, mask) => {
    if (gic.twoStates) assignAccessLevels(gic, word, value, mask)
  },
  save: accessLevels,
  restore: assignAccessLevels,
}

/** Level 1 is 0b01, 2 is 0b10 and 3 is 0b11: the upper bit is 'at least 2', the lower one 'exactly 1, or 3'. */
function accessLevels({ irqs }: ViewedGic, word: number): number {
  const half = (word & 1) * 16
  const [one, two, three] = irqs.nsacr
  const at = word >>> 1
  const lower = (one[at]! & ~two[at]!) | three[at]!
  return spreadPairs(two[at]! >>> half) | (spreadPairs(lower >>> half) >>> 1)
}

function assignAccessLevels(gic: ViewedGic, word: number, value: number, mask: number): void {
  const { irqs } = gic
  const half = (word & 1) * 16
  const at = word >>> 1
  const may = (gatherPairs(mask) << half) & nonSecureGrantable(gic, at)
  const upper = gatherPairs(value) << half
  const lower = gatherPairs(value << 1) << half
  const levels = [upper | lower, upper, upper & lower]
  irqs.nsacr.forEach((bitmap, i) => {
    bitmap[at] = (bitmap[at]! & ~may) | (levels[i]! & may)
  })
}

/** The interrupts of a word that NSACR has a field for: SGIs and SPIs, where there may be two Security states. */
export function nonSecureGrantable({ irqs, config }: ViewedGic, word: number): number {
  if (!config.security) return 0
  return irqs.implemented[word]! & (word < irqs.pes ? SGIS : irqs.ownerOf(word) < 0 ? -1 : 0)
}
