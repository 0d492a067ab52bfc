/**
 * The outputs of two machines side by side: the recorded one's, as the trace lists them, and ours, as they change.
 * After each event it says on which of them the two differ.
 */

import type { OutputLevel } from './divergence.ts'
import type { OutputSignal } from './event.ts'

const signals: readonly OutputSignal[] = ['irq', 'fiq']

/** An output has one number on both sides: two a CPU. */
function indexOf(cpu: number, signal: OutputSignal): number {
  return cpu * 2 + (signal === 'fiq' ? 1 : 0)
}

export class Outputs {
  /** `out` lines taken. */
  compared = 0
  /** Outputs that changed and changed back within one event, as recorded and as ours. Both ends of it agree. */
  recordedTransients = 0
  ourTransients = 0

  readonly #recorded: Uint8Array
  readonly #ours: Uint8Array
  /** Changes since the last {@link compare}, by output. */
  readonly #recordedChanges: Uint32Array
  readonly #ourChanges: Uint32Array
  /** An `out` line that repeated the level that the recorded machine had. */
  readonly #repeated: Uint8Array
  /** Which outputs to look at; the arrays above are zero elsewhere. */
  #touched: Int32Array
  #count = 0

  constructor(cpus: number) {
    const outputs = 2 * cpus
    this.#recorded = new Uint8Array(outputs)
    this.#ours = new Uint8Array(outputs)
    this.#recordedChanges = new Uint32Array(outputs)
    this.#ourChanges = new Uint32Array(outputs)
    this.#repeated = new Uint8Array(outputs)
    this.#touched = new Int32Array(outputs)
  }

  level(cpu: number, signal: OutputSignal): 0 | 1 {
    return this.#ours[indexOf(cpu, signal)] === 1 ? 1 : 0
  }

  /** Whether there is nothing to compare. */
  get quiet(): boolean {
    return this.#count === 0
  }

  takeRecorded(cpu: number, signal: OutputSignal, level: 0 | 1): void {
    const index = indexOf(cpu, signal)
    this.compared++
    this.#touch(index)
    if (this.#recorded[index] === level) {
      this.#repeated[index] = 1
      return
    }
    this.#recorded[index] = level
    this.#recordedChanges[index]!++
  }

  takeOurs(cpu: number, signal: OutputSignal, level: 0 | 1): void {
    const index = indexOf(cpu, signal)
    if (this.#ours[index] === level) return
    this.#touch(index)
    this.#ours[index] = level
    this.#ourChanges[index]!++
  }

  /**
   * Closes an event.
   * @param mayPassThrough whether the event may move an output there and back: a store that sets many bits at once is
   *   many changes to some implementations, and one to others
   * @returns the outputs that differ, or undefined when none does
   */
  compare(mayPassThrough: boolean): OutputLevel[] | undefined {
    let found: OutputLevel[] | undefined
    for (let i = 0; i < this.#count; i++) {
      const index = this.#touched[i]!
      const recordedChanges = this.#recordedChanges[index]!
      const ourChanges = this.#ourChanges[index]!
      const recordedMoved = recordedChanges % 2 === 1
      const oursMoved = ourChanges % 2 === 1
      if (recordedChanges > 1) this.recordedTransients++
      if (ourChanges > 1) this.ourTransients++
      const passed = recordedChanges > 1 && !mayPassThrough
      // After a divergence the two levels may differ; then a change on both sides to different levels is one again.
      const apart = oursMoved && this.#recorded[index] !== this.#ours[index]
      if (recordedMoved !== oursMoved || apart || passed || this.#repeated[index] === 1) {
        found ??= []
        found.push({
          cpu: index >> 1,
          signal: signals[index & 1]!,
          recorded:
            recordedMoved || this.#repeated[index] === 1
              ? this.#recorded[index] === 1
                ? 1
                : 0
              : recordedChanges > 1
                ? 'changed and back'
                : 'unchanged',
          ours: oursMoved ? (this.#ours[index] === 1 ? 1 : 0) : 'unchanged',
        })
      }
      this.#recordedChanges[index] = 0
      this.#ourChanges[index] = 0
      this.#repeated[index] = 0
    }
    this.#count = 0
    return found
  }

  #touch(index: number): void {
    if (this.#recordedChanges[index] === 0 && this.#ourChanges[index] === 0 && this.#repeated[index] === 0) {
      this.#touched[this.#count++] = index
    }
  }
}
