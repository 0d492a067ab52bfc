/** One line on a terminal that tells how far a long job is. Says nothing where nobody watches, or for a short job. */

import type { Output } from './command.ts'
import { grouped } from './style.ts'

/** Shortest time between two updates, and time before the first, in milliseconds. */
const interval = 100
const patience = 2000

export class Progress {
  readonly #output: Output
  readonly #label: string
  readonly #start = performance.now()
  readonly #delay: number
  readonly #unit: string
  #last = 0
  #shown = false

  /**
   * @param delay milliseconds before it first shows; 2 seconds unless given
   * @param unit what is counted
   */
  constructor(output: Output, label: string, delay = patience, unit = 'events') {
    this.#output = output
    this.#label = label
    this.#delay = delay
    this.#unit = unit
  }

  /**
   * @param fraction how much is done, 0 to 1; undefined where the size of the whole is not known
   * @param done how many are done
   */
  update(fraction: number | undefined, done: number): void {
    if (!this.#output.isTerminal) return
    const now = performance.now()
    if (now - this.#start < this.#delay || now - this.#last < interval) return
    this.#last = now
    this.#shown = true
    const share = fraction === undefined ? '' : ` ${String(Math.min(100, Math.floor(fraction * 100))).padStart(3)} %`
    const text = `${this.#label}${share}, ${grouped(done)} ${this.#unit}`
    this.#output.write(`\r\x1b[K${text.slice(0, Math.max(10, this.#output.columns - 1))}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#output.write('\r\x1b[K')
    this.#shown = false
  }
}
