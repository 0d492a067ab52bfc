/**
 * Times loops against each other: interleaved slices of a few milliseconds, medians over many rounds, so that what else the
 * machine does falls on all of them alike. It knows nothing of what it measures.
 */

/** Runs `count` operations and returns a number that depends on all of them. */
export type Loop = (count: number) => number

export interface Timing {
  /** Median over the rounds, in nanoseconds an operation. */
  readonly ns: number
  /** Median over the rounds of this loop's time to the first loop's in the same round. */
  readonly ratio: number
}

export interface MeasureOptions {
  /** Length of a slice in milliseconds. */
  slice?: number
  rounds?: number
}

/** Where results of loops go, so that no compiler may leave a loop out. */
export let sink = 0

/** Times all loops; the first one is what the others are held against. */
export function measure(loops: readonly Loop[], { slice = 1, rounds = 101 }: MeasureOptions = {}): Timing[] {
  const counts = loops.map((loop) => calibrate(loop, slice))
  const times = loops.map(() => new Float64Array(rounds))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < loops.length; turn++) {
      // A different loop goes first each round: none always follows the same one.
      const i = (turn + round) % loops.length
      times[i]![round] = time(loops[i]!, counts[i]!)
    }
  }
  return times.map((own) => ({ ns: median(own), ratio: median(own.map((ns, round) => ns / times[0]![round]!)) }))
}

/** Warms a loop up until it is compiled, and finds how many operations fill a slice. */
function calibrate(loop: Loop, slice: number): number {
  let count = 256
  for (;;) {
    const ns = time(loop, count) * count
    if (ns > slice * 1e6) break
    count *= 2
  }
  for (let i = 0; i < 8; i++) time(loop, count)
  const ns = Math.min(...Array.from({ length: 5 }, () => time(loop, count)))
  return Math.max(1, Math.round((slice * 1e6) / ns))
}

function time(loop: Loop, count: number): number {
  const start = process.hrtime.bigint()
  const result = loop(count)
  const ns = Number(process.hrtime.bigint() - start) / count
  sink = (sink + result) | 0
  return ns
}

export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
