/**
 * What was typed, until the guest takes it: by its virtio console where it has one, or else by the UART, at the pace at which it
 * reads. Nothing is lost in between, and nothing given before somebody listens.
 */

import type { Pl011 } from '../devices/pl011/pl011.ts'
import type { VirtioConsole } from '../devices/virtio/virtio-console.ts'

/** Bytes that a console is offered at once. */
const PIECE = 0x1000

export class TypedInput {
  readonly #characters: number[] = []
  #at = 0
  #uart: Pl011 | undefined
  #console: VirtioConsole | undefined

  /** Who takes it. */
  connect(uart: Pl011, console: VirtioConsole | undefined): void {
    this.#uart = uart
    this.#console = console
  }

  type(characters: Iterable<number>): void {
    for (const character of characters) this.#characters.push(character & 0xff)
    this.feed()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#characters.length - this.#at
  }

  /** Takes back those that wait. */
  withdraw(): Uint8Array {
    const characters = Uint8Array.from(this.#characters.slice(this.#at))
    this.#forget()
    return characters
  }

  /** Machine time in seconds from which on somebody listens to what waits; 0 where nothing does, or that is not known. */
  get listensFrom(): number {
    return this.waiting === 0 ? 0 : ((this.#console ?? this.#uart)?.listensFrom ?? 0)
  }

  /** Gives the guest as many as it takes now. */
  feed(): void {
    const [uart, console] = [this.#uart, this.#console]
    if (console !== undefined)
      while (this.waiting > 0 && console.canReceive)
        this.#at += console.receive(Uint8Array.from(this.#characters.slice(this.#at, this.#at + PIECE)))
    else while (this.waiting > 0 && uart?.canReceive) uart.receive(this.#characters[this.#at++]!)
    if (this.waiting === 0) this.#forget()
  }

  #forget(): void {
    this.#characters.length = 0
    this.#at = 0
  }
}
