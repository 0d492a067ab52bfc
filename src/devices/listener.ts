/**
 * Whether the driver of a UART or a console listens: it polls the flags, or has unmasked a receive interrupt, or lent a buffer,
 * some time ago: what comes before it is up, it throws away. No register and no character is here.
 */

/** How long a receive interrupt must be unmasked, or a buffer lent, until the driver counts as started, in seconds of machine time. */
const START_UP = 0.01

/** Reads of UARTFR in a row, with nothing sent and nothing set between, that count as polling for input. */
export const POLLS = 8

/**
 * Seconds behind a character in which polling does not count. EDK2 waits for two characters at 38400 baud, 0.52 ms, whether
 * there is more, and would take all that was typed ahead in one turn.
 */
const CHARACTER_GAP = 0.000_6

/** What a snapshot keeps; seconds of machine time, and null while no interrupt is unmasked. */
export interface ListenerState {
  /** Reads of the flags in a row that count as polling. */
  polls: number
  /** Machine time in seconds from which on polling counts again. */
  pollsFrom: number
  /** Machine time in seconds from which on the driver listens by an interrupt; null while none is unmasked. */
  listensFrom: number | null
}

export class Listener {
  readonly #now: (() => number) | undefined
  #polls = 0
  #pollsFrom = 0
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

  /** A read of the flags; true when the driver now counts as polling. */
  poll(): boolean {
    if (this.#polls === POLLS || this.#now === undefined || this.#now() < this.#pollsFrom) return false
    return ++this.#polls === POLLS
  }

  /** The driver was given a character: who polls has to ask as often again for the next one, and later. */
  given(): void {
    this.#polls = 0
    this.#pollsFrom = (this.#now?.() ?? 0) + CHARACTER_GAP
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

  reset(): void {
    this.restore({ polls: 0, pollsFrom: 0, listensFrom: null })
  }

  snapshot(): ListenerState {
    return { polls: this.#polls, pollsFrom: this.#pollsFrom, listensFrom: this.#from ?? null }
  }

  restore({ polls, pollsFrom, listensFrom }: ListenerState): void {
    this.#polls = polls
    this.#pollsFrom = pollsFrom
    this.#from = listensFrom ?? undefined
  }
}
