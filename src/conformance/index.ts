/** The conformance suite: what a GIC to be checked has to offer, and this package's own model as one. */

export { type ModelOptions, ModelTarget } from './model.ts'
export * from './target.ts'
