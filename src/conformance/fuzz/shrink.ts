/**
 * Makes a failing sequence of steps small: leaves out ever smaller runs of steps for as long as the rest still fails.
 * Knows nothing of steps; whether a sequence fails is for the caller to try.
 */

/** How much of a sequence fails: its length up to and including the failure, or undefined when it does not. */
export type Trial<T> = (candidate: readonly T[]) => Promise<number | undefined>

/** `sequence` must fail. At most `budget` trials; what is left when they are used up is still a failing sequence. */
export async function shrink<T>(sequence: readonly T[], trial: Trial<T>, budget = 1000): Promise<readonly T[]> {
  let best = sequence
  let trials = 0
  const attempt = async (candidate: readonly T[]): Promise<boolean> => {
    if (trials++ >= budget) return false
    const length = await trial(candidate)
    if (length === undefined) return false
    best = candidate.slice(0, length)
    return true
  }
  let size = best.length >> 1
  while (size >= 1 && trials < budget) {
    let removed = false
    // From the end: what came last has had the least to do with the rest.
    for (let end = best.length - 1; end > 0 && trials < budget; ) {
      const start = Math.max(0, end - size)
      if (await attempt([...best.slice(0, start), ...best.slice(end)])) {
        removed = true
        end = Math.min(start, best.length - 1)
      } else end = start
    }
    if (size > 1) size = Math.max(1, size >> 1)
    else if (!removed) break
  }
  // Steps that only go together (pend, acknowledge, end): pairs and triples of what is left.
  for (const group of [2, 3]) {
    for (let again = true; again && trials < budget; ) {
      again = false
      for (const out of subsets(best.length - 1, group)) {
        if (trials >= budget) break
        if (await attempt(best.filter((_, n) => !out.includes(n)))) {
          again = true
          break
        }
      }
    }
  }
  return best
}

/** All ways to take `count` of the numbers below n. */
function* subsets(n: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield []
    return
  }
  for (let first = from; first < n; first++) for (const rest of subsets(n, count - 1, first + 1)) yield [first, ...rest]
}
