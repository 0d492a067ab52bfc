/**
 * What a register of the GICv2 Distributor shows of the interrupts' state, to Secure and Non-secure accesses: bitmaps and
 * bytes a word at a time (IHI 0048 4.3). Which register shows what is the table in `distributor.ts`.
 */

import type { BankView, Initiator } from '../../mmio/index.ts'
import { bytesToWord, lowestBit } from '../bits.ts'
import type { GicV2 } from './gic.ts'

/** SGIs, as bits of a private word. */
const SGIS = 0xffff

/** Byte views: word `w` of a byte array holds slots 4w to 4w + 3. Which of its lanes are of INTIDs in `bits`, as a byte mask. */
function lanesOf(bits: number, word: number): number {
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

/**
 * The interrupts of a word that an access may see: all that exist, or for a Non-secure access those of Group 1 and those
 * that GICD_NSACR grants at `level` (1 to 3; 0: NSACR grants nothing here).
 */
export function visible(gic: GicV2, word: number, by: Initiator, level: 0 | 1 | 2 | 3): number {
  const { irqs } = gic
  const exist = irqs.implemented[word]!
  if (!gic.config.security || by.secure) return exist
  return exist & (irqs.group[word]! | (level === 0 ? 0 : irqs.nsacr[level - 1]![word]!))
}

/** GICD_IGROUPR: Secure software's; RAZ/WI to Non-secure accesses (IHI 0048 4.3.4). */
export const groups: BankView<GicV2> = {
  read: (gic, word, by) =>
    gic.config.security && !by.secure ? 0 : gic.irqs.group[word]! & gic.irqs.implemented[word]!,
  assign: (gic, word, value, mask, by) => {
    if (gic.config.security && !by.secure) return
    gic.irqs.assignGroup(word, value, mask & gic.irqs.implemented[word]!)
  },
}

/** GICD_ISENABLER, GICD_ICENABLER. */
export const enables: BankView<GicV2> = {
  read: (gic, word, by) => gic.irqs.enabled[word]! & visible(gic, word, by, 0),
  assign: (gic, word, value, mask, by) => {
    const fixed = word < gic.irqs.pes && gic.config.sgiEnable === 'always' ? SGIS : 0
    gic.irqs.assign(gic.irqs.enabled, 'enabled', word, value, mask & visible(gic, word, by, 0) & ~fixed)
  },
}

/** GICD_ISPENDR sets and GICD_ICPENDR clears the latch; an SGI's pending state is read-only here (IHI 0048 4.3.7, 4.3.8). */
function pendingView(level: 1 | 2): BankView<GicV2> {
  return {
    read: (gic, word, by) => gic.irqs.pending(word) & visible(gic, word, by, level),
    assign: (gic, word, value, mask, by) => {
      const fixed = word < gic.irqs.pes ? SGIS : 0
      gic.irqs.assign(gic.irqs.latch, 'pending', word, value, mask & visible(gic, word, by, level) & ~fixed)
    },
  }
}

export const setPending = pendingView(1)
export const clearPending = pendingView(2)

/** GICD_ISACTIVER, GICD_ICACTIVER: GICD_NSACR may grant Non-secure reads, never writes (IHI 0048 4.3.17). */
export const actives: BankView<GicV2> = {
  read: (gic, word, by) => gic.irqs.active[word]! & visible(gic, word, by, 2),
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    irqs.assign(irqs.active, 'active', word, value, mask & visible(gic, word, by, 0))
  },
}

/** GICD_IPRIORITYR. Non-secure software sees the lower half of the priorities as all of them (IHI 0048 3.8.1). */
export const priorities: BankView<GicV2> = {
  read: (gic, word, by) => {
    const value = bytesToWord(gic.irqs.priority, word * 4) & lanesOf(visible(gic, word >>> 3, by, 0), word)
    return gic.config.security && !by.secure ? (value << 1) & 0xfefefefe : value
  },
  assign: (gic, word, value, mask, by) => {
    const seen = mask & lanesOf(visible(gic, word >>> 3, by, 0), word)
    const shifted = gic.config.security && !by.secure
    for (let lane = 0; lane < 4; lane++) {
      if (((seen >>> (lane * 8)) & 0xff) === 0) continue
      const byte = (value >>> (lane * 8)) & 0xff
      gic.irqs.setPriority(word * 4 + lane, (shifted ? 0x80 | (byte >>> 1) : byte) & gic.priorityMask)
    }
  },
}

