/** An output wire of a device: it calls who is at its other end when its level changes, and only then. */

export type LineListener = (level: boolean) => void

export class Line {
  #level = false
  readonly #listener: LineListener

  /** The wire is low at first, which nobody is told. */
  constructor(listener: LineListener = () => {}) {
    this.#listener = listener
  }

  get level(): boolean {
    return this.#level
  }

  set(level: boolean): void {
    if (level === this.#level) return
    this.#level = level
    this.#listener(level)
  }
}
