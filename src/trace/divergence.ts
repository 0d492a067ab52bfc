/**
 * One place where this model and the recorded machine part: what was expected, what came, what led there and why.
 * Data only; how it looks in a terminal is the command's affair.
 */

import type { OutputSignal } from './event.ts'
import type { DecodedRegister, Explanation } from './machine.ts'

/** A value with the names of its fields, or undefined fields where the register is not known by name. */
export interface SeenValue {
  /** In hexadecimal, as wide as it is. */
  value: string
  /** By the specification's names. */
  fields: DecodedRegister['fields']
}

/** An output on which the recorded machine and this model differ. */
export interface OutputLevel {
  /** Whose output it is. */
  cpu: number
  /** Which one. */
  signal: OutputSignal
  /** The level after the event; `unchanged` when this side listed no change. */
  recorded: 0 | 1 | 'unchanged' | 'changed and back'
  /** The level that this model gives it. */
  ours: 0 | 1 | 'unchanged'
}

/** An event after which the recorded machine and this model no longer agree, with what a person needs to see why. */
export interface Divergence {
  /** Line in the file, from 1. */
  line: number
  /** Number of the event among the events, from 1. */
  event: number
  /** The event as the trace has it. */
  text: string
  /** A read that answers otherwise, or outputs that have other levels. */
  kind: 'read' | 'output'
  /** What it is about: the register's name, or `outputs`. */
  what: string
  /** Of a read: what the recorded machine returned and what this model did. */
  recorded?: SeenValue
  /** What this model did. */
  ours?: SeenValue
  /** Of a read: why our model refused it, if it did. */
  refused?: string
  /** Of outputs: every one on which the two differ. */
  outputs?: OutputLevel[]
  /** Of an output that rose for the recorded machine alone: what that CPU acknowledged next, and in which line. */
  acknowledged?: { cpu: number; intid: number; line: number }
  /** The events before it, as the trace has them, with their lines. */
  before: { line: number; text: string }[]
  /** The interrupts that it is about: why each is or is not signalled, just before the read or just after the change. */
  explanations: Explanation[]
}
