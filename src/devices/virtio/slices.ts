/**
 * Work in slices: how much a device does at its driver's wish before somebody else has a turn. When the next slice begins, whoever
 * runs the device says; where nobody does, there is no bound.
 */

export class Slices {
  /** What may still be done in this slice, in bytes. */
  left: number
  readonly #size: number
  readonly #later: (() => void) | undefined
  /** Whether the next one was asked for. */
  #asked = false

  /** @param later called when a slice was begun: the next one is due some time after that */
  constructor(size: number, later: (() => void) | undefined) {
    this.#size = later === undefined ? Number.POSITIVE_INFINITY : size
    this.#later = later
    this.left = this.#size
  }

  /** So much was done. */
  spend(bytes: number): void {
    this.left -= bytes
    this.ask()
  }

  /** Asks for the next slice, once. */
  ask(): void {
    if (this.#asked) return
    this.#asked = true
    this.#later?.()
  }

  /** The next slice, whole; false where none was asked for. */
  next(): boolean {
    if (!this.#asked) return false
    this.restart()
    return true
  }

  /** A whole slice, and none is asked for. */
  restart(): void {
    this.#asked = false
    this.left = this.#size
  }
}
