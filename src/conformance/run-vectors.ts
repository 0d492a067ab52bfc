/**
 * Puts vectors to a target and says which of them it passes. The target is reset before each; what a vector needs and the
 * target is not leaves the vector out, and is said.
 */

import { differingFields, registerName } from './names.ts'
import { describeExecution, type GicTarget, type Result, type Step } from './target.ts'
import type { Expected, Needs, Part, Vector } from './vectors/index.ts'

/** What a target is beyond its configuration; QEMU's `virt` board and our own default have these. */
export interface Traits {
  /** Implemented bits of a priority: 4 to 8. */
  priorityBits: number
  /** INTIDs, 32 to 1,020, extended ones and LPIs apart. */
  intids: number
  /** Parts that a GIC may leave out, and this one does: vectors about them do not apply. */
  without?: readonly Part[]
  /**
   * A GICv3 with everything that one may leave out: message-based SPIs, 1-of-N, NMIs, status registers, direct LPIs, 64
   * extended SPIs and 64 extended PPIs.
   */
  options?: boolean
}

/** What QEMU's `virt` board is, and our own GICv2 unless told otherwise. */
export const virtTraits: Traits = { priorityBits: 8, intids: 288 }

/** A step whose answer is not what the specification says. */
export interface VectorFailure {
  /** Number of the step in the vector, from 0. */
  step: number
  /** The step as it was put to the target: with the Security state that a vector leaves open. */
  taken: Step
  /** The register that it is about, as `GICD_ISENABLER1`; undefined where it is about none. */
  register: string | undefined
  /** What is wrong, by field: `Priority is 0x8, should be 0x10`. Empty where the access itself came to something else. */
  fields: readonly string[]
  /** What the specification says, in the bits of `mask`. */
  expected: Expected
  /** What the target answered. */
  actual: Result
}

/** What came of one vector on one target. */
export interface VectorResult {
  /** Which one. */
  vector: Vector
  /** Every answer was right. */
  passed: boolean
  /** The answers that were not. */
  failures: VectorFailure[]
}

const partNames: Readonly<Record<Part, string>> = {
  v2m: 'a GICv2m frame',
  inputs: 'GICD_PPISR and GICD_SPISR',
  identification: 'identification registers with these values',
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
  const lacking = needs.parts?.find((part) => traits.without?.includes(part))
  if (lacking !== undefined) return `it needs ${partNames[lacking]}`
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
    const refused = actual.status !== (expect?.status ?? 'ok')
    if (!refused && !wrong) continue
    const { version } = target.config
    const taken = steps[i]!
    const expected = expect ?? { value: 0, mask: 0 }
    const [value, mask] = [BigInt(expected.value >>> 0), BigInt(expected.mask >>> 0)]
    failures.push({
      step: i,
      taken,
      register: registerName(version, taken),
      fields: refused ? [] : differingFields(version, taken, actual.value, value, mask),
      expected,
      actual,
    })
  }
  return { vector, passed: failures.length === 0, failures }
}

const withState = { read: true, write: true, mrs: true, msr: true }

/** An access without a Security state of its own is Secure where there are two. */
function inState(step: Step, security: boolean): Step {
  return step.op in withState && !('secure' in step) ? ({ ...step, secure: security } as Step) : step
}

/** One line for a person. */
export function describeFailure({ step, taken, register, fields, expected, actual }: VectorFailure): string {
  const hex = (value: number | bigint) => `0x${value.toString(16)}`
  const what =
    taken.op === 'read' || taken.op === 'write'
      ? `${taken.op} of ${register ?? 'no register'} (${taken.region} ${hex(taken.offset)}, ${taken.size} bytes) by CPU ${taken.cpu}${taken.secure ? ', Secure' : ''}`
      : taken.op === 'mrs' || taken.op === 'msr'
        ? `${taken.op} ${taken.register} by PE ${taken.cpu}${taken.at ? ` at ${describeExecution(taken.at)}` : taken.secure ? ', Secure' : ''}`
        : taken.op
  if (actual.status !== (expected.status ?? 'ok')) return `step ${step}, ${what}: ${actual.status}`
  const bits = expected.mask === 0xffff_ffff ? '' : ` in bits ${hex(expected.mask)}`
  return `step ${step}, ${what}: ${hex(actual.value)}, should be ${hex(expected.value)}${bits} (${fields.join('; ')})`
}
