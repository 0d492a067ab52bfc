/**
 * The doors to a GICv3's state that no memory-mapped register is: system registers, levels of wires and of messages, and
 * pending LPIs. What is saved through them can be restored in any order, among them and with the registers of the frames.
 */

import { ConfigError } from '../config.ts'
import { Bank } from './cpu-interface.ts'
import { iccStateOf } from './icc-state.ts'
import { FIRST_LPI } from './lpis.ts'
import type { GicV3State } from './state.ts'

function bankFor(gic: GicV3State, secure: boolean): number {
  return secure && gic.config.security ? Bank.S : Bank.NS
}

/** Acknowledges, ICC_SRE_EL1 and the like have no state of their own: undefined. `stateSysregs` lists the registers that do. */
export function saveSysreg(gic: GicV3State, pe: number, encoding: number, secure: boolean): bigint | undefined {
  const cpu = gic.cpus[pe]!
  const state = iccStateOf(encoding)
  if (!state?.exists(cpu, gic.config)) return undefined
  const bank = bankFor(gic, secure)
  return (BigInt(state.saveHigh(cpu, bank) >>> 0) << 32n) | BigInt(state.saveLow(cpu, bank) >>> 0)
}

export function restoreSysreg(gic: GicV3State, pe: number, encoding: number, value: bigint, secure: boolean): boolean {
  const cpu = gic.cpus[pe]!
  const state = iccStateOf(encoding)
  if (!state?.exists(cpu, gic.config)) return false
  const [low, high] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))]
  state.restore(cpu, bankFor(gic, secure), low, high, gic.config)
  gic.eligibilityChanged(pe)
  gic.markDirty(pe)
  gic.settle()
  return true
}

/** SGIs have no wire, and nor has an INTID that does not exist: 0. */
export function lineLevels(gic: GicV3State, intid: number, pe: number): number {
  const word = wordOf(gic, intid, pe)
  return word < 0 ? 0 : gic.irqs.line[word]!
}

export function restoreLineLevels(gic: GicV3State, intid: number, levels: number, pe: number): void {
  const word = wordOf(gic, intid, pe)
  if (word < 0) return
  gic.irqs.restoreLines(word, levels)
  gic.settle()
}

export function messageLevels(gic: GicV3State, intid: number): number {
  const word = wordOf(gic, intid, 0)
  return word < 0 ? 0 : gic.irqs.message[word]!
}

export function restoreMessageLevels(gic: GicV3State, intid: number, levels: number): void {
  const word = wordOf(gic, intid, 0)
  if (word < 0) return
  gic.irqs.restoreMessages(word, levels & messageable(gic, word))
  gic.settle()
}

/** The SPIs of a word that a message can reach. */
export function messageable({ config, irqs }: GicV3State, word: number): number {
  return config.messageSpis && irqs.ownerOf(word) < 0 ? irqs.implemented[word]! : 0
}

export function restorePendingLpis(gic: GicV3State, pe: number, intids: readonly number[]): void {
  for (const intid of intids)
    if (!Number.isInteger(intid) || intid < FIRST_LPI || intid >= gic.lpiEnd)
      throw new ConfigError(`INTID ${intid}: not an LPI of this GIC, which has ${FIRST_LPI} to ${gic.lpiEnd - 1}`)
  gic.redistributors[pe]!.restoreLpis(intids)
  gic.settle()
}

/** The word of 32 INTIDs, or -1 where this GIC has none of them. */
function wordOf({ irqs }: GicV3State, intid: number, pe: number): number {
  if (!Number.isInteger(intid) || intid < 0 || intid % 32 !== 0)
    throw new ConfigError(`INTID ${intid}: levels come by 32 INTIDs, from a multiple of 32 on`)
  return intid < 1024 || irqs.exists(intid) ? irqs.wordOf(intid, pe) : -1
}
