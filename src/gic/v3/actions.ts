/**
 * The things to do that open a GICv3's gates: each from where software can do it, which is Non-secure EL1 where that is
 * enough, and EL3 where SCR_EL3 traps the register below it. It decides nothing of when they are wanted.
 */

import type { RemedyAction } from '../remedy.ts'
import { Bank, type CpuInterfaceV3 } from './cpu-interface.ts'
import { distributorV3 } from './distributor.ts'
import { readControl } from './distributor-control.ts'
import { Group } from './groups.ts'
import { redistributorRegisters } from './redistributor-registers.ts'
import type { Running } from './running.ts'
import type { GicV3State } from './state.ts'
import { registerOf } from './subject.ts'

type Write = Extract<RemedyAction, { do: 'write' }>
type Sysreg = Extract<RemedyAction, { do: 'sysreg' }>

/** A group that is Secure software's, where there are two Security states. */
export function isSecure(gic: GicV3State, group: number): boolean {
  return gic.irqs.twoStates && group !== Group.G1NS
}

/** A register of the Distributor, or by its name of the PE's own Redistributor. */
export function write(register: string, pe: number, value: number, options: Partial<Write> = {}): Write {
  const own = register.startsWith('GICR')
  const offset = (own ? redistributorRegisters : distributorV3).offsetOf(register)!
  const frame = own ? `GICR ${pe}` : 'GICD'
  return {
    do: 'write',
    frame,
    register,
    offset,
    size: 4,
    value: value >>> 0,
    high: 0,
    cpu: pe,
    secure: false,
    ...options,
  }
}

/** The bit of an interrupt in a one-bit bank: `ISENABLER`. */
export function setBit(gic: GicV3State, bank: string, intid: number, group: number, pe: number): Write {
  return write(registerOf(bank, intid, 32), pe, 1 << (intid & 31), { secure: isSecure(gic, group) })
}

/** IGROUPR with the interrupt's bit set, which is Group 1 whatever IGRPMODR has: Secure software's, where there are two Security states. */
export function moveToGroup1(gic: GicV3State, intid: number, pe: number): Write {
  const value = gic.irqs.group[gic.irqs.wordOf(intid, pe)]! | (1 << (intid & 31))
  return write(registerOf('IGROUPR', intid, 32), pe, value, { secure: gic.irqs.twoStates })
}

export function setPriority(gic: GicV3State, intid: number, group: number, pe: number, value: number): Write {
  const whole = write(registerOf('IPRIORITYR', intid, 4), pe, value, { secure: isSecure(gic, group) })
  return { ...whole, size: 1, offset: whole.offset + (intid & 3) }
}

export function routeTo(gic: GicV3State, intid: number, group: number, pe: number): Write {
  const affinity = gic.config.affinities[pe]!
  const options = { size: 8, high: affinity >>> 24, secure: isSecure(gic, group) } as const
  return write(registerOf('IROUTER', intid, 1), pe, affinity & 0xff_ffff, options)
}

/** GICD_CTLR with the group's enable set, in the view of the access: [field, bit]. */
export function enableInDistributor(gic: GicV3State, group: number, pe: number): Write {
  const secure = isSecure(gic, group)
  const [field, bit] = enableField(gic, group)
  const value = readControl(gic, 0, { cpu: pe, secure, bigEndian: false }) | (1 << bit)
  const nonSecureOnly = gic.irqs.twoStates && !secure
  return write('GICD_CTLR', pe, value, { secure, field, ...(nonSecureOnly && { nonSecureOnly }) })
}

/** The enable of a group in GICD_CTLR, by its name in the Secure, or the only, view. */
export function enableField(gic: GicV3State, group: number): readonly [field: string, bit: number] {
  if (group === Group.G0) return ['EnableGrp0', 0]
  if (!gic.irqs.twoStates) return ['EnableGrp1', 1]
  return group === Group.G1S ? ['EnableGrp1S', 2] : ['EnableGrp1NS', 1]
}

/** GICR_WAKER is Secure software's while there are two Security states. */
export function wake(gic: GicV3State, pe: number): Write {
  return write('GICR_WAKER', pe, 0, { secure: gic.irqs.twoStates, field: 'ProcessorSleep' })
}

type Trap = 'group 0' | 'group 1' | 'common'

/** MSR from below EL3 unless SCR_EL3 traps it there: FIQ Group 0 registers, IRQ Group 1 registers, both together common ones. */
function msr(gic: GicV3State, cpu: CpuInterfaceV3, register: string, trap: Trap, secure: boolean, low: number): Sysreg {
  const trapped = trap === 'group 0' ? cpu.scrFiq : trap === 'group 1' ? cpu.scrIrq : cpu.scrFiq && cpu.scrIrq
  const el = gic.config.security && trapped ? 3 : 1
  // Group 1 has a copy of its registers in each Security state.
  const nonSecureOnly = gic.config.security && trap === 'group 1' && !secure
  const action = { do: 'sysreg', register, value: low >>> 0, high: 0, cpu: cpu.pe, el, secure } as const
  return nonSecureOnly ? { ...action, nonSecureOnly } : action
}

