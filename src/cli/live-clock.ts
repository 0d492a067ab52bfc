/**
 * Machine time for somebody who watches: while the CPUs wait it goes at the host's pace. A machine that is slower than its own
 * time does not make that up afterwards: a guest that works for long would else find its sleeps over at once.
 */

import { type Clock, INSTRUCTIONS_PER_SECOND } from '../machine/scheduler.ts'

const PER_MILLISECOND = INSTRUCTIONS_PER_SECOND / 1000

export class LiveClock implements Clock {
  readonly #host: () => number
  #machineAt = 0
  #hostAt: number

  /** @param host the host's clock in milliseconds */
  constructor(host: () => number = () => performance.now()) {
    this.#host = host
    this.#hostAt = host()
  }

  /** In whole instructions; what the host's clock has beyond them is not over yet. */
  now(): number {
    return this.#machineAt + Math.max(0, Math.floor((this.#host() - this.#hostAt) * PER_MILLISECOND))
  }

  /** From here on the host's time counts: the machine's is `time`, in instructions. */
  setTo(time: number): void {
    this.#machineAt = time
    this.#hostAt = this.#host()
  }

  /** Milliseconds of the host until machine time is `time`. */
  until(time: number): number {
    return Math.max(0, (time - this.now()) / PER_MILLISECOND)
  }
}
