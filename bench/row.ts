/** A line of the benchmark's result, and how a timing becomes one. */

import type { Loop, Timing } from './measure.ts'
import { measure } from './measure.ts'

export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same quantity of what the value is held against, measured in the same rounds; null where there is none. */
  readonly baseline: number | null
  /** value / baseline: the median of the rounds' ratios, so not exactly that of the two medians. */
  readonly ratio: number | null
  /** The most that the ratio may be; null where nothing is promised. */
  readonly limit: number | null
}

export interface Subject {
  readonly name: string
  readonly loop: Loop
  readonly limit: number | null
}

/** One section of the report: a title, what the baseline is, and its rows. */
export interface Section {
  readonly title: string
  readonly baseline: string
  readonly rows: readonly Row[]
}

/** Times the subjects together with their baseline; a row for each subject. */
export function against(baseline: Loop, subjects: readonly Subject[], operations = 1): Row[] {
  const [base, ...timings] = measure([baseline, ...subjects.map(({ loop }) => loop)]) as [Timing, ...Timing[]]
  return subjects.map(({ name, limit }, i) => {
    const { ns, ratio } = timings[i]!
    return { name, value: ns * operations, unit: 'ns', baseline: base.ns * operations, ratio, limit }
  })
}

/** Times one pair: what should not cost more, and what it is held against. */
export function pair(name: string, baseline: Loop, loop: Loop, limit: number | null): Row[] {
  return against(baseline, [{ name, loop, limit }])
}

export function isOver({ ratio, limit }: Row): boolean {
  return ratio !== null && limit !== null && ratio > limit
}
