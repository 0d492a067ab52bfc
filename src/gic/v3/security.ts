/**
 * From which Security state a PE reaches its CPU interface, and what it may see there. Where the PE is, the embedder says
 * (`setExecution`); what a register does with it is in the register's own file.
 */

import type { CheckedConfigV3 } from './config.ts'
import { Bank, type CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'

/** What these questions need of a GIC. */
export interface SecurityStates {
  /** `security` is whether the PEs have EL3. */
  readonly config: Pick<CheckedConfigV3, 'security'>
  /** GICD_CTLR.DS is 0. */
  readonly twoStates: boolean
}

/**
 * The copy of a banked ICC_* register that an access means. SCR_EL3.NS alone decides, at EL3 too and whatever GICD_CTLR.DS
 * is: "elsif HaveEL(EL3) then if SCR_EL3.NS == '0' then ..._S else ..._NS" (ICC_IGRPEN1_EL1 and its like).
 */
export function bankOf({ config }: SecurityStates, cpu: CpuInterfaceV3): number {
  return config.security && cpu.secure ? Bank.S : Bank.NS
}

/** The group that the copy is of, where the register is of Group 1. */
export function group1Of(gic: SecurityStates, cpu: CpuInterfaceV3): 1 | 2 {
  return bankOf(gic, cpu) === Bank.S ? Group.G1S : Group.G1NS
}

/** At EL3, where there is one: a PE without it is never there, whatever the embedder says. */
export function isAtEl3({ config }: SecurityStates, cpu: CpuInterfaceV3): boolean {
  return config.security && cpu.el === 3
}

/** Accesses at EL3 are Secure, whatever SCR_EL3.NS is (ICC_SGI1R_EL1). A PE without EL3 makes Non-secure ones alone. */
export function isSecureAccess({ config }: SecurityStates, cpu: CpuInterfaceV3): boolean {
  return config.security && (cpu.el === 3 || cpu.secure)
}

/** A Non-secure access to a GIC with two Security states: Secure interrupts and their priorities are not its to touch. */
export function isRestricted(gic: SecurityStates, cpu: CpuInterfaceV3): boolean {
  return gic.twoStates && !isSecureAccess(gic, cpu)
}
