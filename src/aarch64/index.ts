/** The AArch64 CPUs: what a board needs of them. Everything else in this folder is how they work. */

export { Cluster, type ExitReason } from './cluster.ts'
export type { ClusterOptions } from './cluster-options.ts'
export { type Feature, features } from './isa/row.ts'
export type { Bus, MemoryRegion } from './memory/physical.ts'
export type { ExternalRegisters, Hooks } from './state/hooks.ts'
export type { TimerName } from './system/timer.ts'
