/**
 * Puts vectors to a target and says which of them it passes. The target is reset before each; what a vector needs and the
 * target is not leaves the vector out, and is said.
 */

import type { GicTarget, Result, Step } from './target.ts'
import type { Expected, Needs, Vector } from './vectors/index.ts'

/** What a target is beyond its configuration; QEMU's `virt` board and our own default have these. */
export interface Traits {
  priorityBits: number
  intids: number
  /**
   * A GICv3 with everything that one may leave out: message-based SPIs, 1-of-N, NMIs, status registers, direct LPIs, 64
   * extended SPIs and 64 extended PPIs.
   */
  options?: boolean
}

export const virtTraits: Traits = { priorityBits: 8, intids: 288 }

export interface VectorFailure {
  /** Number of the step in the vector, from 0. */
  step: number
  taken: Step
  /** What the specification says, in the bits of `mask`. */
  expected: Expected
  actual: Result
}

export interface VectorResult {
  vector: Vector
  passed: boolean
  failures: VectorFailure[]
}

/** Why a vector does not apply to a target; undefined when it does. */
export function whyNot(needs: Needs, { config }: GicTarget, traits: Traits = virtTraits): string | undefined {
  if (config.version !== (needs.version ?? 2)) return `it is of GICv${needs.version ?? 2}`
  if (needs.its !== undefined && needs.its !== config.its)
    return needs.its ? 'it needs LPIs' : 'it needs a GIC without LPIs'
  if (config.cpus < (needs.cpus ?? 1)) return `it needs ${needs.cpus} CPUs`
  if (config.cpus > (needs.atMost ?? config.cpus)) return `it needs at most ${needs.atMost} CPUs`
  if (needs.single && config.cpus !== 1) return 'it needs a single CPU'
  if (needs.el2 && !config.el2) return 'it needs EL2'
  if (needs.security === true && !config.security) return 'it needs the Security Extensions'
  if (needs.security === false && config.security) return 'it needs a GIC without the Security Extensions'
  if (needs.priorityBits !== undefined && needs.priorityBits !== traits.priorityBits)
    return `it needs ${needs.priorityBits} priority bits`
  if (needs.options && !traits.options) return 'it needs what a GICv3 may leave out'
  if (needs.intids !== undefined && needs.intids > traits.intids) return `it needs ${needs.intids} INTIDs`
  return undefined
}

/** Runs every vector that applies. Rejects only when the target itself is lost. */
export async function runVectors(
  target: GicTarget,
  vectors: readonly Vector[],
  traits: Traits = virtTraits,
): Promise<VectorResult[]> {
  const results: VectorResult[] = []
  for (const vector of vectors) {
    if (whyNot(vector.needs, target, traits) !== undefined) continue
    await target.reset()
    results.push(await runVector(target, vector))
  }
  return results
}

/** Runs one vector on a target that has just been reset. */
export async function runVector(target: GicTarget, vector: Vector): Promise<VectorResult> {
  const steps = vector.steps.map(({ step }) => inState(step, target.config.security))
  const answers = await target.run(steps)
  const failures: VectorFailure[] = []
  for (const [i, { expect }] of vector.steps.entries()) {
    const actual = answers[i] ?? { status: 'abort', value: 0n }
    const wrong =
      expect !== undefined && Number(actual.value & BigInt(expect.mask)) !== (expect.value & expect.mask) >>> 0
    if (actual.status !== (expect?.status ?? 'ok') || wrong)
      failures.push({ step: i, taken: steps[i]!, expected: expect ?? { value: 0, mask: 0 }, actual })
  }
  return { vector, passed: failures.length === 0, failures }
}

const withState = { read: true, write: true, mrs: true, msr: true }

/** An access without a Security state of its own is Secure where there are two. */
function inState(step: Step, security: boolean): Step {
  return step.op in withState && !('secure' in step) ? ({ ...step, secure: security } as Step) : step
}

/** One line for a person. */
export function describeFailure({ step, taken, expected, actual }: VectorFailure): string {
  const hex = (value: number | bigint) => `0x${value.toString(16)}`
  const what =
    taken.op === 'read' || taken.op === 'write'
      ? `${taken.op} of ${taken.region} ${hex(taken.offset)} (${taken.size} bytes) by CPU ${taken.cpu}${taken.secure ? ', Secure' : ''}`
      : taken.op === 'mrs' || taken.op === 'msr'
        ? `${taken.op} ${taken.register} by PE ${taken.cpu}${taken.secure ? ', Secure' : ''}`
        : taken.op
  if (actual.status !== (expected.status ?? 'ok')) return `step ${step}, ${what}: ${actual.status}`
  const bits = expected.mask === 0xffff_ffff ? '' : ` in bits ${hex(expected.mask)}`
  return `step ${step}, ${what}: ${hex(actual.value)}, should be ${hex(expected.value)}${bits}`
}
