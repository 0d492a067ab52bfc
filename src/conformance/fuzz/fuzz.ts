/**
 * The fuzzer: cases of random steps, each from a cold reset, put to two targets in step with one another. A difference
 * is shrunk and returned. Everything follows from the seed. Says nothing of who is right.
 */

import type { GicTarget, Result, Step, TargetConfig } from '../target.ts'
import { type Allowance, type Difference, differOn, firstDifference, type Rule, type View } from './compare.ts'
import { traceLine } from './format.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'

/** Where random steps come from: `gicv2-steps.ts` and its like. */
export interface StepSource<V extends View> {
  readonly view: V
  /** The next steps, all of them within the rules; `view` has been told that they are issued. */
  batch(count: number): Step[]
  /** `view` has been told the answers. */
  learned(): void
}

export interface FuzzOptions<V extends View> {
  config: TargetConfig
  seed: number
  /** Steps in all, and steps after which both are reset and begin anew. */
  steps: number
  caseSteps?: number
  source: (random: Random) => StepSource<V>
  /** A view of targets that have just been reset. */
  view: () => V
  rules: readonly Rule<V>[]
  allowances: readonly Allowance<V>[]
  /** Both are started by these, and started anew if they are lost. */
  reference: () => Promise<GicTarget>
  subject: () => Promise<GicTarget>
  /** How often a failing sequence is tried in a smaller form; a few thousand times unless given. */
  trials?: number
  /** Called now and then with the steps done so far. */
  progress?: (steps: number) => void
}

export interface Failure {
  /** Which case of the run; with the seed it makes the sequence again. */
  caseNumber: number
  /** Shrunk. */
  steps: readonly Step[]
  /** What the reference answered to each of them, when it lived to. */
  answers: readonly Result[]
  /** Undefined when a target was lost. */
  difference: Difference | undefined
  message: string
}

export interface FuzzReport {
  steps: number
  cases: number
  /** How often each allowance was made use of. */
  allowed: ReadonlyMap<string, number>
  failure: Failure | undefined
}

const BATCH = 64

type Starts = Pick<FuzzOptions<View>, 'reference' | 'subject'>

/** The two targets, which a test may lose and start anew. */
class Pair {
  readonly #options: Starts
  #targets: [GicTarget, GicTarget] | undefined
  constructor(options: Starts) {
    this.#options = options
  }
  async get(): Promise<[GicTarget, GicTarget]> {
    if (this.#targets === undefined) {
      const reference = await this.#options.reference()
      try {
        this.#targets = [reference, await this.#options.subject()]
      } catch (error) {
        await reference.close()
        throw error
      }
    }
    return this.#targets
  }
  async drop(): Promise<void> {
    const targets = this.#targets
    this.#targets = undefined
    for (const target of targets ?? []) await target.close()
  }
}

export async function fuzz<V extends View>(options: FuzzOptions<V>): Promise<FuzzReport> {
  const pair = new Pair(options)
  const allowed = new Map<string, number>()
  const caseSteps = options.caseSteps ?? 3000
  let done = 0
  let cases = 0
  try {
    while (done < options.steps) {
      const target = Math.min(caseSteps, options.steps - done)
      const found = await runCase(options, pair, cases, target, allowed)
      done += found.steps
      cases++
      options.progress?.(done)
      if (found.failure !== undefined) return { steps: done, cases, allowed, failure: found.failure }
    }
    return { steps: done, cases, allowed, failure: undefined }
  } finally {
    await pair.drop()
  }
}

async function runCase<V extends View>(
  options: FuzzOptions<V>,
  pair: Pair,
  caseNumber: number,
  length: number,
  allowed: Map<string, number>,
): Promise<{ steps: number; failure?: Failure }> {
  const [reference, subject] = await pair.get()
  const generator = options.source(new Random(options.seed, caseNumber))
  // The generator's view is ahead by a batch; an answer is judged by what had been done when it was given.
  const judge = options.view()
  const all: Step[] = []
  let lost: Error | undefined
  try {
    await Promise.all([reference.reset(), subject.reset()])
    while (all.length < length) {
      const steps = generator.batch(Math.min(BATCH, length - all.length))
      all.push(...steps)
      const [one, other] = await Promise.all([reference.run(steps), subject.run(steps)])
      const note = (id: string): void => {
        allowed.set(id, (allowed.get(id) ?? 0) + 1)
      }
      const found = firstDifference(steps, one, other, judge, options.allowances, note)
      if (found !== undefined) {
        const upTo = all.slice(0, all.length - steps.length + found.index + 1)
        return { steps: all.length, failure: await explain(options, pair, caseNumber, upTo) }
      }
      steps.forEach((step, n) => {
        generator.view.answered(step, one[n]!)
      })
      generator.learned()
    }
    return { steps: all.length }
  } catch (error) {
    lost = error as Error
  }
  return { steps: all.length, failure: await explain(options, pair, caseNumber, all, lost) }
}

/** A write of less: of nothing, or with a byte, a nibble or a bit less. */
function simpler(step: Step): Step[] {
  if (step.op !== 'write' || step.size === 8) return []
  const value = Number(step.value)
  const masks = [
    0,
    0xff,
    0xff00,
    0xff0000,
    0xff000000,
    0xffff,
    0xffff0000,
    ...Array.from({ length: 32 }, (_, n) => ~(2 ** n)),
  ]
  const values = new Set(masks.map((mask) => (value & mask) >>> 0).filter((less) => less !== value))
  return [...values].map((less) => ({ ...step, value: less }))
}

/** Shrinks a sequence that fails, and gathers what there is to say about it. */
async function explain<V extends View>(
  options: FuzzOptions<V>,
  pair: Pair,
  caseNumber: number,
  steps: readonly Step[],
  lost?: Error,
): Promise<Failure> {
  const trial = async (candidate: readonly Step[]): Promise<number | undefined> => {
    try {
      const [reference, subject] = await pair.get()
      const found = await differOn(candidate, reference, subject, options.view(), options.rules, options.allowances)
      return lost === undefined && found !== undefined ? found.index + 1 : undefined
    } catch (error) {
      await pair.drop()
      return lost !== undefined && (error as Error).message === lost.message ? candidate.length : undefined
    }
  }
  if (lost !== undefined) await pair.drop()
  const small = await shrink(steps, trial, simpler, options.trials)
  if (lost !== undefined) return { caseNumber, steps: small, answers: [], difference: undefined, message: lost.message }
  const [reference, subject] = await pair.get()
  const difference = await differOn(small, reference, subject, options.view(), options.rules, options.allowances)
  await reference.reset()
  const answers = await reference.run(small)
  return { caseNumber, steps: small, answers, difference, message: tell(difference, reference.name, subject.name) }
}

function tell(difference: Difference | undefined, reference: string, subject: string): string {
  if (difference === undefined) return 'the difference did not show again: a target is not deterministic'
  const show = (result: Result): string => (result.status === 'ok' ? `0x${result.value.toString(16)}` : result.status)
  return `${reference} answers ${show(difference.reference)}, ${subject} ${show(difference.subject)}`
}

/** A failure as the lines of a trace, with the reference's answers. */
export function failureLines(failure: Failure): string[] {
  return [...failure.steps.map((step, n) => traceLine(step, failure.answers[n])), `# ${failure.message}`]
}
