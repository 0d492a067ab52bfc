/**
 * Whether the driver of a UART or a console listens: it polls the flags, or has unmasked a receive interrupt, or lent a buffer,
 * some time ago: what comes before it is up, it throws away. No register and no character is here.
 */

/** How long a receive interrupt must be unmasked, or a buffer lent, until the driver counts as started, in seconds of machine time. */
const START_UP = 0.01

/** Reads of UARTFR in a row, with nothing sent and nothing set between, that count as polling for input. */
export const POLLS = 8

export class Listener {
  readonly #now: (() => number) | undefined
  #polls = 0
  #from: number | undefined

  /** `now` is machine time in seconds. */
  constructor(now: (() => number) | undefined) {
    this.#now = now
  }

  get listening(): boolean {
    return this.#polls === POLLS || (this.#from !== undefined && (this.#now?.() ?? 0) >= this.#from)
  }

  /** Machine time in seconds from which on the driver listens by an interrupt, where that is known by now. */
  get from(): number | undefined {
    return this.#from
  }

  get polls(): number {
    return this.#polls
  }

  /** A read of the flags; true when the driver now counts as polling. */
  poll(): boolean {
    return this.#polls < POLLS && ++this.#polls === POLLS
  }

  /** The driver did something else. */
  busy(): void {
    this.#polls = 0
  }

  /** Receive interrupts are unmasked or buffers lent, or are not. */
  unmask(on: boolean): void {
    if (!on) this.#from = undefined
    else this.#from ??= (this.#now?.() ?? 0) + START_UP
  }

  restore(polls: number, from: number | undefined): void {
    this.#polls = polls
    this.#from = from
  }
}
