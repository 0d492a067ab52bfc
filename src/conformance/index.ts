/** The conformance suite: what a GIC to be checked has to offer, the vectors, what runs them, and our own GIC as a target. */

export * from './json.ts'
export { type ModelOptions, ModelTarget } from './model.ts'
export * from './run-vectors.ts'
export * from './suite.ts'
export * from './target.ts'
export { gicv3Subjects, gicv3Vectors } from './vectors/gicv3-index.ts'
export * from './vectors/index.ts'
export { itsSubjects, itsVectors } from './vectors/its.ts'
