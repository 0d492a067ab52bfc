/**
 * Standard input for machines that follow one another: a read that one left under way brings what the next one hears. It
 * decodes nothing and knows no keys.
 */

export class Relay {
  readonly #source: AsyncIterator<Uint8Array>
  #reading = false
  #kept: Uint8Array[] = []
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #listener: (() => void) | undefined

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source
  }

  /** Input for one more machine. From now on the reader before it hears nothing. */
  reader(): AsyncIterator<Uint8Array> {
    this.#listener = undefined
    return {
      next: () =>
        new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
          this.#listener = () => {
            if (this.#failure !== undefined) reject(this.#failure.error)
            else if (this.#kept.length > 0) resolve({ done: false, value: this.#kept.shift()! })
            else if (this.#ended) resolve({ done: true, value: undefined })
            else return this.#read()
            this.#listener = undefined
          }
          this.#listener()
        }),
    }
  }

  /** The machine that the reader was for is gone: what comes waits for the next. */
  release(): void {
    this.#listener = undefined
  }

  #read(): void {
    if (this.#reading) return
    this.#reading = true
    this.#source.next().then(
      (result) => {
        this.#reading = false
        if (result.done) this.#ended = true
        else this.#kept.push(result.value)
        this.#listener?.()
      },
      (error: unknown) => {
        this.#reading = false
        this.#failure = { error }
        this.#listener?.()
      },
    )
  }
}
