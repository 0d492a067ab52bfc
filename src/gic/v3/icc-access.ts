/**
 * A row of the ICC_* registers, and what the architecture makes of an access before the register itself is asked: UNDEFINED,
 * a trap to EL3, or neither (the access pseudocode of each register, IHI 0069 12.2). Which rows there are is the table's.
 */

import type { Fields } from '../../mmio/index.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import type { GicV3State } from './state.ts'

/** What an access to a system register comes to. */
export const SysregOutcome = { ok: 0, undefined: 1, trapEl3: 2 } as const
export type SysregOutcome = (typeof SysregOutcome)[keyof typeof SysregOutcome]

const { ok: OK, undefined: UNDEFINED, trapEl3: TRAP_EL3 } = SysregOutcome

/** Which traps of SCR_EL3 take an access below EL3, as bits: Group 0 registers FIQ, Group 1 registers IRQ, common ones both. */
const FIQ = 1 << 0
const IRQ = 1 << 1
const traps = { 'group 0': FIQ, 'group 1': IRQ, common: FIQ | IRQ, none: 0 } as const
type Trap = keyof typeof traps

/** Reads return the low word; bits 63:32 go to `gic.sysregHigh`. */
export type Read = (gic: GicV3State, cpu: CpuInterfaceV3) => number
export type Write = (gic: GicV3State, cpu: CpuInterfaceV3, low: number, high: number) => void

/** A system register of the CPU interface, as the table has it. */
export interface IccRegister {
  readonly name: string
  /** op0, op1, CRn, CRm and op2, packed as MRS and MSR have them in bits 20:5. */
  readonly encoding: number
  /** The lowest Exception level that reaches it. */
  readonly leastEl: 1 | 2 | 3
  /** What SCR_EL3 traps it with. */
  readonly trap: Trap
  /** The bits of SCR_EL3 that trap it when all of them are set; 0 for none. */
  readonly traps: number
  /** By the specification's names. */
  readonly fields: Fields
  /** What MRS does; undefined for a write-only register. */
  readonly read: Read | undefined
  /** What MSR does; undefined for a read-only register. */
  readonly write: Write | undefined
  /** What MRS would return, with no effect. */
  readonly peek: Read | undefined
  /** MRS changes state, as ICC_IAR1_EL1's does. */
  readonly readHasEffect: boolean
  /** Not there in some configurations; undefined where it always is. */
  readonly exists: ((gic: GicV3State, cpu: CpuInterfaceV3) => boolean) | undefined
}

/** Packs an encoding as the instruction has it: op0 of 3 is bits 15:14 both set. */
export function encodeSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
}

export interface Options {
  read?: Read
  write?: Write
  peek?: Read
  fields?: Fields
  exists?: (gic: GicV3State, cpu: CpuInterfaceV3) => boolean
}

export function register(
  name: string,
  op1: number,
  crn: number,
  crm: number,
  op2: number,
  trap: Trap,
  options: Options,
): IccRegister {
  return {
    name,
    encoding: encodeSysreg(3, op1, crn, crm, op2),
    leastEl: op1 === 6 ? 3 : op1 === 4 ? 2 : 1,
    trap,
    traps: traps[trap],
    fields: options.fields ?? {},
    read: options.read,
    write: options.write,
    peek: options.peek ?? options.read,
    readHasEffect: options.peek !== undefined,
    exists: options.exists,
  }
}

/** What the architecture makes of an access from where the PE is, before the register itself is asked. */
export function iccAccess(
  gic: GicV3State,
  cpu: CpuInterfaceV3,
  row: IccRegister | undefined,
  write: boolean,
): SysregOutcome {
  if (
    row === undefined ||
    cpu.el < row.leastEl ||
    (write ? row.write : row.read) === undefined ||
    (row.exists !== undefined && !row.exists(gic, cpu))
  )
    return UNDEFINED
  return gic.config.security && isTrapped(cpu, row) ? TRAP_EL3 : OK
}

function isTrapped(cpu: CpuInterfaceV3, { traps }: IccRegister): boolean {
  if (traps === 0 || cpu.el === 3) return false
  return (traps & ~((cpu.scrFiq ? FIQ : 0) | (cpu.scrIrq ? IRQ : 0))) === 0
}
