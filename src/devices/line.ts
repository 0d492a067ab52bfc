/** An output wire of a device: it calls who is at its other end when its level changes, and only then. */

/** Called with the new level. */
export type LineListener = (level: boolean) => void

/** An output wire of a device. */
export class Line {
  #level = false
  readonly #listener: LineListener

  /** The wire is low at first, which nobody is told. */
  constructor(listener: LineListener = () => {}) {
    this.#listener = listener
  }

  /** The level that it has. */
  get level(): boolean {
    return this.#level
  }

  /** Gives it a level; its listener is called when that is another one. */
  set(level: boolean): void {
    if (level === this.#level) return
    this.#level = level
    this.#listener(level)
  }
}