export function enableInInterface(gic: GicV3State, cpu: CpuInterfaceV3, group: number): Sysreg {
  const secure = isSecure(gic, group)
  return group === Group.G0
    ? msr(gic, cpu, 'ICC_IGRPEN0_EL1', 'group 0', secure, 1)
    : msr(gic, cpu, 'ICC_IGRPEN1_EL1', 'group 1', secure, 1)
}

/** A mask in the Secure half is not Non-secure software's to change while SCR_EL3.FIQ keeps Group 0 from it (IHI 0069 4.8.6). */
export function openMask(gic: GicV3State, cpu: CpuInterfaceV3, group: number): Sysreg {
  const hidden = gic.irqs.twoStates && cpu.scrFiq && cpu.pmr < 0x80
  return msr(gic, cpu, 'ICC_PMR_EL1', 'common', isSecure(gic, group) || hidden, 0xff)
}

/** An SGI to the PE itself: the register is that of its group in the sender's Security state, and EL3's accesses are Secure. */
export function sendToSelf(gic: GicV3State, cpu: CpuInterfaceV3, sgi: number, group: number): Sysreg {
  const affinity = gic.config.affinities[cpu.pe]!
  const low = (sgi << 24) | (((affinity >>> 8) & 0xff) << 16) | (1 << (affinity & 15))
  const high = ((affinity >>> 24) << 16) | ((affinity >>> 16) & 0xff) | (((affinity >>> 4) & 15) << 12)
  const action = msr(gic, cpu, 'ICC_SGI1R_EL1', 'common', isSecure(gic, group), low)
  const register =
    group === Group.G0 ? 'ICC_SGI0R_EL1' : action.el === 3 && group === Group.G1NS ? 'ICC_ASGI1R_EL1' : action.register
  return { ...action, high, register, secure: action.secure || action.el === 3 }
}

/** Whether deactivation is apart from the priority drop where an action is done. */
function isSplitAt(gic: GicV3State, cpu: CpuInterfaceV3, { el, secure }: Pick<Sysreg, 'el' | 'secure'>): boolean {
  if (el === 3) return cpu.eoiModeEl3
  return (cpu.eoiMode & (1 << (gic.config.security && secure ? Bank.S : Bank.NS))) !== 0
}

function drop(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, group: number): Sysreg {
  const secure = isSecure(gic, group)
  return group === Group.G0
    ? msr(gic, cpu, 'ICC_EOIR0_EL1', 'group 0', secure, intid)
    : msr(gic, cpu, 'ICC_EOIR1_EL1', 'group 1', secure, intid)
}

/** Whether the end of an interrupt of this group leaves its deactivation to ICC_DIR_EL1. */
export function isSplitFor(gic: GicV3State, cpu: CpuInterfaceV3, group: number): boolean {
  return isSplitAt(gic, cpu, drop(gic, cpu, 0, group))
}

/** ICC_DIR_EL1 where EOImode and SCR_EL3's routing of the group allow it, and GICD_ICACTIVER where they do not. */
export function deactivate(gic: GicV3State, cpu: CpuInterfaceV3, intid: number, group: number): RemedyAction {
  const action = msr(gic, cpu, 'ICC_DIR_EL1', 'common', isSecure(gic, group), intid)
  const routed = gic.config.security && (group === Group.G0 ? cpu.scrFiq : cpu.scrIrq)
  const from: Sysreg = routed ? { ...action, el: 3 } : action
  return isSplitAt(gic, cpu, from) ? from : setBit(gic, 'ICACTIVER', intid, group, cpu.pe)
}

/**
 * Ends what runs on a PE, in the order in which it drops, down to the last of `running`. A priority that no interrupt
 * accounts for can only be taken out of the register that holds it.
 */
export function endAll(gic: GicV3State, cpu: CpuInterfaceV3, running: readonly Running[]): RemedyAction[] {
  const left = cpu.apr.map((registers) => Int32Array.from(registers))
  let nmis = cpu.activeNmi
  return running.flatMap(({ intid, group, level }): RemedyAction[] => {
    const n = Math.max(level, 0) >>> 5
    if (level < 0) nmis &= ~(1 << group)
    else left[group]![n]! &= ~(1 << (level & 31))
    if (intid !== undefined) {
      const ended = drop(gic, cpu, intid, group)
      return isActive(gic, cpu, intid) && isSplitAt(gic, cpu, ended)
        ? [ended, deactivate(gic, cpu, intid, group)]
        : [ended]
    }
    const cleared = {
      do: 'sysreg',
      register: `ICC_AP${group === Group.G0 ? 0 : 1}R${n}_EL1`,
      value: left[group]![n]! >>> 0,
      high: group !== Group.G0 && n === 0 && nmis & (1 << group) ? 0x8000_0000 : 0,
      cpu: cpu.pe,
      el: gic.config.security ? 3 : 1,
      // SCR_EL3.NS alone says which copy it is, whatever GICD_CTLR.DS is.
      secure: gic.config.security && group === Group.G1S,
    } as const
    return [cleared]
  })
}

function isActive(gic: GicV3State, cpu: CpuInterfaceV3, intid: number): boolean {
  return gic.irqs.exists(intid) && ((gic.irqs.active[gic.irqs.wordOf(intid, cpu.pe)]! >>> (intid & 31)) & 1) === 1
}
