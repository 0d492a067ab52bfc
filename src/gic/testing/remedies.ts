/**
 * Carries out what `explain` says: one remedy of a closed gate after the other, in any order, until the interrupt is
 * signalled. It acts by the public API alone, and says where a remedy did not do what it promised.
 */

import type { Explanation, GateReport, GicEvent, RemedyAction } from '../index.ts'
import type { Random } from './random.ts'

/** A GIC that is to be mended. */
export interface Patient {
  explain(intid: number, cpu: number): Explanation
  /** Every action but a wait. */
  do(action: RemedyAction): void
  /** Acknowledges what the CPU is signalled, quietens its source, and returns its INTID; the end is the remedy of 'not active'. */
  acknowledge(cpu: number): number
  listen(listener: (event: GicEvent) => void): () => void
}

/** Misuse that no advice may lead to. */
const forbidden = new Set([
  'eoi-without-acknowledge',
  'eoi-hidden-group',
  'eoi-invalid-intid',
  'deactivate-without-split',
  'deactivate-not-active',
  'deactivate-hidden-group',
  'sgi-no-target',
  'reserved-register',
  'bad-access',
])

/** Rounds in which everything that is ahead of an interrupt must have been taken. */
const MOST_ROUNDS = 400

export class Mender {
  /** How many remedies of each gate were carried out. */
  readonly done = new Map<string, number>()
  readonly #patient: Patient
  readonly #random: Random

  constructor(patient: Patient, random: Random) {
    this.#patient = patient
    this.#random = random
  }

  /** Does what it is told until the interrupt is signalled; undefined then, and otherwise what went wrong. */
  mend(intid: number, cpu: number, depth = 0): string | undefined {
    const misuse: string[] = []
    const stop = this.#patient.listen((event) => {
      if (event.kind === 'misuse' && forbidden.has(event.code)) misuse.push(event.message)
    })
    try {
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const explanation = this.#patient.explain(intid, cpu)
        if (explanation.deliverable) return undefined
        const gate = this.#random.pick([...explanation.mend])
        const problem = this.#follow(gate, intid, cpu, depth) ?? misuse[0]
        if (problem !== undefined) return `${gate.gate}: ${gate.says} ${gate.remedy} ${problem}`
      }
      return `still ${this.#patient.explain(intid, cpu).summary}`
    } finally {
      stop()
    }
  }

  #follow(gate: GateReport, intid: number, cpu: number, depth: number): string | undefined {
    if (gate.actions.length === 0) return '(nothing to do)'
    this.done.set(gate.gate, (this.done.get(gate.gate) ?? 0) + 1)
    for (const action of gate.actions) {
      if (action.do !== 'wait') this.#patient.do(action)
      else {
        const problem = this.#handle(action.intid, action.cpu, depth)
        if (problem !== undefined) return problem
      }
    }
    if (gate.cause === 'turn') return undefined
    const again = this.#patient.explain(intid, cpu).gates.find((each) => each.gate === gate.gate)!
    return again.state === 'closed' ? `did not help: ${again.says}` : undefined
  }

  /** Another interrupt has its turn: it is signalled, taken and ended. */
  #handle(intid: number, cpu: number, depth: number): string | undefined {
    if (depth > 3) return 'too deep'
    const problem = this.mend(intid, cpu, depth + 1)
    if (problem !== undefined) return `[${intid}: ${problem}]`
    const taken = this.#patient.acknowledge(cpu)
    if (taken !== intid) return `INTID ${intid} was to be taken on CPU ${cpu}, and ${taken} was`
    const active = this.#patient.explain(intid, cpu).gates.find((each) => each.gate === 'not active')
    return active?.state === 'closed' ? this.#follow(active, intid, cpu, depth) : undefined
  }
}
