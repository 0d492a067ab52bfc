/**
 * Puts the same steps to two targets and finds the first answer that differs without leave. Which differences have
 * leave, and which steps make no sense to compare at all, is given by rules and allowances; it has no opinion itself.
 */

import type { GicTarget, Result, Step } from '../target.ts'

/** What can be known of a target from the steps put to it and its answers; kept by a generator of steps, for rules. */
export interface View {
  /** The step is about to be put to the targets. */
  issued(step: Step): void
  /** Its answer is known. Answers come in the order of the steps. */
  answered(step: Step, result: Result): void
}

/** Keeps random steps out of what cannot be compared. */
export interface Rule<V extends View> {
  id: string
  /** Why such a step has no one right answer. */
  clause: string
  /** Whether the step, put to a GIC in the state of `view`, breaks the rule. */
  breaks(step: Step, view: V): boolean
}

/** A known difference of the reference target: recognised by the two answers to one step. */
export interface Allowance<V extends View> {
  id: string
  allows(step: Step, reference: Result, subject: Result, view: V): boolean
}

export interface Difference {
  /** Which of the steps. */
  index: number
  step: Step
  reference: Result
  subject: Result
}

export const same = (a: Result, b: Result): boolean => a.status === b.status && a.value === b.value

/**
 * The first difference that no allowance covers. `view` is as it was before the steps, and is told of each step and answer
 * in turn; `allowed` of each allowance used.
 */
export function firstDifference<V extends View>(
  steps: readonly Step[],
  reference: readonly Result[],
  subject: readonly Result[],
  view: V,
  allowances: readonly Allowance<V>[],
  allowed?: (id: string) => void,
): Difference | undefined {
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index]!
    const one = reference[index]!
    const other = subject[index]!
    view.issued(step)
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
export async function differOn<V extends View>(
  steps: readonly Step[],
  reference: GicTarget,
  subject: GicTarget,
  view: V,
  rules: readonly Rule<V>[],
  allowances: readonly Allowance<V>[],
): Promise<Difference | undefined> {
  await Promise.all([reference.reset(), subject.reset()])
  const [one, other] = await Promise.all([reference.run(steps), subject.run(steps)])
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index]!
    if (rules.some((rule) => rule.breaks(step, view))) return undefined
    const found = firstDifference([step], [one[index]!], [other[index]!], view, allowances)
    if (found !== undefined) return { ...found, index }
  }
  return undefined
}
