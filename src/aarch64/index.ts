/** The AArch64 CPUs: what a board needs of them. Everything else in this folder is how they work. */

export { Cluster, type ExitReason } from './cluster.ts'
export type { ClusterOptions } from './cluster-options.ts'
export type { ExternalRegisters, Hooks } from './hooks.ts'
export type { Bus, MemoryRegion } from './physical.ts'
export { type Feature, features } from './row.ts'
export type { TimerName } from './timer.ts'
