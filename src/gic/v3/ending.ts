/**
 * Priority drop and deactivation in a GICv3: ICC_EOIR0_EL1, ICC_EOIR1_EL1 and ICC_DIR_EL1, and who may end what (IHI 0069
 * 4.4, 12.2). Acknowledging is in `delivery.ts`.
 */

import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { groupOf, isSpecial } from './delivery.ts'
import { Group } from './groups.ts'
import { FIRST_LPI } from './lpis.ts'
import { runningSays } from './running.ts'
import { bankOf, isAtEl3, isRestricted, isSecureAccess } from './security.ts'
import type { GicV3State } from './state.ts'

const { G0, G1NS } = Group

/** Whether priority drop and deactivation are apart: EOImode of EL3, or of the Security state below it (ICC_EOIR1_EL1). */
export function isSplit(gic: GicV3State, cpu: CpuInterfaceV3): boolean {
  if (isAtEl3(gic, cpu)) return cpu.eoiModeEl3
  return (cpu.eoiMode & (1 << bankOf(gic, cpu))) !== 0
}

/**
 * ICC_EOIR0_EL1 and ICC_EOIR1_EL1. The drop applies to the running priority, and only where that belongs to the register's
 * group and to a Security state that the PE may end; anything else is UNPREDICTABLE, and ignored here. An INTID other than
 * the running one's is UNPREDICTABLE too: what it names is deactivated, but never a Secure interrupt by Non-secure software,
 * as UNPREDICTABLE does nothing that the software could not do otherwise (DDI 0487, Glossary).
 */
export function endOfInterrupt(gic: GicV3State, cpu: CpuInterfaceV3, value: number, of: 0 | 1): void {
  const intid = value & 0xff_ffff
  if (isSpecial(intid)) return
  const running = cpu.runningGroup()
  if (running < 0 || !exists(gic, intid) || !mayEnd(gic, cpu, running, of)) {
    refuse(gic, cpu, intid, running, of)
    return
  }
  if (gic.events.active) reportEnd(gic, cpu, intid, running)
  cpu.dropPriority(running)
  gic.markDirty(cpu.pe)
  if (gic.events.active) reportDrop(gic, cpu, intid)
  if (intid >= FIRST_LPI || isSplit(gic, cpu)) return
  if (isRestricted(gic, cpu) && groupOf(gic, cpu.pe, intid) !== G1NS) gic.misuse('eoi-hidden-group', cpu.pe, intid)
  else deactivate(gic, cpu, intid)
}

function exists(gic: GicV3State, intid: number): boolean {
  return intid >= FIRST_LPI ? intid < gic.lpiEnd : gic.irqs.exists(intid)
}

// Reports are apart, so that what every interrupt goes through stays short enough to be compiled in one piece.

function reportEnd(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, running: number): void {
  if (!isRunning(gic, cpu, intid, running))
    gic.misuse('eoi-of-another', cpu.pe, intid, String(intid), runningSays(gic, cpu))
}

function reportDrop({ events }: GicV3State, { pe }: CpuInterfaceV3, intid: number): void {
  events.emit({ kind: 'priority-drop', cpu: pe, intid })
}

function refuse(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, running: number, of: 0 | 1): void {
  if (!gic.events.active) return
  if (!exists(gic, intid)) gic.misuse('eoi-invalid-intid', cpu.pe, intid)
  else if (running < 0) gic.misuse('eoi-without-acknowledge', cpu.pe, intid)
  else gic.misuse('eoi-other-group', cpu.pe, intid, `${intid} by ICC_EOIR${of}_EL1`, runningSays(gic, cpu))
}

/** Group 0 by EOIR0, Group 1 by EOIR1; EL3 ends all, and below it each Security state what is its own. */
function mayEnd(gic: GicV3State, cpu: CpuInterfaceV3, running: number, of: 0 | 1): boolean {
  if ((running === G0) !== (of === 0)) return false
  if (!gic.twoStates || cpu.el === 3) return true
  return isSecureAccess(gic, cpu) === (running !== G1NS)
}

/** Whether this interrupt could be the one that runs: active (an LPI never is), and of the running group. */
function isRunning(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, running: number): boolean {
  if (groupOf(gic, cpu.pe, intid) !== running) return false
  if (intid >= FIRST_LPI) return true
  return ((gic.irqs.active[gic.irqs.wordOf(intid, cpu.pe)]! >>> (intid & 31)) & 1) === 1
}

/** ICC_DIR_EL1: works only while EOImode separates the two; an LPI has no active state to end. */
export function deactivateInterrupt(gic: GicV3State, cpu: CpuInterfaceV3, value: number): void {
  const intid = value & 0xff_ffff
  if (isSpecial(intid) || intid >= FIRST_LPI) return
  if (!isSplit(gic, cpu)) {
    gic.misuse('deactivate-without-split', cpu.pe, intid)
    return
  }
  if (!gic.irqs.exists(intid)) {
    gic.misuse('eoi-invalid-intid', cpu.pe, intid)
    return
  }
  if (!mayDeactivate(gic, cpu, groupOf(gic, cpu.pe, intid))) {
    gic.misuse('deactivate-hidden-group', cpu.pe, intid)
    return
  }
  const word = gic.irqs.wordOf(intid, cpu.pe)
  if (!((gic.irqs.active[word]! >>> (intid & 31)) & 1)) gic.misuse('deactivate-not-active', cpu.pe, intid)
  else deactivate(gic, cpu, intid)
}

/**
 * Below EL3, a PE deactivates what its Security state owns (Secure software Non-secure interrupts too), unless the
 * interrupts of that group are EL3's: SCR_EL3.FIQ or .IRQ routes them there (IHI 0069 4.6.3).
 */
function mayDeactivate(gic: GicV3State, cpu: CpuInterfaceV3, group: number): boolean {
  if (!gic.config.security || cpu.el === 3) return true
  if (group === G0 ? cpu.scrFiq : cpu.scrIrq) return false
  return group === G1NS || !isRestricted(gic, cpu)
}

function deactivate(gic: GicV3State, cpu: CpuInterfaceV3, intid: number): void {
  const word = gic.irqs.wordOf(intid, cpu.pe)
  const told = gic.events.active && ((gic.irqs.active[word]! >>> (intid & 31)) & 1) === 1
  gic.irqs.deactivate(word, intid & 31)
  if (told) reportDeactivation(gic, cpu, intid)
}

function reportDeactivation({ events }: GicV3State, { pe }: CpuInterfaceV3, intid: number): void {
  events.emit({ kind: 'deactivate', cpu: pe, intid })
}
