/** The Distributor registers of a GICv3 that are not banks: control, type, status, and message-based SPIs (IHI 0069 12.9). */

import type { Initiator } from '../../mmio/index.ts'
import { Group } from './groups.ts'
import { FIRST_ESPI } from './irqs.ts'
import type { GicV3State } from './state.ts'

/**
 * GICD_CTLR. Affinity routing is always on (ARE_S, ARE_NS), which is the declared gap: there is no legacy operation. E1NWF is
 * RAZ/WI, as it may be: a PE that is asleep is never picked for a 1-of-N interrupt, and there is no wire to wake one.
 */
const Ctlr = { ARE_S: 1 << 4, ARE_NS: 1 << 5, DS: 1 << 6 } as const
/** Without Security, and in the Non-secure view, ARE is bit 4. */
const ARE = 1 << 4

/** Group enables by the bits of each view: [bit, group]. */
const ONE_STATE = [
  [0, Group.G0],
  [1, Group.G1NS],
] as const
const SECURE = [
  [0, Group.G0],
  [1, Group.G1NS],
  [2, Group.G1S],
] as const
/** EnableGrp1A is bit 1; bit 0 is EnableGrp1 of legacy operation, RES0 with affinity routing. */
const NON_SECURE = [[1, Group.G1NS]] as const

function enablesOf(twoStates: boolean, by: Initiator) {
  return !twoStates ? ONE_STATE : by.secure ? SECURE : NON_SECURE
}

export function readControl(gic: GicV3State, _index: number, by: Initiator): number {
  let value = !gic.irqs.twoStates ? ARE | Ctlr.DS : by.secure ? Ctlr.ARE_S | Ctlr.ARE_NS : ARE
  for (const [bit, group] of enablesOf(gic.irqs.twoStates, by)) value |= ((gic.groupEnables >>> group) & 1) << bit
  return value
}

export function writeControl(gic: GicV3State, _index: number, value: number, _mask: number, by: Initiator): void {
  const { twoStates } = gic.irqs
  gic.groupEnables = enablesIn(gic, value, enablesOf(twoStates, by))
  if (twoStates && by.secure && value & Ctlr.DS) gic.disableSecurity()
  gic.markAllDirty()
}

function enablesIn(gic: GicV3State, value: number, fields: readonly (readonly [bit: number, group: number])[]): number {
  let enables = gic.groupEnables
  for (const [bit, group] of fields) enables = (enables & ~(1 << group)) | (((value >>> bit) & 1) << group)
  return enables
}

/** What is restored says itself how many Security states there are: a Secure access's DS, which it may clear as well. */
export function restoreControl(gic: GicV3State, _index: number, value: number, _mask: number, by: Initiator): void {
  const { config, irqs } = gic
  const twoStates = by.secure ? config.security && (value & Ctlr.DS) === 0 : irqs.twoStates
  gic.groupEnables = enablesIn(gic, value, enablesOf(twoStates, by))
  if (!twoStates) gic.groupEnables &= ~(1 << Group.G1S)
  if (twoStates !== irqs.twoStates) gic.restoreSecurity(twoStates)
  gic.markAllDirty()
}

export function typer(gic: GicV3State): number {
  const { intids, extendedPpis, extendedSpis, lpis, messageSpis, nmi, oneOfN, security } = gic.config
  const idBits = lpis?.intidBits ?? (extendedSpis > 0 ? 13 : extendedPpis > 0 ? 11 : 10)
  return (
    (extendedSpis > 0 ? ((extendedSpis / 32 - 1) << 27) | (1 << 8) : 0) |
    (gic.rangeSelector ? 1 << 26 : 0) |
    (oneOfN ? 0 : 1 << 25) |
    (1 << 24) |
    ((idBits - 1) << 19) |
    (lpis === undefined ? 0 : 1 << 17) |
    (messageSpis ? 1 << 16 : 0) |
    (security && gic.irqs.twoStates ? 1 << 10 : 0) |
    (nmi ? 1 << 9 : 0) |
    (Math.ceil(intids / 32) - 1)
  )
}

/**
 * GICD_SETSPI_NSR and GICD_SETSPI_SR: a message makes an SPI pending. To a level-sensitive one it is a level beside that of
 * its wire, which stays until GICD_CLRSPI_NSR or GICD_CLRSPI_SR. These take away what messages and software made pending;
 * a wire that is high they cannot lower.
 */
export function setSpiByMessage(gic: GicV3State, value: number, by: Initiator, secure: boolean): void {
  assignByMessage(gic, value, by, secure, true)
}

export function clearSpiByMessage(gic: GicV3State, value: number, by: Initiator, secure: boolean): void {
  assignByMessage(gic, value, by, secure, false)
}

function assignByMessage(gic: GicV3State, value: number, by: Initiator, secure: boolean, pending: boolean): void {
  const intid = value & 0x1fff
  const { irqs } = gic
  if (!gic.config.messageSpis) return
  if (intid < 32 || (intid >= 1020 && intid < FIRST_ESPI) || !irqs.exists(intid)) {
    gic.misuse('message-no-target', by.cpu, intid)
    return
  }
  // The Secure registers are WI with one Security state. A Secure access to the Non-secure ones reaches any SPI.
  if (secure && (!irqs.twoStates || !by.secure)) return
  const word = irqs.wordOf(intid, 0)
  const mask = 1 << (intid & 31)
  if (gic.visible(word, by, pending ? 1 : 2) & mask) irqs.setMessage(word, intid & 31, pending)
  else gic.misuse('message-hidden-group', by.cpu, intid)
}
