/**
 * A situation in which an interrupt is not signalled, and what somebody who knows the architecture would name as its first cause:
 * the explanation is held to that, to changing nothing, and to remedies that work.
 */

import { expect } from 'vitest'
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
  /** No software and no device can mend it. */
  readonly hopeless?: true
}

export interface Built<R> {
  readonly rig: R
  readonly patient: Patient
  snapshot(): unknown
}

export function play<R>(
  build: () => Built<R>,
  { wrong, intid = 42, pe = 0, where, says, not, hopeless }: ExplainCase<R>,
) {
  const { rig, patient, snapshot } = build()
  wrong(rig)
  const before = JSON.stringify(snapshot())
  const explanation = patient.explain(intid, pe)
  expect(JSON.stringify(snapshot())).toBe(before)
  const { deliverable, summary, mend } = explanation
  expect(deliverable, summary).toBe(false)
  expect(`${mend[0]!.register}.${mend[0]!.field}`, summary).toBe(where)
  expect(summary).toMatch(says)
  if (not !== undefined) expect(summary).not.toMatch(not)
  expect(formatExplanation(explanation).slice(1).join('\n')).not.toMatch(/undefined|NaN|\[object/)
  if (hopeless) {
    expect(mend[0]!.actions).toEqual([])
    return
  }
  // Following only what stands first must do, and so must any other order.
  for (const random of [{ pick: <T>(list: readonly T[]) => list[0]! } as Random, new Random(1), new Random(2)]) {
    const again = build()
    wrong(again.rig)
    expect(new Mender(again.patient, random).mend(intid, pe)).toBeUndefined()
  }
}
