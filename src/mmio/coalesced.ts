/**
 * A coalesced write region, as KVM has it for frame buffers and the like: writes wait in a ring of fixed size and reach
 * their device later, in order. No write is lost unseen, and none overtakes another. It is not for registers that answer.
 */

import { Access, type AccessSize, type Device, type Initiator } from './access.ts'
import { Outcome } from './outcome.ts'

/** What stands behind a region of coalesced writes. */
export interface CoalescedOptions {
  /** Where writes go at last; reads go there too, after the writes that wait. Without it the region is write-only. */
  behind?: Device
  /** Called when a write finds the ring full: the time to `drain`. */
  full?: () => void
}

/** Takes one write out of the ring. The access is valid only during the call. */
export type TakeWrite = (access: Access) => void

export class CoalescedWrites implements Device {
  /** Stands in errors, and in what lists a bus. */
  readonly name: string
  /** How many writes can wait. */
  readonly capacity: number
  /** Writes that the device behind refused after their initiator had gone on. */
  refused = 0

  readonly #behind: Device | undefined
  readonly #full: (() => void) | undefined
  readonly #addresses: Float64Array
  readonly #offsets: Float64Array
  readonly #sizes: Uint8Array
  readonly #low: Int32Array
  readonly #high: Int32Array
  readonly #by: Initiator[] = []
  readonly #access = new Access()
  #first = 0
  #waiting = 0
  #draining = false

  /** Throws a RangeError for a capacity that is not 1 to 65,536, and when a full ring would have nowhere to go. */
  constructor(name: string, capacity: number, options: CoalescedOptions) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 0x10000)
      throw new RangeError(`${name}: a ring holds 1 to 65536 writes, not ${capacity}`)
    if (options.behind === undefined && options.full === undefined)
      throw new RangeError(`${name}: a full ring needs a device behind or somebody to drain it`)
    this.name = name
    this.capacity = capacity
    this.#behind = options.behind
    this.#full = options.full
    this.#addresses = new Float64Array(capacity)
    this.#offsets = new Float64Array(capacity)
    this.#sizes = new Uint8Array(capacity)
    this.#low = new Int32Array(capacity)
    this.#high = new Int32Array(capacity)
  }

  /** How many writes wait. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Takes out the writes that wait now, the oldest first, and returns how many. Without `take` they go to the device behind.
   * Does nothing when it is called from within itself.
   */
  drain(take?: TakeWrite): number {
    if (this.#draining) return 0
    if (take === undefined && this.#behind === undefined)
      throw new TypeError(`${this.name}: there is no device behind to drain to`)
    this.#draining = true
    let taken = 0
    try {
      // A write that `take` makes waits its turn; to count first bounds the work.
      for (let left = this.#waiting; left > 0; left--) {
        const access = this.#shift()
        taken++
        if (take !== undefined) take(access)
        else if (this.#behind!.access(access) !== Outcome.ok) this.refused++
      }
    } finally {
      this.#draining = false
    }
    return taken
  }

  /** A write is ok as soon as it waits. One that finds no room even after `full` and `drain` is refused as unmapped. */
  access(access: Access): number {
    if (!access.write) return this.#read(access)
    if (this.#waiting === this.capacity) this.#full?.()
    if (this.#waiting === this.capacity && this.#behind !== undefined) {
      this.drain()
      if (this.#waiting === 0) return this.#behind.access(access)
    }
    if (this.#waiting === this.capacity) return Outcome.unmapped
    this.#push(access)
    return Outcome.ok
  }

  #read(access: Access): number {
    if (this.#behind === undefined) return Outcome.mode
    this.drain()
    return this.#behind.access(access)
  }

  #push(access: Access): void {
    const at = (this.#first + this.#waiting++) % this.capacity
    this.#addresses[at] = access.address
    this.#offsets[at] = access.offset
    this.#sizes[at] = access.size
    this.#low[at] = access.low
    this.#high[at] = access.high
    this.#by[at] = access.by
  }

  #shift(): Access {
    const access = this.#access
    const at = this.#first
    this.#first = (at + 1) % this.capacity
    this.#waiting--
    access.write = true
    access.address = this.#addresses[at]!
    access.offset = this.#offsets[at]!
    access.size = this.#sizes[at]! as AccessSize
    access.low = this.#low[at]!
    access.high = this.#high[at]!
    access.by = this.#by[at]!
    return access
  }
}
