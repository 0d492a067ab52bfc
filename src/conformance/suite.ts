/**
 * The whole suite: the subjects of each GIC version, the machines on which together every vector applies, and what came of
 * each vector over several machines. Runs targets that it is given; it starts none and prints nothing.
 */

import { runVector, type Traits, type VectorFailure, virtTraits, whyNot } from './run-vectors.ts'
import type { GicTarget, TargetConfig } from './target.ts'
import { gicv3Subjects } from './vectors/gicv3-index.ts'
import { gicv2Subjects, type Vector } from './vectors/index.ts'
import { itsSubjects } from './vectors/its.ts'

/** Vectors, by what they are about. */
export type Subjects = Readonly<Record<string, readonly Vector[]>>

/** Vectors by subject; a version without any has no conformance suite yet. */
export const subjectsOf: Readonly<Record<2 | 3, Subjects>> = {
  2: gicv2Subjects,
  3: { ...gicv3Subjects, ...itsSubjects },
}

/** A machine to put vectors to. */
export interface Machine {
  /** What the target has to be. */
  readonly config: TargetConfig
  /** What it is beyond its configuration. */
  readonly traits: Traits
}

/** What every `virt` board is. A GICv3's priority bits are those of the CPU interface. */
export const traitsOf: Readonly<Record<2 | 3, Traits>> = { 2: virtTraits, 3: { priorityBits: 5, intids: 288 } }

/** Numbers of priority bits that vectors may ask for, and no such board has. */
const otherBits: Readonly<Record<2 | 3, readonly number[]>> = { 2: [4, 5, 6, 7], 3: [6, 7, 8] }

/**
 * The machines on which together every vector applies.
 * @param boards only `virt` boards, which is all that QEMU can be: some vectors apply to none of them
 */
export function machinesOf(version: 2 | 3, boards: boolean): Machine[] {
  const found: Machine[] = []
  const traits = traitsOf[version]
  for (const its of version === 2 ? [false] : [false, true])
    for (const cpus of [1, 2, 4, 8])
      for (const security of [false, true]) found.push({ config: { version, cpus, security, its }, traits })
  const config: TargetConfig = { version, cpus: 2, security: false, its: false }
  if (version === 3) found.push({ config: { ...config, security: true, el2: true }, traits })
  if (!boards)
    for (const priorityBits of otherBits[version]) found.push({ config, traits: { ...traits, priorityBits } })
  if (!boards && version === 3)
    for (const its of [false, true])
      found.push({ config: { ...config, cpus: 2, its }, traits: { ...traits, options: true } })
  return found
}

/** What came of a vector. */
export interface Outcome {
  /** What the vector is about. */
  readonly subject: string
  /** Which one. */
  readonly vector: Vector
  /** Machines that it applied to. */
  readonly ran: Machine[]
  /** Of these, the ones on which it failed, with every answer that was wrong. */
  readonly failed: { readonly machine: Machine; readonly failures: readonly VectorFailure[] }[]
}

/** Whether a text is in a vector's name, subject or clause, in any case; an empty one always is. */
export function matches(subject: string, { name, clause }: Vector, text: string): boolean {
  const wanted = text.toLowerCase()
  return [subject, name, clause].some((words) => words.toLowerCase().includes(wanted))
}

/** The vectors whose name or subject contains a text, in any case; all for an empty one. */
export function select(version: 2 | 3, text = ''): Outcome[] {
  return Object.entries(subjectsOf[version]).flatMap(([subject, vectors]) =>
    vectors
      .filter((vector) => matches(subject, vector, text))
      .map((vector) => ({ subject, vector, ran: [], failed: [] })),
  )
}

/**
 * Puts to a target the vectors that apply to it, and adds what came of them.
 * @param done called after each vector
 */
export async function runOn(
  target: GicTarget,
  machine: Machine,
  outcomes: readonly Outcome[],
  done: () => void = () => {},
): Promise<void> {
  for (const { vector, ran, failed } of outcomes) {
    // A machine with other priority bits is there for the vectors about them.
    const special = machine.traits.priorityBits !== traitsOf[machine.config.version].priorityBits
    const meant = machine.traits.options ? vector.needs.options : !special || vector.needs.priorityBits !== undefined
    if (meant && whyNot(vector.needs, target, machine.traits) === undefined) {
      await target.reset()
      const { failures } = await runVector(target, vector)
      ran.push(machine)
      if (failures.length > 0) failed.push({ machine, failures })
    }
    done()
  }
}
