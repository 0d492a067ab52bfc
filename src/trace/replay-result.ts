/** What comes of a replay, as data: counts, divergences, and what one side has and the other has not. How it comes to be is `replay.ts`. */

import type { Divergence } from './divergence.ts'
import type { MachineDescription } from './header.ts'
import type { Deliveries, IdentityDifference } from './statistics.ts'

/** What came of a replay. */
export interface ReplayResult {
  /** The machine that it was put to. */
  machine: MachineDescription
  /** Events taken, `out` lines among them. */
  events: number
  /** The number of the event that was to be the last one, if the trace had that many. */
  stoppedAt: number | undefined
  /** All divergences, kept or not. */
  divergenceCount: number
  /** The first of them. */
  divergences: Divergence[]
  /** How many reads were compared, were of identification registers, or of what is not modelled. */
  reads: { compared: number; identity: number; unmodelled: number }
  /** Changes that were compared, and levels that one side only passed through. */
  outputs: { compared: number; recordedTransients: number; ourTransients: number }
  /** Identification registers that read otherwise: no divergence. */
  identity: IdentityDifference[]
  /** What the trace uses and this model has not. */
  unmodelled: { name: string; accesses: number }[]
  /** What this model refused, and why. */
  refused: { name: string; accesses: number; reason: string }[]
  /** What was acknowledged, by interrupt. */
  interrupts: Deliveries[]
  /** What the events were. */
  counts: ReplayCounts
  /** How often each register was used; an array counts as one. */
  registers: { name: string; reads: number; writes: number }[]
  /** Time spent in applying and comparing, in seconds. */
  seconds: number
}

/** What the events were. */
export interface ReplayCounts {
  /** Loads. */
  reads: number
  /** Stores. */
  writes: number
  /** MRS. */
  systemRegisterReads: number
  /** MSR. */
  systemRegisterWrites: number
  /** Changes of input wires. */
  inputs: number
  /** Acknowledges that gave an interrupt. */
  acknowledged: number
  /** Acknowledges that found nothing: INTIDs 1020 to 1023. */
  spurious: number
  /** Writes of an EOIR. */
  ended: number
  /** Writes of DIR. */
  deactivated: number
  /** Writes that make SGIs. */
  generated: number
  /** Messages of devices that make an SPI or an LPI. */
  messages: number
  /** Pieces of guest memory. */
  memory: number
  /** PEs that were powered on again. */
  resets: number
}

/** Before the first event. */
export function noCounts(): ReplayCounts {
  return {
    reads: 0,
    writes: 0,
    systemRegisterReads: 0,
    systemRegisterWrites: 0,
    inputs: 0,
    acknowledged: 0,
    spurious: 0,
    ended: 0,
    deactivated: 0,
    generated: 0,
    messages: 0,
    memory: 0,
    resets: 0,
  }
}
