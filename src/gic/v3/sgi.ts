/**
 * The generation of SGIs by ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 (IHI 0069 12.1.10): which PEs an SGI is for, and
 * whether the group that it has on each of them may be reached from where it was sent.
 */

import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { isRestricted, isSecureAccess } from './security.ts'
import type { GicV3State } from './state.ts'

export type SgiRegister = 'SGI0R' | 'SGI1R' | 'ASGI1R'

const { G0, G1S, G1NS } = Group
const IRM_HIGH = 1 << 8

export function sendSgi(gic: GicV3State, cpu: CpuInterfaceV3, register: SgiRegister, low: number, high: number): void {
  const sgi = (low >>> 24) & 15
  let reached = false
  if (high & IRM_HIGH) {
    for (let pe = 0; pe < gic.config.cpus; pe++)
      if (pe !== cpu.pe) reached = deliver(gic, cpu, register, sgi, pe) || reached
  } else {
    // Aff3 in bits 55:48, Aff2 in 39:32, Aff1 in 23:16; the list's bit n is Aff0 = 16 * RangeSelector + n.
    const cluster = (((high >>> 16) & 0xff) << 24) | ((high & 0xff) << 16) | (((low >>> 16) & 0xff) << 8)
    const first = gic.rangeSelector ? ((high >>> 12) & 15) * 16 : 0
    for (let list = low & 0xffff; list !== 0; list &= list - 1) {
      const aff0 = first + 31 - Math.clz32(list & -list)
      const pe = gic.irqs.peWithAffinity((cluster | aff0) >>> 0)
      if (pe >= 0) reached = deliver(gic, cpu, register, sgi, pe) || reached
    }
  }
  if (!reached) gic.misuse('sgi-no-target', cpu.pe, sgi)
}

function deliver(gic: GicV3State, cpu: CpuInterfaceV3, register: SgiRegister, sgi: number, pe: number): boolean {
  const group = gic.irqs.groupOf(pe, sgi)
  if (!reaches(gic, cpu, register, sgi, pe, group)) return false
  gic.irqs.assign(gic.irqs.latch, 'pending', pe, -1, 1 << sgi)
  return true
}

/**
 * What each register reaches: a bit for each group that an SGI may have on its target (IHI 0069 12.1.10, "Use of control
 * registers for SGI forwarding"). SGI1R generates Group 1 of the sender's Security state, ASGI1R of the other one.
 */
const reach = {
  Secure: { SGI0R: 1 << G0, SGI1R: 1 << G1S, ASGI1R: 1 << G1NS },
  'Non-secure': { SGI0R: 1 << G0, SGI1R: (1 << G0) | (1 << G1S) | (1 << G1NS), ASGI1R: (1 << G0) | (1 << G1S) },
  /** With one Security state the Distributor takes a request for Secure Group 1 for one for Group 0 (GICD_IGRPMODR<n>). */
  'Secure, DS': { SGI0R: 1 << G0, SGI1R: 1 << G0, ASGI1R: 1 << G1NS },
  'Non-secure, DS': { SGI0R: 1 << G0, SGI1R: (1 << G0) | (1 << G1NS), ASGI1R: 1 << G0 },
} as const satisfies Record<string, Record<SgiRegister, number>>

/** Whether a write of this register reaches an SGI that is in `group` on its target. */
function reaches(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  register: SgiRegister,
  sgi: number,
  pe: number,
  group: number,
): boolean {
  const secure = isSecureAccess(gic, cpu)
  const table = gic.twoStates
    ? reach[secure ? 'Secure' : 'Non-secure']
    : reach[secure ? 'Secure, DS' : 'Non-secure, DS']
  if (!((table[register] >>> group) & 1)) return false
  if (!isRestricted(gic, cpu) || group === G1NS) return true
  // Non-secure software reaches Secure SGIs as far as the target's GICR_NSACR says: 1 grants Group 0, 2 Secure Group 1 too.
  return ((gic.irqs.nsacr[group === G0 ? 0 : 1][pe]! >>> sgi) & 1) === 1
}
