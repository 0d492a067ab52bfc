/**
 * The virtio entropy device (Virtual I/O Device 1.2, 5.4). Its bytes come from a generator with a seed, so that a run can be
 * repeated: they are no secret, and a guest that needs one must get it elsewhere.
 */

import { checkState, list, word32 } from '../saved-state.ts'
import type { VirtioDevice, VirtioHost } from './virtio-device.ts'
import { QUEUE_SIZE, scatter } from './virtqueue.ts'

/** Bytes that one request gets at most; fewer than asked for is allowed (5.4.6.1). */
const MAX_BYTES = 0x1000

/** xoshiro128** of Blackman and Vigna, its state filled from the seed by splitmix32. */
export class SeededBytes {
  /** All of it: four words. */
  readonly state = new Int32Array(4)

  constructor(seed: number) {
    let mixed = seed | 0
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e37_79b9) | 0
      let value = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad)
      value = Math.imul(value ^ (value >>> 15), 0x735a_2d97)
      this.state[i] = value ^ (value >>> 15)
    }
  }

  /** The next 32 bits, in `| 0` form. */
  next(): number {
    const s = this.state
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9)
    const shifted = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= shifted
    s[3] = rotate(s[3]!, 11)
    return result
  }

  /** Fills all of `into`. */
  fill(into: Uint8Array): void {
    let word = 0
    for (let i = 0; i < into.length; i++) {
      if (i % 4 === 0) word = this.next()
      into[i] = word
      word >>>= 8
    }
  }
}

export class VirtioRng implements VirtioDevice {
  /** Stands in messages. */
  readonly name = 'rng'
  readonly deviceId = 4
  readonly features = 0n
  readonly queueSizes = [QUEUE_SIZE]
  readonly config = new Uint8Array(0)

  readonly #bytes: SeededBytes
  readonly #buffer = new Uint8Array(MAX_BYTES)
  #host: VirtioHost | undefined

  constructor(seed = 1) {
    this.#bytes = new SeededBytes(seed)
  }

  /** Called once, by the transport that it is plugged into. */
  attach(host: VirtioHost): void {
    this.#host = host
  }

  notify(queue: number): void {
    const host = this.#host!
    host.process(queue, (chain) => {
      const part = this.#buffer.subarray(0, Math.min(chain.writeLength, MAX_BYTES))
      this.#bytes.fill(part)
      return scatter(host.memory, chain.writable, 0, part)
    })
  }

  /** The driver reset the device. */
  reset(): void {}

  snapshot(): unknown {
    return { kind: 'virtio-rng', version: 1, state: Array.from(this.#bytes.state, (value) => value >>> 0) }
  }

  restore(state: unknown): void {
    checkState('virtio-rng', 1, { state: list(word32, 4) }, state)
    this.#bytes.state.set((state as { state: number[] }).state)
  }
}

function rotate(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count))
}
