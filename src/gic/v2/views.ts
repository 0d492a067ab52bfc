/**
 * What only the GICv2 Distributor shows of the interrupts' state: CPU targets, the sources of SGIs, and the input wires. The
 * other banks are in `../views.ts`; which register shows what is the table in `distributor.ts`.
 */

import type { BankView, Initiator } from '../../mmio/index.ts'
import { bytesToWord } from '../bits.ts'
import { lanesOf } from '../views.ts'
import type { GicV2State } from './state.ts'

/** GICD_ITARGETSR: a private interrupt shows its own CPU, to that CPU; with one CPU all are RAZ/WI (IHI 0048 4.3.12). */
export const targets: BankView<GicV2State> = {
  read: (gic, word, by) => {
    if (gic.config.cpus === 1) return 0
    const lanes = lanesOf(gic.visible(word >>> 3, by, 3), word)
    if (word < gic.config.cpus * 8) return (0x01010101 << (word >>> 3)) & lanes
    return bytesToWord(gic.irqs.targets, word * 4) & lanes
  },
  assign: (gic, word, value, mask, by) => {
    if (gic.config.cpus === 1 || word < gic.config.cpus * 8) return
    const seen = mask & lanesOf(gic.visible(word >>> 3, by, 3), word)
    for (let lane = 0; lane < 4; lane++) {
      if (((seen >>> (lane * 8)) & 0xff) === 0) continue
      gic.irqs.setTargets(word * 4 + lane, (value >>> (lane * 8)) & gic.allCpus)
    }
  },
}

/**
 * GICD_CPENDSGIR, GICD_SPENDSGIR: for each SGI of this CPU a byte of its sources (IHI 0048 4.3.16). "A register bit that
 * corresponds to a Group 0 interrupt is RAZ/WI to Non-secure accesses": GICD_NSACR, which grants GICD_SGIR and the pending
 * registers of others, is not named here, nor these there.
 */
export const sgiSources: BankView<GicV2State> = {
  read: (gic, word, by) => bytesToWord(gic.irqs.sources, word * 4) & sgiLanes(gic, word, by),
  assign: (gic, word, value, mask, by) => {
    const seen = mask & sgiLanes(gic, word, by)
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

function sgiLanes(gic: GicV2State, word: number, by: Initiator): number {
  return lanesOf(gic.visible(word >>> 2, by, 0), word & 3)
}

/** GICD_PPISR and GICD_SPISR: the input wires themselves (GIC-400's use of IHI 0048's IMPLEMENTATION DEFINED 0xD00). */
export function inputs(gic: GicV2State, index: number, by: Initiator): number {
  if (index === 0) {
    if (by.cpu < 0 || by.cpu >= gic.config.cpus) return 0
    return ((gic.irqs.line[by.cpu]! & gic.visible(by.cpu, by, 0)) >>> 16) & 0xffff
  }
  const word = gic.irqs.pes + index - 1
  return word < gic.irqs.words ? gic.irqs.line[word]! & gic.visible(word, by, 0) : 0
}
