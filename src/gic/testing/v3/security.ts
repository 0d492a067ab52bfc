/**
 * Who may see and do what: the rules of IHI 0069 on Security states as tables, one a rule, written from the register descriptions'
 * pseudocode and from nothing of ours. They are facts about a place of execution and a group; nothing here changes a GIC.
 *
 * SCR_EL3.NS chooses banks, at EL3 too, and DS changes nothing in that. Otherwise software at EL3 is Secure, whatever NS is.
 */

import type { IntGroup, Irq, OracleState, Pe } from './state.ts'

/** As whom software at a place speaks: at EL3, in a Security state below it, or on a GIC whose PEs have no EL3. */
type Speaker = 'el3' | 'secure' | 'nonSecure' | 'only'
type BySpeaker<T> = Readonly<Record<Speaker, T>>
/** With GICD_CTLR.DS 0 and 1. With 1 there is no Secure Group 1, and `only` is always so. */
type Rule<T> = Readonly<{ two: BySpeaker<T>; one: BySpeaker<T> }>

const speakerOf = ({ config }: OracleState, pe: Pe): Speaker => {
  if (!config.security) return 'only'
  if (pe.el === 3) return 'el3'
  return pe.secure ? 'secure' : 'nonSecure'
}
const decide = <T>(rule: Rule<T>, gic: OracleState, pe: Pe): T =>
  rule[gic.twoStates ? 'two' : 'one'][speakerOf(gic, pe)]
const alike = <T>(value: T): BySpeaker<T> => ({ el3: value, secure: value, nonSecure: value, only: value })

/** Whether the access counts as Secure: at EL3 always. */
export const isSecureAccess = (gic: OracleState, pe: Pe): boolean => gic.config.security && (pe.el === 3 || pe.secure)

/** Which of two banked registers: that of SCR_EL3.NS (ICC_BPR1_EL1 and others, `if SCR_EL3.NS == '0'`). */
export const bankOf = ({ config }: OracleState, pe: Pe): 'G1S' | 'G1NS' =>
  config.security && pe.secure ? 'G1S' : 'G1NS'

// ---- which register can be reached ----

type Trap = 'FIQ' | 'IRQ' | 'both'
const traps: readonly [names: RegExp, trap: Trap][] = [
  [/^ICC_(IAR0|EOIR0|HPPIR0|BPR0|AP0R\d|IGRPEN0)_EL1$/, 'FIQ'],
  [/^ICC_((NM)?IAR1|EOIR1|HPPIR1|BPR1|AP1R\d|IGRPEN1)_EL1$/, 'IRQ'],
  [/^ICC_(PMR|RPR|CTLR|DIR|SGI0R|SGI1R|ASGI1R)_EL1$/, 'both'],
]

/** The access_permission pseudocode, for a PE that uses system registers at every level. */
export function access(gic: OracleState, pe: Pe, name: string): 'ok' | 'undefined' | 'trap' {
  const { config } = gic
  const { el, scrFiq, scrIrq } = pe
  if (el === 0) return 'undefined'
  if (name.endsWith('_EL3')) return config.security && el === 3 ? 'ok' : 'undefined'
  if (name.endsWith('_EL2')) {
    // EL2Enabled() at EL3: SCR_EL3.NS 1, as there is no Secure EL2.
    const enabled = config.el2 && !(config.security && pe.secure)
    return enabled && el >= 2 ? 'ok' : 'undefined'
  }
  const [, number = '0'] = /AP[01]R(\d)/.exec(name) ?? []
  if (Number(number) * 32 >= 2 ** Math.min(7, config.priorityBits) && number !== '0') return 'undefined'
  if (name === 'ICC_NMIAR1_EL1' && !(config.nmi && pe.sctlrNmi)) return 'undefined'
  if (!config.security || el === 3) return 'ok'
  const trap = traps.find(([names]) => names.test(name))?.[1]
  const trapped = (trap === 'FIQ' && scrFiq) || (trap === 'IRQ' && scrIrq) || (trap === 'both' && scrFiq && scrIrq)
  return trapped ? 'trap' : 'ok'
}

// ---- signals ----

type Signal = 'fiq' | 'irq'
const signals: Rule<Readonly<Record<IntGroup, Signal>>> = {
  two: {
    el3: { G0: 'fiq', G1S: 'fiq', G1NS: 'fiq' },
    secure: { G0: 'fiq', G1S: 'irq', G1NS: 'fiq' },
    nonSecure: { G0: 'fiq', G1S: 'fiq', G1NS: 'irq' },
    only: { G0: 'fiq', G1S: 'irq', G1NS: 'irq' },
  },
  one: alike({ G0: 'fiq', G1S: 'irq', G1NS: 'irq' }),
}
/** Interrupt assignment to IRQ and FIQ signals. */
export const signalOf = (gic: OracleState, pe: Pe, group: IntGroup): Signal => decide(signals, gic, pe)[group]

// ---- acknowledging ----

