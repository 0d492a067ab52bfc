/**
 * The whole suite: the subjects of each GIC version, the machines on which together every vector applies, and what came of
 * each vector over several machines. Runs targets that it is given; it starts none and prints nothing.
 */

import { runVector, type Traits, type VectorFailure, virtTraits, whyNot } from './run-vectors.ts'
import type { GicTarget, TargetConfig } from './target.ts'
import { gicv2Subjects, type Vector } from './vectors/index.ts'

export type Subjects = Readonly<Record<string, readonly Vector[]>>

/** Vectors by subject; a version without any has no conformance suite yet. */
export const subjectsOf: Readonly<Record<2 | 3, Subjects>> = { 2: gicv2Subjects, 3: {} }

/** A machine to put vectors to. */
export interface Machine {
  readonly config: TargetConfig
  readonly traits: Traits
}

/** Numbers of priority bits that vectors ask for, and no `virt` board has. */
const fewerBits = [4, 5, 6, 7]

/**
 * The machines on which together every vector applies.
 * @param boards only `virt` boards, which is all that QEMU can be: some vectors apply to none of them
 */
export function machinesOf(version: 2 | 3, boards: boolean): Machine[] {
  const found: Machine[] = []
  for (const its of version === 2 ? [false] : [false, true])
    for (const cpus of [1, 2, 4, 8])
      for (const security of [false, true]) found.push({ config: { version, cpus, security, its }, traits: virtTraits })
  if (version === 2 && !boards)
    for (const priorityBits of fewerBits)
      found.push({ config: { version, cpus: 2, security: false, its: false }, traits: { ...virtTraits, priorityBits } })
  return found
}

/** What came of a vector. */
export interface Outcome {
  readonly subject: string
  readonly vector: Vector
  /** Machines that it applied to. */
  readonly ran: Machine[]
  /** Of these, the ones on which it failed, with every answer that was wrong. */
  readonly failed: { readonly machine: Machine; readonly failures: readonly VectorFailure[] }[]
}

/** The vectors whose name or subject contains a text, in any case; all for an empty one. */
export function select(version: 2 | 3, text = ''): Outcome[] {
  const wanted = text.toLowerCase()
  const has = (words: string) => words.toLowerCase().includes(wanted)
  return Object.entries(subjectsOf[version]).flatMap(([subject, vectors]) =>
    vectors
      .filter(({ name, clause }) => has(subject) || has(name) || has(clause))
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
    // A machine with fewer priority bits is there for the vectors about them.
    const special = machine.traits.priorityBits !== virtTraits.priorityBits
    const meant = !special || vector.needs.priorityBits !== undefined
    if (meant && whyNot(vector.needs, target, machine.traits) === undefined) {
      await target.reset()
      const { failures } = await runVector(target, vector)
      ran.push(machine)
      if (failures.length > 0) failed.push({ machine, failures })
    }
    done()
  }
}