/** GICD_ITARGETSR: a private interrupt shows its own CPU, to that CPU; with one CPU all are RAZ/WI (IHI 0048 4.3.12). */
export const targets: BankView<GicV2> = {
  read: (gic, word, by) => {
    if (gic.config.cpus === 1) return 0
    const lanes = lanesOf(visible(gic, word >>> 3, by, 3), word)
    if (word < gic.config.cpus * 8) return (0x01010101 << (word >>> 3)) & lanes
    return bytesToWord(gic.irqs.targets, word * 4) & lanes
  },
  assign: (gic, word, value, mask, by) => {
    if (gic.config.cpus === 1 || word < gic.config.cpus * 8) return
    const seen = mask & lanesOf(visible(gic, word >>> 3, by, 3), word)
    for (let lane = 0; lane < 4; lane++) {
      if (((seen >>> (lane * 8)) & 0xff) === 0) continue
      gic.irqs.setTargets(word * 4 + lane, (value >>> (lane * 8)) & gic.allCpus)
    }
  },
}

/** GICD_ICFGR: bit 1 of each pair is edge; SGIs are edge-triggered for good (IHI 0048 4.3.13). */
export const triggers: BankView<GicV2> = {
  read: (gic, word, by) => {
    const half = (word & 1) * 16
    return spreadPairs((gic.irqs.edge[word >>> 1]! & visible(gic, word >>> 1, by, 0)) >>> half)
  },
  assign: (gic, word, value, mask, by) => {
    const { irqs } = gic
    const half = (word & 1) * 16
    const at = word >>> 1
    const privateWord = at < irqs.pes
    let may = (gatherPairs(mask) << half) & visible(gic, at, by, 0)
    if (privateWord) may &= gic.config.ppiConfig === 'fixed' ? 0 : ~SGIS
    const changed = (irqs.edge[at]! ^ (gatherPairs(value) << half)) & may
    if (changed === 0) return
    if (gic.events.active)
      for (let rest = changed & irqs.enabled[at]!; rest !== 0; rest &= rest - 1)
        gic.misuse('config-while-enabled', by.cpu, irqs.intidOf(at, lowestBit(rest)))
    irqs.assign(irqs.edge, 'config', at, value === 0 ? 0 : gatherPairs(value) << half, may)
  },
}

/** GICD_NSACR: two bits for each SGI and SPI; a PPI has none, and an SGI's 3 works as 2 (IHI 0048 4.3.14). */
export const nonSecureAccess: BankView<GicV2> = {
  read: (gic, word) => {
    const half = (word & 1) * 16
    const [one, two, three] = gic.irqs.nsacr
    const at = word >>> 1
    // Level 1 is 0b01, 2 is 0b10 and 3 is 0b11: the upper bit is 'at least 2', the lower one 'exactly 1, or 3'.
    const lower = (one[at]! & ~two[at]!) | three[at]!
    return spreadPairs(two[at]! >>> half) | (spreadPairs(lower >>> half) >>> 1)
  },
  assign: (gic, word, value, mask) => {
    const { irqs } = gic
    const half = (word & 1) * 16
    const at = word >>> 1
    const may = (gatherPairs(mask) << half) & irqs.implemented[at]! & (at < irqs.pes ? SGIS : -1)
    const upper = gatherPairs(value) << half
    const lower = gatherPairs(value << 1) << half
    const levels = [upper | lower, upper, upper & lower]
    irqs.nsacr.forEach((bitmap, i) => {
      bitmap[at] = (bitmap[at]! & ~may) | (levels[i]! & may)
    })
  },
}

/** GICD_CPENDSGIR, GICD_SPENDSGIR: for each SGI of this CPU a byte of its sources (IHI 0048 4.3.16). */
export function sgiSources(set: boolean): BankView<GicV2> {
  const level = set ? 1 : 2
  return {
    read: (gic, word, by) => bytesToWord(gic.irqs.sources, word * 4) & sgiLanes(gic, word, by, level),
    assign: (gic, word, value, mask, by) => {
      const seen = mask & sgiLanes(gic, word, by, level)
      const cpu = word >>> 2
      for (let lane = 0; lane < 4; lane++) {
        const sources = (seen >>> (lane * 8)) & gic.allCpus
        if (sources === 0) continue
        const sgi = (word & 3) * 4 + lane
        const ones = (value >>> (lane * 8)) & sources
        if (ones !== 0) gic.irqs.addSgi(cpu, sgi, ones)
        if (ones !== sources) gic.irqs.removeSgi(cpu, sgi, sources & ~ones)
      }
    },
  }
}

function sgiLanes(gic: GicV2, word: number, by: Initiator, level: 1 | 2): number {
  return lanesOf(visible(gic, word >>> 2, by, level), word & 3)
}

/** GICD_PPISR and GICD_SPISR: the input wires themselves (GIC-400's use of IHI 0048's IMPLEMENTATION DEFINED 0xD00). */
export function inputs(gic: GicV2, index: number, by: Initiator): number {
  if (index === 0) {
    if (by.cpu < 0 || by.cpu >= gic.config.cpus) return 0
    return ((gic.irqs.line[by.cpu]! & visible(gic, by.cpu, by, 0)) >>> 16) & 0xffff
  }
  const word = gic.irqs.pes + index - 1
  return word < gic.irqs.words ? gic.irqs.line[word]! & visible(gic, word, by, 0) : 0
}