type Shown = 'intid' | 1020 | 1021 | 1023
type Columns = Readonly<Record<IntGroup, readonly [iar0: Shown, iar1: Shown]>>
const nothing = [1023, 1023] as const
const shown: Rule<Columns> = {
  two: {
    el3: { G0: ['intid', 1023], G1S: [1020, 'intid'], G1NS: [1021, 'intid'] },
    secure: { G0: ['intid', 1023], G1S: [1023, 'intid'], G1NS: nothing },
    nonSecure: { G0: nothing, G1S: nothing, G1NS: [1023, 'intid'] },
    only: { G0: ['intid', 1023], G1S: nothing, G1NS: [1023, 'intid'] },
  },
  one: {
    el3: { G0: ['intid', 1023], G1S: nothing, G1NS: [1021, 'intid'] },
    // What Secure EL1 is to the one Group 1 is not said; taken as software of the one Security state.
    secure: { G0: ['intid', 1023], G1S: nothing, G1NS: [1023, 'intid'] },
    nonSecure: { G0: ['intid', 1023], G1S: nothing, G1NS: [1023, 'intid'] },
    only: { G0: ['intid', 1023], G1S: nothing, G1NS: [1023, 'intid'] },
  },
}
/** What ICC_IAR0 and ICC_HPPIR0 (0), or ICC_IAR1 and ICC_HPPIR1 (1), show of a pending interrupt ('Special INTIDs'). */
export function shows(gic: OracleState, pe: Pe, of: 0 | 1, group: IntGroup, intid: number): number {
  const what = decide(shown, gic, pe)[group][of]
  return what === 'intid' ? intid : what
}

// ---- ending ----

const every: readonly IntGroup[] = ['G0', 'G1S', 'G1NS']
const ends: Rule<readonly IntGroup[]> = {
  two: { el3: every, secure: ['G0', 'G1S'], nonSecure: ['G1NS'], only: every },
  one: alike(every),
}
/** Whether the priority of a running interrupt may be dropped from here: by whom it could be acknowledged. */
export const mayEnd = (gic: OracleState, pe: Pe, group: IntGroup): boolean => decide(ends, gic, pe).includes(group)

const deactivates: Rule<readonly IntGroup[]> = {
  two: { el3: every, secure: every, nonSecure: ['G1NS'], only: every },
  one: alike(every),
}
/** Whether an interrupt may be deactivated from here at all: Non-secure software reaches no Secure one. */
export const mayDeactivate = (gic: OracleState, pe: Pe, group: IntGroup): boolean =>
  decide(deactivates, gic, pe).includes(group)

/** Whether a group is EL3's to handle: ICC_DIR_EL1 from below leaves such an interrupt alone. */
export const isRoutedToEl3 = ({ config }: OracleState, pe: Pe, group: IntGroup): boolean =>
  config.security && pe.el !== 3 && (group === 'G0' ? pe.scrFiq : pe.scrIrq)

/** EOImode "for the current Exception level and Security state" (ICC_EOIR1_EL1). */
export function isSplit(gic: OracleState, pe: Pe): boolean {
  const speaker = speakerOf(gic, pe)
  if (speaker === 'el3') return pe.eoiModeEl3
  return pe.eoiMode[speaker === 'secure' ? 0 : 1]
}

// ---- SGIs ----

type Sender = 'ICC_SGI0R_EL1' | 'ICC_SGI1R_EL1' | 'ICC_ASGI1R_EL1'
/** The least GICR_NSACR that lets an SGI of a group through; a group that is not there is not reached. */
type Reached = Readonly<Record<Sender, Readonly<Partial<Record<IntGroup, 0 | 1 | 2>>>>>
const bySecure: Reached = {
  ICC_SGI0R_EL1: { G0: 0 },
  ICC_SGI1R_EL1: { G1S: 0 },
  ICC_ASGI1R_EL1: { G1NS: 0 },
}
const byNonSecure: Reached = {
  ICC_SGI0R_EL1: { G0: 1 },
  ICC_SGI1R_EL1: { G0: 1, G1S: 2, G1NS: 0 },
  ICC_ASGI1R_EL1: { G0: 1, G1S: 2 },
}
/** Secure Group 1 is Group 0 to the Distributor, and GICR_NSACR is RES0. */
const bySecureOfOne: Reached = { ...bySecure, ICC_SGI1R_EL1: { G0: 0 } }
const byOther: Reached = {
  ICC_SGI0R_EL1: { G0: 0 },
  ICC_SGI1R_EL1: { G0: 0, G1NS: 0 },
  ICC_ASGI1R_EL1: { G0: 0 },
}
const sgis: Rule<Reached> = {
  two: { el3: bySecure, secure: bySecure, nonSecure: byNonSecure, only: byOther },
  one: { el3: bySecureOfOne, secure: bySecureOfOne, nonSecure: byOther, only: byOther },
}
/** Use of control registers for SGI forwarding. */
export function forwards(gic: OracleState, sender: Pe, register: string, irq: Irq): boolean {
  const least = decide(sgis, gic, sender)[register as Sender][gic.groupOf(irq)]
  return least !== undefined && irq.nsAccess >= least
}

// ---- priorities ----

/** Non-secure software that cannot reach Group 0 has the lower half of the priorities as its whole range. */
export const isShifted = (gic: OracleState, pe: Pe): boolean =>
  gic.twoStates && speakerOf(gic, pe) === 'nonSecure' && pe.scrFiq

/** A priority in that view; the idle priority is what it is. */
export const nonSecureView = (priority: number): number => (priority < 0x80 ? 0 : (priority * 2) & 0xff)

/** Whether Non-secure software sees and sets an active priority: the contents are IMPLEMENTATION DEFINED, and the Secure half is not its. */
export function reachesLevel(gic: OracleState, pe: Pe, group: IntGroup, level: number): boolean {
  const confined = gic.twoStates && speakerOf(gic, pe) === 'nonSecure' && group !== 'G0'
  return !confined || level >= 2 ** Math.min(7, gic.config.priorityBits) / 2
}

// ---- memory ----

/** Whether an access to memory reaches an interrupt's field, which GICD_NSACR may grant from a level on (0: never). */
export function reachesField(gic: OracleState, irq: Irq, secure: boolean, level: 0 | 1 | 2 | 3): boolean {
  if (!gic.twoStates || secure || gic.groupOf(irq) === 'G1NS') return true
  // GICR_NSACR grants SGIs, and no register.
  return irq.owner === undefined && level > 0 && irq.nsAccess >= level
}
