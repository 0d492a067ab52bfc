/**
 * A situation in which an interrupt is not signalled, and what somebody who knows the architecture would name as its first cause:
 * the explanation is held to that, to changing nothing, and to remedies that work.
 */

import { formatExplanation } from '../index.ts'
import { Random } from './random.ts'
import { Mender, type Patient } from './remedies.ts'

export interface ExplainCase<R> {
  /** What was forgotten or done wrong, with the clause. */
  readonly what: string
  /** Does it, to a GIC on which SPI 42 is signalled to PE 0. */
  readonly wrong: (rig: R) => void
  /** 42, unless said. */
  readonly intid?: number
  /** 0, unless said. */
  readonly pe?: number
  /** The register and field to mend first. */
  readonly where: string
  /** What the sentence must say of it. */
  readonly says: RegExp
  /** And must not, as it would be untrue, or of no use. */
  readonly not?: RegExp
  /** What must be said when the state was put back into another GIC. */
  readonly restore?: RegExp
  /** No software and no device can mend it. */
  readonly hopeless?: true
}

export interface Built<R> {
  readonly rig: R
  readonly patient: Patient
  snapshot(): unknown
  restore(snapshot: unknown): void
}

/** What is wrong with the explanation of this situation; undefined where nothing is. */
export function play<R>(build: () => Built<R>, it: ExplainCase<R>): string | undefined {
  const { wrong, intid = 42, pe = 0, where, says, not, restore, hopeless } = it
  const { rig, patient, snapshot } = build()
  wrong(rig)
  const before = JSON.stringify(snapshot())
  const explanation = patient.explain(intid, pe)
  if (JSON.stringify(snapshot()) !== before) return 'the question changed the state'
  const { deliverable, summary, mend } = explanation
  if (deliverable) return summary
  const first = mend[0]!
  if (`${first.register}.${first.field}` !== where)
    return `not at ${where}, but at ${first.register}.${first.field}: ${summary}`
  if (!says.test(summary)) return `${summary} lacks ${says}`
  if (not?.test(summary)) return `${summary} has ${not}`
  const garbled = formatExplanation(explanation).find((line) => /undefined|NaN|\[object/.test(line))
  if (garbled !== undefined) return garbled
  if (hopeless) return first.actions.length === 0 ? undefined : 'there is nothing to do'
  if (restore !== undefined) {
    const other = build()
    other.restore(snapshot())
    const restored = other.patient.explain(intid, pe).summary
    if (!restore.test(restored)) return `restored: ${restored} lacks ${restore}`
  }
  // Following only what stands first must do, and so must any other order.
  for (const random of [{ pick: <T>(list: readonly T[]) => list[0]! } as Random, new Random(1), new Random(2)]) {
    const again = build()
    wrong(again.rig)
    const problem = new Mender(again.patient, random).mend(intid, pe)
    if (problem !== undefined) return problem
  }
  return undefined
}
