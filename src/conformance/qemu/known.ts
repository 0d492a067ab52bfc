/**
 * Tells whether a vector that QEMU fails does so because of a listed deviation: a step by then that the deviation forbids to
 * random tests, or two answers that it allows. Has no list of vectors, so that a new one needs no entry.
 */

import { Gicv2View } from '../fuzz/gicv2-view.ts'
import type { Result, Step, TargetConfig } from '../target.ts'
import { GICV2_DEVIATIONS } from './deviations.ts'

export interface Asked {
  step: Step
  /** What the specification says, in the bits of `mask`. */
  expect?: { value: number; mask: number }
}

/**
 * The deviations that account for QEMU's answers to a vector from a cold reset; empty when some answer is wrong that none
 * accounts for, or when none is wrong. A deviation that changed the state accounts for all answers after it.
 */
export function accountFor(config: TargetConfig, asked: readonly Asked[], answers: readonly Result[]): string[] {
  const view = new Gicv2View(config)
  const changed = new Set<string>()
  const blamed = new Set<string>()
  for (const [n, { step, expect }] of asked.entries()) {
    for (const { id, breaks } of GICV2_DEVIATIONS) if (breaks?.(step, view) === true) changed.add(id)
    view.issued(step)
    const answer = answers[n] ?? { status: 'abort', value: 0n }
    const right =
      answer.status === 'ok' &&
      (expect === undefined || (Number(answer.value & BigInt(expect.mask)) ^ (expect.value & expect.mask)) >>> 0 === 0)
    if (!right) {
      const other: Result = { status: 'ok', value: BigInt(((expect?.value ?? 0) & (expect?.mask ?? 0)) >>> 0) }
      const allowed = GICV2_DEVIATIONS.filter(({ allows }) => allows?.(step, answer, other, view) === true)
      for (const { id } of allowed) blamed.add(id)
      if (allowed.length === 0) {
        if (changed.size === 0) return []
        for (const id of changed) blamed.add(id)
      }
    }
    view.answered(step, answer)
  }
  return [...blamed].sort()
}
