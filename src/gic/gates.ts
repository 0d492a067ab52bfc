/**
 * The gates between a wire and a PE, in their order. Delivery and explanation use the same ones: `interrupts.ts` takes the
 * word of the three that are bitmaps, a GIC version's own gates decide for one interrupt, and `explain` asks every gate in
 * turn. A gate knows what closes it, by register and field, and what would open it.
 */

import type { Remedy, RemedyAction } from './remedy.ts'

/**
 * What kind of cause a closed gate is, in the order in which a person mends them: an interrupt that is not there; how software
 * has set things up; what a handler has not done; a source that is quiet; a turn that has not come.
 */
export const causes = ['absent', 'configuration', 'handling', 'source', 'turn'] as const
/** What closes a gate: configuration, which a person should mend first, or that there is nothing to report yet. */
export type Cause = (typeof causes)[number]

/** A gate for one interrupt on one PE, which a GIC version describes as `S`; and what it says there. */
export interface Gate<S> {
  readonly name: string
  readonly cause: Cause
  /** The gates without which this one is not decided. */
  needs?(subject: S): readonly string[]
  open(subject: S): boolean
  report(subject: S, open: boolean): { register: string; field: string; value: number; says: string }
  /** Asked of a closed gate. */
  remedy(subject: S): Remedy
}

/** Asks the gates in their order. */
export function askGates<S>(gates: readonly Gate<S>[], subject: S): GateReport[] {
  const open = new Map(gates.map((gate) => [gate.name, gate.open(subject)]))
  return gates.map((gate) => {
    const waitsFor = (gate.needs?.(subject) ?? []).filter((name) => open.get(name) === false)
    const state = waitsFor.length > 0 ? 'depends' : open.get(gate.name) ? 'open' : 'closed'
    const report = gate.report(subject, state === 'open')
    const says = state === 'depends' ? `not decided before these are open: ${waitsFor.join(', ')}.` : report.says
    const { text, actions } = state === 'closed' ? gate.remedy(subject) : nothing
    const { name, cause } = gate
    return { gate: name, open: state === 'open', state, waitsFor, cause, ...report, says, remedy: text, actions }
  })
}

const nothing = { text: undefined, actions: [] }

/** The bitmaps that gates look at. */
interface Bitmaps {
  readonly enabled: Int32Array
  readonly latch: Int32Array
  readonly line: Int32Array
  readonly message: Int32Array
  readonly active: Int32Array
  readonly edge: Int32Array
}

/** What a gate says of one interrupt on one PE. */
export interface GateReport {
  /** Name of the gate, the same for every interrupt. */
  readonly gate: string
  /** It lets the interrupt pass. */
  readonly open: boolean
  /** A gate that is not open is closed, or cannot be decided before others are open: it `depends` on those in `waitsFor`. */
  readonly state: 'open' | 'closed' | 'depends'
  /** Gates that have to be open before this one can be decided. */
  readonly waitsFor: readonly string[]
  /** What it is that closes this gate, when it is closed. */
  readonly cause: Cause
  /** The register and field that decide, as software would name them: `GICD_ISENABLER1`, `Set_enable_bit[5]`. */
  readonly register: string
  /** The field that decides. */
  readonly field: string
  /** The field's value now. */
  readonly value: number
  /** One sentence on the state of the gate. */
  readonly says: string
  /** For a closed gate: what opens it, in words, and as things to do; none where no software and no device can do it. */
  readonly remedy: string | undefined
  /** What opens it, as things to do. */
  readonly actions: readonly RemedyAction[]
}

/** A gate over the bitmaps: open for the interrupts whose bit is 1. */
export interface BankGate {
  readonly name: string
  word(irqs: Bitmaps, word: number): number
}

/** Pending: latched, or level-sensitive and asserted, by its wire or by a message (IHI 0048 4.3.7, IHI 0069 12.9). */
export const pendingGate: BankGate = {
  name: 'pending',
  word: (irqs, word) => irqs.latch[word]! | ((irqs.line[word]! | irqs.message[word]!) & ~irqs.edge[word]!),
}

/** Enabled in the Distributor (GICD_ISENABLER). */
export const enabledGate: BankGate = {
  name: 'enabled',
  word: (irqs, word) => irqs.enabled[word]!,
}

/** Not active: an active interrupt is not given again before it is deactivated. */
export const activeGate: BankGate = {
  name: 'not active',
  word: (irqs, word) => ~irqs.active[word]!,
}
