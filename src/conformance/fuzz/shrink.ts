/**
 * Makes a failing sequence of steps small: leaves out ever smaller runs of steps for as long as the rest still fails.
 * Knows nothing of steps; whether a sequence fails is for the caller to try.
 */

/** How much of a sequence fails: its length up to and including the failure, or undefined when it does not. */
export type Trial<T> = (candidate: readonly T[]) => Promise<number | undefined>

/** Simpler forms of an item to try in its place, the simplest first. */
export type Simplify<T> = (item: T) => readonly T[]

/** `sequence` must fail. At most `budget` trials; what is left when they are used up is still a failing sequence. */
export async function shrink<T>(
  sequence: readonly T[],
  trial: Trial<T>,
  simplify: Simplify<T> = () => [],
  budget = 2500,
): Promise<readonly T[]> {
  const shrinker = new Shrinker(sequence, trial, budget)
  await shrinker.leaveOut()
  // A simpler step may have less need of others, and so on.
  for (let length = Infinity; shrinker.best.length < length && !shrinker.spent; ) {
    length = shrinker.best.length
    await shrinker.simplify(simplify)
    await shrinker.leaveOut()
    await shrinker.leaveOutTogether()
  }
  return shrinker.best
}

class Shrinker<T> {
  best: readonly T[]
  readonly #trial: Trial<T>
  #left: number
  constructor(sequence: readonly T[], trial: Trial<T>, budget: number) {
    this.best = sequence
    this.#trial = trial
    this.#left = budget
  }

  get spent(): boolean {
    return this.#left <= 0
  }

  async #attempt(candidate: readonly T[]): Promise<boolean> {
    if (this.#left-- <= 0) return false
    const length = await this.#trial(candidate)
    if (length === undefined) return false
    this.best = candidate.slice(0, length)
    return true
  }

  /** Ever smaller runs of steps, from the end: what came last has had the least to do with the rest. */
  async leaveOut(): Promise<void> {
    for (let size = this.best.length >> 1; size >= 1 && !this.spent; ) {
      let removed = false
      for (let end = this.best.length - 1; end > 0 && !this.spent; ) {
        const start = Math.max(0, end - size)
        const without = [...this.best.slice(0, start), ...this.best.slice(end)]
        const fails = await this.#attempt(without)
        removed ||= fails
        end = fails ? Math.min(start, this.best.length - 1) : start
      }
      if (size > 1) size = size >> 1
      else if (!removed) break
    }
  }

  async simplify(simplify: Simplify<T>): Promise<void> {
    for (let n = 0; n < this.best.length && !this.spent; n++)
      for (const simpler of simplify(this.best[n]!)) {
        if (await this.#attempt(this.best.map((item, m) => (m === n ? simpler : item)))) break
      }
  }

  /** Steps that only go together (pend, acknowledge, end): pairs, and when few are left triples. */
  async leaveOutTogether(): Promise<void> {
    for (const count of [2, 3]) {
      for (let again = this.best.length <= (count === 2 ? 40 : 16); again && !this.spent; ) {
        again = false
        for (const out of subsets(this.best.length - 1, count)) {
          if (this.spent) return
          if (await this.#attempt(this.best.filter((_, n) => !out.includes(n)))) {
            again = true
            break
          }
        }
      }
    }
  }
}

/** All ways to take `count` of the numbers below n. */
function* subsets(n: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield []
    return
  }
  for (let first = from; first < n; first++) for (const rest of subsets(n, count - 1, first + 1)) yield [first, ...rest]
}
