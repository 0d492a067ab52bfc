/**
 * The ICC_* registers of control: ICC_CTLR_EL1 and ICC_CTLR_EL3, which share their fields, and the group enables (IHI 0069
 * 12.2). ICC_SRE_ELx are constants, in the table.
 */

import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { bankOf } from './security.ts'
import type { GicV3State } from './state.ts'

function idBits(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const lowest = 31 - Math.clz32(cpu.priorityMask & -cpu.priorityMask)
  const extended = gic.config.extendedSpis > 0 || gic.config.extendedPpis > 0
  // PRIbits is one less than there are; IDbits 1: 24-bit INTIDs; A3V: Aff3 may be other than 0.
  return ((7 - lowest) << 8) | (1 << 11) | (1 << 15) | (gic.rangeSelector ? 1 << 18 : 0) | (extended ? 1 << 19 : 0)
}

export function readControl(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const bank = bankOf(gic, cpu)
  return ((cpu.cbpr >>> bank) & 1) | (((cpu.eoiMode >>> bank) & 1) << 1) | idBits(gic, cpu)
}

/**
 * CBPR is EL3's where there are two Security states. PMHE is RAZ/WI, as "priority-based routing is never used" here: which PE
 * takes a 1-of-N interrupt does not depend on masks (ICC_CTLR_EL3).
 */
export function writeControl(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  const bank = bankOf(gic, cpu)
  cpu.eoiMode = (cpu.eoiMode & ~(1 << bank)) | (((low >>> 1) & 1) << bank)
  if (!gic.twoStates) cpu.cbpr = (cpu.cbpr & ~(1 << bank)) | ((low & 1) << bank)
  gic.markDirty(cpu.pe)
}

export function readControlEl3(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const { cbpr, eoiMode } = cpu
  return cbpr | (cpu.eoiModeEl3 ? 1 << 2 : 0) | (eoiMode << 3) | idBits(gic, cpu)
}

export function writeControlEl3(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  cpu.cbpr = low & 3
  cpu.eoiModeEl3 = (low & (1 << 2)) !== 0
  cpu.eoiMode = (low >>> 3) & 3
  gic.markDirty(cpu.pe)
}

export function enableOf(cpu: CpuInterfaceV3, group: number): number {
  return (cpu.enables >>> group) & 1
}

export function setEnable(gic: GicV3State, cpu: CpuInterfaceV3, group: number, value: number): void {
  cpu.enables = (cpu.enables & ~(1 << group)) | ((value & 1) << group)
  gic.eligibilityChanged(cpu.pe)
  gic.markDirty(cpu.pe)
}
