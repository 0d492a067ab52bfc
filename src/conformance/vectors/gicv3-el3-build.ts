/**
 * The words of the vectors on where a PE executes: the four places, one or two Security states, and a GIC with everything
 * open. No vectors, and no expectations.
 */

import type { Execution, Status } from '../target.ts'
import type { VectorStep } from './build.ts'
import { S, sgiValue, where } from './gicv3-build.ts'

/** GICD_CTLR.DS: 0 leaves two Security states. */
export type Ds = 0 | 1

export interface Place {
  readonly name: string
  readonly el: 1 | 3
  readonly ns: boolean
}

const secureEl1: Place = { name: 'Secure EL1', el: 1, ns: false }
const nonSecureEl1: Place = { name: 'Non-secure EL1', el: 1, ns: true }
const el3: Place = { name: 'EL3 with SCR_EL3.NS 0', el: 3, ns: false }
const el3Ns: Place = { name: 'EL3 with SCR_EL3.NS 1', el: 3, ns: true }

export const places = { el3, el3Ns, secureEl1, nonSecureEl1 } as const
export const everywhere: readonly Place[] = Object.values(places)

interface Routing {
  readonly fiq?: boolean
  readonly irq?: boolean
}

const under = (place: Place, { fiq, irq }: Routing): Execution => ({
  el: place.el,
  ns: place.ns,
  ...(fiq ? { fiq } : {}),
  ...(irq ? { irq } : {}),
})
/** A PE at a place, under SCR_EL3.FIQ and SCR_EL3.IRQ, speaks. */
export const by = (place: Place, routed: Routing = {}) => where(under(place, routed))

/** SCR_EL3.{FIQ, IRQ}, as words and as bits. */
export const routings = [
  { name: 'SCR_EL3.{FIQ, IRQ} {0, 0}', fiq: false, irq: false },
  { name: 'SCR_EL3.{FIQ, IRQ} {1, 0}', fiq: true, irq: false },
  { name: 'SCR_EL3.{FIQ, IRQ} {0, 1}', fiq: false, irq: true },
  { name: 'SCR_EL3.{FIQ, IRQ} {1, 1}', fiq: true, irq: true },
] as const

export const states = (ds: Ds) => (ds === 1 ? 'DS 1' : 'DS 0')

export type Group = 'Group 0' | 'Secure Group 1' | 'Non-secure Group 1'
/** With DS 1 the one Group 1 is in the place of the Non-secure one. */
export const groupsOf = (ds: Ds): readonly Group[] =>
  ds === 1 ? ['Group 0', 'Non-secure Group 1'] : ['Group 0', 'Secure Group 1', 'Non-secure Group 1']
export const nameOf = (group: Group, ds: Ds) => (ds === 1 && group !== 'Group 0' ? 'Group 1' : group)

/** One Security state or two, and nothing else. */
export const withDs = (ds: Ds): VectorStep[] => (ds === 1 ? [S.d.write('CTLR', 0x40)] : [])

/** Everything forwarded, awake, unmasked and enabled on PE 0. */
export const openAt = (ds: Ds): VectorStep[] => [
  ...withDs(ds),
  S.d.write('CTLR', ds === 1 ? 0x43 : 7),
  S.r(0).write('WAKER', 0),
  by(el3).msr(0, 'PMR', 0xff),
  by(el3).msr(0, 'IGRPEN0', 1),
  by(el3).msr(0, 'IGRPEN1_EL3', 3),
]

const SGI = 8
/** SGI 8 of PE 0: its group, and a priority (0xa0). */
export const interrupt = (group: Group, priority = 0xa0): VectorStep[] => [
  S.r(0).write('IGROUPR', group === 'Non-secure Group 1' ? 1 << SGI : 0),
  // Before DS is set, or else RES0: a step of its own vector.
  ...(group === 'Secure Group 1' ? [S.r(0).write('IGRPMODR', 1 << SGI)] : []),
  S.r(0).write8('IPRIORITYR', SGI, priority),
  S.r(0).write('ISENABLER', 1 << SGI),
]
export const INTID = SGI
export const pend: VectorStep = S.r(0).write('ISPENDR', 1 << SGI)
export const isActive = (active: boolean): VectorStep =>
  S.r(0)
    .read('ISACTIVER')
    .is(active ? 1 << SGI : 0)
export const isPending = (pending: boolean): VectorStep =>
  S.r(0)
    .read('ISPENDR')
    .is(pending ? 1 << SGI : 0, 0xffff)
export const toItself = sgiValue(SGI, { list: 1 })

/** A step that comes to this. */
export const comesTo = ({ step }: VectorStep, status: Status): VectorStep => ({
  step,
  expect: { value: 0, mask: 0, status },
})
