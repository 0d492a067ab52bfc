/**
 * The ICC_* registers of priorities: the mask, the binary points, the running and the active priorities, in the views of each
 * Security state (IHI 0069 4.8, 12.2). What priorities decide is in `delivery.ts`.
 */

import { bit } from '../../mmio/index.ts'
import { Bank, type CpuInterfaceV3, IDLE_PRIORITY } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { type IccRegister, register } from './icc-access.ts'
import { group1Of, isAtEl3, isRestricted } from './security.ts'
import type { GicV3State } from './state.ts'

/**
 * Non-secure software that cannot reach Group 0 sees the lower half of the priorities as all of them (IHI 0069 4.8.6). Its
 * view has one bit less, which is RAZ/WI like every priority bit that is not there: a mask of 0xff reads as 0xfe.
 */
function shifted(gic: GicV3State, cpu: CpuInterfaceV3): boolean {
  return isRestricted(gic, cpu) && cpu.scrFiq
}

export function readPmr(gic: GicV3State, cpu: CpuInterfaceV3): number {
  if (!shifted(gic, cpu)) return cpu.pmr
  return cpu.pmr & 0x80 ? (cpu.pmr << 1) & 0xff : 0
}

export function writePmr(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  if (!shifted(gic, cpu)) cpu.pmr = low & cpu.priorityMask
  else if (cpu.pmr & 0x80) cpu.pmr = (0x80 | ((low & 0xff) >>> 1)) & cpu.priorityMask
  gic.markDirty(cpu.pe)
}

export function readRunning(gic: GicV3State, cpu: CpuInterfaceV3): number {
  gic.sysregHigh = activeNmis(gic, cpu)
  if (cpu.idle) return IDLE_PRIORITY
  // "The group priority of a Non-secure NMI is 0x80, saturated to 0x00 for Non-secure reads."
  if (!shifted(gic, cpu)) return cpu.running === cpu.bestNmi && gic.sysregHigh === NMI ? 0 : cpu.running
  return cpu.running & 0x80 ? (cpu.running << 1) & 0xff : 0
}

const NMI = 1 << 31
const NMI_NS = 1 << 30

/** ICC_RPR_EL1.NMI is of the reader's Security state; a Secure reader has NMI_NS for the other one. */
function activeNmis(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const nonSecure = cpu.activeNmi & (1 << Group.G1NS)
  if (!gic.twoStates || isRestricted(gic, cpu)) return nonSecure ? NMI : 0
  return (cpu.activeNmi & (1 << Group.G1S) ? NMI : 0) | (nonSecure ? NMI_NS : 0)
}

export function setPoint(gic: GicV3State, cpu: CpuInterfaceV3, group: 0 | 1 | 2, value: number): void {
  cpu.bpr[group] = Math.max(value & 7, cpu.minimumBpr + (group === Group.G1NS ? 1 : 0))
  gic.markDirty(cpu.pe)
}

/** With CBPR, Secure EL1 and EL2 reach ICC_BPR0_EL1; Non-secure EL1 and EL2 read it one greater, and cannot write it. */
export function readPoint1(gic: GicV3State, cpu: CpuInterfaceV3): number {
  const group = group1Of(gic, cpu)
  if (sharesPoint(gic, cpu, group))
    return group === Group.G1S ? cpu.bpr[Group.G0]! : Math.min(cpu.bpr[Group.G0]! + 1, 7)
  return cpu.bpr[group]!
}

export function writePoint1(gic: GicV3State, cpu: CpuInterfaceV3, low: number): void {
  const group = group1Of(gic, cpu)
  if (!sharesPoint(gic, cpu, group)) setPoint(gic, cpu, group, low)
  else if (group === Group.G1S) setPoint(gic, cpu, Group.G0, low)
}

/** EL3 reaches the copies of ICC_BPR1_EL1 themselves: its text says of EL1 and EL2 alone what CBPR makes of them. */
function sharesPoint(gic: GicV3State, cpu: CpuInterfaceV3, group: 1 | 2): boolean {
  return !isAtEl3(gic, cpu) && (cpu.cbpr & (1 << (group === Group.G1S ? Bank.S : Bank.NS))) !== 0
}

/** ICC_AP0R<n>_EL1 and ICC_AP1R<n>_EL1, in the order of their encodings. */
export function activePriorities(): IccRegister[] {
  const rows: IccRegister[] = []
  for (let n = 0; n < 4; n++) {
    const exists = (_: GicV3State, cpu: CpuInterfaceV3) => n < cpu.aprRegisters
    rows.push(
      register(`ICC_AP0R${n}_EL1`, 0, 12, 8, 4 + n, 'group 0', {
        exists,
        read: (_, cpu) => cpu.apr[Group.G0][n]!,
        write: (gic, cpu, low) => setActivePriorities(gic, cpu, Group.G0, n, low, cpu.existingLevels(n)),
      }),
      register(`ICC_AP1R${n}_EL1`, 0, 12, 9, n, 'group 1', {
        exists,
        fields: n === 0 ? { NMI: bit(63) } : {},
        read: (gic, cpu) => {
          const group = group1Of(gic, cpu)
          if (n === 0 && cpu.activeNmi & (1 << group)) gic.sysregHigh = 1 << 31
          return cpu.apr[group][n]! & reachable(gic, cpu, n)
        },
        write: (gic, cpu, low, high) => {
          const group = group1Of(gic, cpu)
          if (n === 0 && gic.config.nmi) cpu.activeNmi = (cpu.activeNmi & ~(1 << group)) | (high < 0 ? 1 << group : 0)
          setActivePriorities(gic, cpu, group, n, low, reachable(gic, cpu, n))
        },
      }),
    )
  }
  return rows
}

/**
 * The active priorities that an access to ICC_AP1R<n>_EL1 reaches. What the bits are is IMPLEMENTATION DEFINED; here those of
 * the Secure half of the priorities are RAZ/WI to Non-secure software, which would hold Secure interrupts back by them.
 */
function reachable(gic: GicV3State, cpu: CpuInterfaceV3, index: number): number {
  return isRestricted(gic, cpu) ? cpu.nonSecureLevels(index) : cpu.existingLevels(index)
}

function setActivePriorities(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  group: 0 | 1 | 2,
  index: number,
  value: number,
  mask: number,
): void {
  const registers = cpu.apr[group]
  registers[index] = (registers[index]! & ~mask) | (value & mask)
  cpu.taken.fill(0)
  cpu.updateRunning()
  gic.markDirty(cpu.pe)
}
