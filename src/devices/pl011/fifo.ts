/** A first-in first-out store of numbers with a fixed capacity, which allocates nothing once it is made. */

export class Fifo {
  readonly #values: Int32Array
  #first = 0
  #length = 0

  constructor(capacity: number) {
    this.#values = new Int32Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** The oldest value; of an empty one, 0. */
  get front(): number {
    return this.#length === 0 ? 0 : this.#values[this.#first]!
  }

  /** False when there is no room. */
  push(value: number): boolean {
    if (this.#length === this.#values.length) return false
    this.#values[(this.#first + this.#length++) % this.#values.length] = value
    return true
  }

  /** Takes the oldest value out; of an empty one, 0. */
  shift(): number {
    if (this.#length === 0) return 0
    const value = this.#values[this.#first]!
    this.#first = (this.#first + 1) % this.#values.length
    this.#length--
    return value
  }

  clear(): void {
    this.#first = 0
    this.#length = 0
  }

  /** What is in it, the oldest first. */
  toArray(): number[] {
    return Array.from({ length: this.#length }, (_, i) => this.#values[(this.#first + i) % this.#values.length]!)
  }

  /** Has these values from now on; those beyond the capacity are left out. */
  fill(values: readonly number[]): void {
    this.clear()
    for (const value of values) this.push(value)
  }
}
