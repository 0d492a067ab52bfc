/**
 * The virtio console (Virtual I/O Device 1.2, 5.3) with one port: what the guest writes goes to a function, what the host has
 * for it goes into buffers that the guest lends. Multiple ports and emergency writes are not offered.
 */

import { Listener } from '../listener.ts'
import { checkState, timeOrNull, whole } from '../saved-state.ts'
import { Slices } from './slices.ts'
import type { VirtioDevice, VirtioHost } from './virtio-device.ts'
import { gather, QUEUE_SIZE, scatter } from './virtqueue.ts'

const RECEIVE = 0
const TRANSMIT = 1
const FEATURE_SIZE = 1n << 0n

/** Bytes that one buffer of the guest may give or take at most; a longer one is used in part, or in pieces. */
const PIECE = 0x1000
const MAX_WRITE = 0x10_0000
/** Bytes that go out in a slice, but for a chain that has begun: whoever takes them has to keep up. */
const SLICE = 0x10_0000

/** What a console is wired to. */
export interface VirtioConsoleOptions {
  /** Takes what the guest writes. The bytes are valid only during the call. */
  transmit?: (bytes: Uint8Array) => void
  /** Called when the guest has lent buffers, so that `receive` has room. */
  receiveReady?: () => void
  /**
   * Machine time in seconds. With it, the guest is given something only some time after it lent its first buffer: Linux's driver
   * throws away what comes before its console is registered.
   */
  waitForListener?: () => number
  /** Called when a slice of output has begun: `resume` begins the next one. Without it all goes out at once. */
  later?: () => void
  /** Size of the terminal in characters. */
  columns?: number
  /** Lines of the terminal. */
  rows?: number
}

export class VirtioConsole implements VirtioDevice {
  /** Stands in messages. */
  readonly name = 'console'
  readonly deviceId = 3
  readonly features = FEATURE_SIZE
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE]
  readonly config = new Uint8Array(8)

  readonly #options: VirtioConsoleOptions
  readonly #piece = new Uint8Array(PIECE)
  readonly #listener: Listener
  readonly #slices: Slices
  #host: VirtioHost | undefined

  constructor(options: VirtioConsoleOptions = {}) {
    this.#options = options
    this.#listener = new Listener(options.waitForListener)
    this.#slices = new Slices(SLICE, options.later)
    this.#setSize(options.columns ?? 80, options.rows ?? 24)
  }

  /** Called once, by the transport that it is plugged into. */
  attach(host: VirtioHost): void {
    this.#host = host
  }

  /** Tells the guest that the terminal has another size now. */
  resize(columns: number, rows: number): void {
    this.#setSize(columns, rows)
    this.#host?.configChanged()
  }

  /** Whether `receive` would take something now: the host's flow control. */
  get canReceive(): boolean {
    if (this.#options.waitForListener && !this.#listener.listening) return false
    return this.#host?.hasBuffers(RECEIVE) ?? false
  }

  /** With `waitForListener`: the machine time in seconds from which on the guest listens, where that is known by now. */
  get listensFrom(): number | undefined {
    return this.#listener.from
  }

  /** Gives the guest as many of these bytes as its buffers hold; returns how many. */
  receive(bytes: Uint8Array): number {
    const host = this.#host
    let taken = 0
    host?.process(RECEIVE, (chain) => {
      if (taken === bytes.length) return undefined
      const written = scatter(host.memory, chain.writable, 0, bytes.subarray(taken, taken + PIECE))
      taken += written
      return written
    })
    return taken
  }

  notify(queue: number): void {
    if (queue === RECEIVE) {
      this.#listener.unmask(true)
      this.#options.receiveReady?.()
    }
    if (queue === TRANSMIT) this.#send()
  }

  /** The next slice: goes on with output that was more than one. */
  resume(): void {
    if (this.#slices.next()) this.#send()
  }

  #send(): void {
    const host = this.#host
    host?.process(TRANSMIT, (chain) => {
      if (this.#slices.left <= 0) return undefined
      const length = Math.min(chain.readLength, MAX_WRITE)
      for (let done = 0; done < length; ) {
        const part = this.#piece.subarray(0, Math.min(PIECE, length - done))
        done += gather(host.memory, chain.readable, done, part)
        this.#options.transmit?.(part)
      }
      this.#slices.spend(Math.max(1, length))
      return 0
    })
  }

  /** The driver reset the device. */
  reset(): void {
    this.#listener.unmask(false)
  }

  snapshot(): unknown {
    const view = new DataView(this.config.buffer)
    return {
      kind: 'virtio-console',
      version: 1,
      columns: view.getUint16(0, true),
      rows: view.getUint16(2, true),
      listensFrom: this.#listener.from ?? null,
    }
  }

  restore(state: unknown): void {
    const shape = { columns: whole(0, 0xffff), rows: whole(0, 0xffff), listensFrom: timeOrNull }
    checkState('virtio-console', 1, shape, state)
    const { columns, rows, listensFrom } = state as { columns: number; rows: number; listensFrom: number | null }
    this.#setSize(columns, rows)
    this.#listener.restore({ polls: 0, pollsFrom: 0, listensFrom })
    // There may be output that waited for its slice.
    this.#slices.restart()
    this.#slices.ask()
  }

  #setSize(columns: number, rows: number): void {
    const view = new DataView(this.config.buffer)
    view.setUint16(0, columns, true)
    view.setUint16(2, rows, true)
  }
}
