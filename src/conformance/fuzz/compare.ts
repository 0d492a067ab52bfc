/**
 * Puts the same steps to two targets and finds the first answer that differs without leave. Which differences have
 * leave, and which steps make no sense to compare at all, is given by rules and allowances; it has no opinion itself.
 */

import type { GicTarget, Result, Step } from '../target.ts'
import { Gicv2View } from './gicv2-view.ts'
import type { Rule } from './rules.ts'

/** A known difference of the reference target: recognised by the two answers to one step. */
export interface Allowance {
  id: string
  allows(step: Step, reference: Result, subject: Result, view: Gicv2View): boolean
}

export interface Difference {
  /** Which of the steps. */
  index: number
  step: Step
  reference: Result
  subject: Result
}

export const same = (a: Result, b: Result): boolean => a.status === b.status && a.value === b.value

/** The first difference that no allowance covers. Tells `view` of each answer, and `allowed` of each allowance used. */
export function firstDifference(
  steps: readonly Step[],
  reference: readonly Result[],
  subject: readonly Result[],
  view: Gicv2View,
  allowances: readonly Allowance[],
  allowed?: (id: string) => void,
): Difference | undefined {
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index]!
    const one = reference[index]!
    const other = subject[index]!
    if (!same(one, other)) {
      const allowance = allowances.find((candidate) => candidate.allows(step, one, other, view))
      if (allowance === undefined) return { index, step, reference: one, subject: other }
      allowed?.(allowance.id)
    }
    view.answered(step, one)
  }
  return undefined
}

/**
 * Resets both targets, puts all steps to them, and says where they first differ; undefined when they agree, or when the
 * steps break a rule before they differ, for then the difference would tell nothing.
 */
export async function differOn(
  steps: readonly Step[],
  reference: GicTarget,
  subject: GicTarget,
  rules: readonly Rule[],
  allowances: readonly Allowance[],
): Promise<Difference | undefined> {
  await Promise.all([reference.reset(), subject.reset()])
  const [one, other] = await Promise.all([reference.run(steps), subject.run(steps)])
  const view = new Gicv2View(reference.config)
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index]!
    if (rules.some((rule) => rule.breaks(step, view))) return undefined
    view.issued(step)
    const found = firstDifference([step], [one[index]!], [other[index]!], view, allowances)
    if (found !== undefined) return { ...found, index }
  }
  return undefined
}
