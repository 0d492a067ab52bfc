/**
 * The things to do that open a GICv2's gates: each by the Security state that software would do it in, Non-secure where that
 * is enough. It decides nothing of when they are wanted.
 */

import type { RemedyAction } from '../remedy.ts'
import { type CpuInterface, Ctlr } from './cpu-interface.ts'
import { readControl } from './cpu-registers.ts'
import { readDistributorControl } from './distributor-control.ts'
import type { Running } from './running.ts'
import type { GicV2State } from './state.ts'

type Write = Extract<RemedyAction, { do: 'write' }>

function write(frame: 'GICD' | 'GICC', register: string, offset: number, value: number, cpu: number): Write {
  return { do: 'write', frame, register, offset, size: 4, value: value >>> 0, high: 0, cpu, secure: false }
}

/** Group 0 is Secure software's, where there are two Security states. */
export function isSecure(gic: GicV2State, group: number): boolean {
  return gic.config.security && group === 0
}

/** Who writes a register that is another one to Secure software: the group's own software. */
function viewOf(gic: GicV2State, group: number): Pick<Write, 'secure' | 'nonSecureOnly'> {
  if (isSecure(gic, group)) return { secure: true }
  return gic.config.security ? { secure: false, nonSecureOnly: true } : { secure: false }
}

/** A bit of a one-bit bank: `ISENABLER` at 0x100, say. */
export function setBit(gic: GicV2State, bank: string, base: number, intid: number, group: number, cpu: number): Write {
  const n = intid >>> 5
  const action = write('GICD', `GICD_${bank}${n}`, base + n * 4, 1 << (intid & 31), cpu)
  return { ...action, secure: isSecure(gic, group) }
}

/** GICD_IGROUPR with the interrupt's bit set: Secure software's, where there are two Security states. */
export function moveToGroup1(gic: GicV2State, intid: number, cpu: number): Write {
  const n = intid >>> 5
  const value = gic.irqs.group[gic.irqs.wordOf(intid, cpu)]! | (1 << (intid & 31))
  return { ...write('GICD', `GICD_IGROUPR${n}`, 0x80 + n * 4, value, cpu), secure: gic.config.security }
}

/** A byte of a bank of bytes: `IPRIORITYR` at 0x400, say. */
export function setByte(
  gic: GicV2State,
  bank: string,
  base: number,
  intid: number,
  value: number,
  group: number,
  cpu: number,
): Write {
  const action = write('GICD', `GICD_${bank}${intid >>> 2}`, base + intid, value, cpu)
  return { ...action, size: 1, secure: isSecure(gic, group) }
}

export function enableInDistributor(gic: GicV2State, group: number, cpu: number): Write {
  const by = { cpu, secure: isSecure(gic, group), bigEndian: false }
  const shifted = gic.config.security && !by.secure
  const value = readDistributorControl(gic, 0, by) | (1 << (shifted ? 0 : group))
  return { ...write('GICD', 'GICD_CTLR', 0, value, cpu), ...viewOf(gic, group), field: `EnableGrp${group}` }
}

export function enableInInterface(gic: GicV2State, group: number, cpu: CpuInterface): Write {
  const by = { cpu: cpu.cpu, secure: isSecure(gic, group), bigEndian: false }
  const shifted = gic.config.security && !by.secure
  const value = readControl(gic, cpu, by) | (1 << (shifted ? 0 : group))
  return { ...write('GICC', 'GICC_CTLR', 0, value, cpu.cpu), ...viewOf(gic, group), field: `EnableGrp${group}` }
}

/** A mask in the Secure half of the priorities is not Non-secure software's to change (IHI 0048 3.8.1). */
export function openMask(gic: GicV2State, group: number, cpu: CpuInterface): Write {
  const secure = isSecure(gic, group) || (gic.config.security && cpu.pmr < 0x80)
  return { ...write('GICC', 'GICC_PMR', 4, 0xff, cpu.cpu), secure }
}

/** A CPU's own SGI, of the group that it is in there. */
export function sendToSelf(gic: GicV2State, sgi: number, group: number, cpu: number): Write {
  const FILTER_SELF = 2 << 24
  return { ...write('GICD', 'GICD_SGIR', 0xf00, FILTER_SELF | sgi, cpu), ...viewOf(gic, group) }
}

/** Whether deactivation is apart from the priority drop in the Security state that ends this group. */
export function isSplitFor(gic: GicV2State, cpu: CpuInterface, group: number): boolean {
  return (cpu.ctlr & (gic.config.security && group === 1 ? Ctlr.EOImodeNS : Ctlr.EOImodeS)) !== 0
}

/** What software writes to end an interrupt: with its source, if it is an SGI. */
function endValue(gic: GicV2State, intid: number, cpu: number): number {
  return intid < 16 ? intid | (gic.irqs.activeSource[cpu * 16 + intid]! << 10) : intid
}

export function drop(gic: GicV2State, intid: number, group: number, cpu: number): Write {
  return { ...write('GICC', 'GICC_EOIR', 0x10, endValue(gic, intid, cpu), cpu), ...viewOf(gic, group) }
}

export function deactivate(gic: GicV2State, intid: number, group: number, cpu: number): Write {
  return { ...write('GICC', 'GICC_DIR', 0x1000, endValue(gic, intid, cpu), cpu), secure: isSecure(gic, group) }
}

/**
 * Ends what runs on a CPU, from the best priority down to the last of `running`. A priority that no interrupt accounts for
 * can only be taken out of the register that holds it.
 */
export function endAll(gic: GicV2State, cpu: CpuInterface, running: readonly Running[]): RemedyAction[] {
  const left = { apr: Int32Array.from(cpu.apr), nsapr: Int32Array.from(cpu.nsapr) }
  return running.flatMap(({ intid, group, level }): RemedyAction[] => {
    const registers = group === 1 ? left.nsapr : left.apr
    registers[level >>> 5]! &= ~(1 << (level & 31))
    if (intid !== undefined) {
      const ended = drop(gic, intid, group, cpu.cpu)
      const active = (gic.irqs.active[gic.irqs.wordOf(intid, cpu.cpu)]! >>> (intid & 31)) & 1
      return active && isSplitFor(gic, cpu, group) ? [ended, deactivate(gic, intid, group, cpu.cpu)] : [ended]
    }
    const n = level >>> 5
    const [register, offset] = group === 1 ? [`GICC_NSAPR${n}`, 0xe0 + n * 4] : [`GICC_APR${n}`, 0xd0 + n * 4]
    return [{ ...write('GICC', register, offset, registers[n]!, cpu.cpu), secure: gic.config.security }]
  })
}
