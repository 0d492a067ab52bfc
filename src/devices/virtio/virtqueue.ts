/**
 * A split virtqueue (Virtual I/O Device 1.2, 2.7) seen from the device: takes chains of buffers from the available ring and
 * gives them back on the used ring. All of it is in guest memory, and none of it is trusted: a chain costs bounded work.
 */

import type { GuestMemory } from '../memory.ts'

/** The driver broke the rules of the ring: the device needs a reset. */
export class VirtqueueError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'VirtqueueError'
}

/** The largest queue of every device, as QEMU's transport has it: a driver takes as much of it as it likes. */
export const QUEUE_SIZE = 1024

const DESCRIPTOR = { next: 1, write: 2, indirect: 4 } as const
const NO_INTERRUPT = 1

/** A piece of guest memory that lies in it as a whole. */
export interface Segment {
  /** First address, in bytes. */
  readonly address: number
  /** In bytes. */
  readonly length: number
}

/** Buffers of one request: what the device reads, then what it writes. All of them lie in guest memory. */
export interface Chain {
  /** The descriptor that names the chain on the used ring. */
  readonly head: number
  /** What the device reads, in order. */
  readonly readable: readonly Segment[]
  /** What the device writes, in order. */
  readonly writable: readonly Segment[]
  /** Bytes in all of them. */
  readonly readLength: number
  /** Bytes that the device may write. */
  readonly writeLength: number
}

/** Plain JSON. */
export interface VirtqueueState {
  /** Entries of the rings. */
  size: number
  /** The driver has set it up. */
  ready: boolean
  /** Address of the descriptor table. */
  descriptors: number
  /** Address of the available ring. */
  driver: number
  /** Address of the used ring. */
  device: number
  /** Of the used ring in the legacy layout, in bytes. */
  alignment: number
  /** Number of the next entry of the available ring, modulo 2^16. */
  lastAvailable: number
  /** Number of the next entry of the used ring, modulo 2^16. */
  used: number
}

/**
 * A split virtqueue (Virtual I/O Device 1.2, 2.7) in guest memory. Nothing that a driver puts there is believed
 * before it is checked.
 */
export class Virtqueue {
  /** Where rings and buffers are. */
  readonly memory: GuestMemory
  /** The largest size that the driver may choose. */
  readonly maxSize: number
  /** Entries of the rings, as the driver chose. */
  size = 0
  /** Addresses of the descriptor table, the available ring ("driver area") and the used ring ("device area"). */
  descriptors = 0
  /** Address of the available ring. */
  driver = 0
  /** Address of the used ring. */
  device = 0
  /** Of the used ring where the legacy interface lays the queue out: a page, unless the driver says otherwise. */
  alignment = 0x1000

  #ready = false
  /** The available ring's index up to which chains were taken, modulo 2^16, and that of the used ring. */
  #lastAvailable = 0
  #used = 0

  constructor(memory: GuestMemory, maxSize: number) {
    this.memory = memory
    this.maxSize = maxSize
  }

  /** The driver has set it up. */
  get ready(): boolean {
    return this.#ready
  }

  /** As after a reset of the device: not set up. */
  reset(): void {
    this.size = 0
    this.descriptors = 0
    this.driver = 0
    this.device = 0
    this.alignment = 0x1000
    this.#ready = false
    this.#lastAvailable = 0
    this.#used = 0
  }

  /** The rings in one block from an address on, as the legacy interface has them (2.7.2): of the largest size if none was chosen. */
  layOut(address: number): void {
    const size = this.size === 0 ? this.maxSize : this.size
    this.size = size
    this.descriptors = address
    this.driver = address + 16 * size
    this.device = Math.ceil((this.driver + 6 + 2 * size) / this.alignment) * this.alignment
  }

  /** Puts the queue to use. Throws a VirtqueueError when its size is none or a ring is misaligned or not in memory. */
  start(): void {
    const { size, descriptors, driver, device } = this
    if (size < 1 || size > this.maxSize || (size & (size - 1)) !== 0)
      throw new VirtqueueError(`a queue of ${size}, which is no power of two up to ${this.maxSize}`)
    const areas: [string, number, number, number][] = [
      ['a descriptor table', descriptors, 16 * size, 16],
      ['an available ring', driver, 6 + 2 * size, 2],
      ['a used ring', device, 6 + 8 * size, 4],
    ]
    for (const [name, address, length, alignment] of areas)
      if (address % alignment !== 0 || !this.memory.contains(address, length))
        throw new VirtqueueError(`${name} at 0x${address.toString(16)}`)
    this.#ready = true
    this.#lastAvailable = 0
    this.#used = 0
  }

  /** Takes the queue out of use; its addresses stay. */
  stop(): void {
    this.#ready = false
  }

  /** Whether the driver has made a chain available that was not taken yet. */
  get hasNext(): boolean {
    return this.#ready && this.memory.read16(this.driver + 2) !== this.#lastAvailable
  }

  /** The next available chain, or undefined when there is none. Throws a VirtqueueError for one that is malformed. */
  next(): Chain | undefined {
    if (!this.#ready) return undefined
    const waiting = (this.memory.read16(this.driver + 2) - this.#lastAvailable) & 0xffff
    if (waiting === 0) return undefined
    if (waiting > this.size) throw new VirtqueueError(`${waiting} chains available in a queue of ${this.size}`)
    const head = this.memory.read16(this.driver + 4 + 2 * (this.#lastAvailable & (this.size - 1)))
    const chain = this.#walk(head)
    this.#lastAvailable = (this.#lastAvailable + 1) & 0xffff
    return chain
  }

  /** Makes the chain that `next` gave last available again: the device has no use for it yet. */
  putBack(): void {
    this.#lastAvailable = (this.#lastAvailable - 1) & 0xffff
  }

  /** Gives a chain back, with `written` bytes of its writable buffers filled. */
  push(chain: Chain, written: number): void {
    const entry = this.device + 4 + 8 * (this.#used & (this.size - 1))
    this.memory.write32(entry, chain.head)
    this.memory.write32(entry + 4, written)
    this.#used = (this.#used + 1) & 0xffff
    this.memory.write16(this.device + 2, this.#used)
  }

  /** Whether the driver wants an interrupt for what was pushed. */
  get wantsInterrupt(): boolean {
    return (this.memory.read16(this.driver) & NO_INTERRUPT) === 0
  }

  /** The state, as plain JSON. */
  snapshot(): VirtqueueState {
    const { size, descriptors, driver, device, alignment } = this
    return {
      size,
      ready: this.#ready,
      descriptors,
      driver,
      device,
      alignment,
      lastAvailable: this.#lastAvailable,
      used: this.#used,
    }
  }

  /** Throws a VirtqueueError, and is reset, when a ready queue could not be started as it is. */
  restore(state: VirtqueueState): void {
    this.reset()
    this.size = state.size
    this.descriptors = state.descriptors
    this.driver = state.driver
    this.device = state.device
    this.alignment = state.alignment
    if (!state.ready) return
    try {
      this.start()
    } catch (error) {
      this.reset()
      throw error
    }
    this.#lastAvailable = state.lastAvailable
    this.#used = state.used
  }

  /** A chain has no more descriptors than the table: a longer one is a loop. */
  #walk(head: number): Chain {
    const { memory } = this
    const readable: Segment[] = []
    const writable: Segment[] = []
    let readLength = 0
    let writeLength = 0
    let index = head
    for (let left = this.size; left > 0; left--) {
      if (index >= this.size) throw new VirtqueueError(`descriptor ${index} in a table of ${this.size}`)
      const at = this.descriptors + 16 * index
      // Above 2^53 the sum is not exact, but then it is no address of memory either.
      const address = (memory.read32(at + 4) >>> 0) * 2 ** 32 + (memory.read32(at) >>> 0)
      const length = memory.read32(at + 8) >>> 0
      const flags = memory.read16(at + 12)
      if (flags & DESCRIPTOR.indirect) throw new VirtqueueError('an indirect descriptor, which was not negotiated')
      if (!memory.contains(address, length))
        throw new VirtqueueError(`a buffer of ${length} bytes at 0x${address.toString(16)}`)
      if (flags & DESCRIPTOR.write) {
        writable.push({ address, length })
        writeLength += length
      } else {
        if (writable.length > 0) throw new VirtqueueError('a buffer to read behind one to write')
        readable.push({ address, length })
        readLength += length
      }
      if (!(flags & DESCRIPTOR.next)) return { head, readable, writable, readLength, writeLength }
      index = memory.read16(at + 14)
    }
    throw new VirtqueueError('a chain with a loop')
  }
}

/** Copies what the segments hold from byte `offset` on into `into`; returns how many bytes there were. */
export function gather(memory: GuestMemory, segments: readonly Segment[], offset: number, into: Uint8Array): number {
  return walkBytes(segments, offset, into.length, (address, done, length) =>
    memory.read(address, into.subarray(done, done + length)),
  )
}

/** Copies `from` into the segments from byte `offset` on; returns how many bytes had room. */
export function scatter(memory: GuestMemory, segments: readonly Segment[], offset: number, from: Uint8Array): number {
  return walkBytes(segments, offset, from.length, (address, done, length) =>
    memory.write(address, from.subarray(done, done + length)),
  )
}

function walkBytes(
  segments: readonly Segment[],
  offset: number,
  length: number,
  copy: (address: number, done: number, length: number) => void,
): number {
  let done = 0
  let skip = offset
  for (const segment of segments) {
    if (done === length) break
    if (skip >= segment.length) {
      skip -= segment.length
      continue
    }
    const count = Math.min(segment.length - skip, length - done)
    copy(segment.address + skip, done, count)
    done += count
    skip = 0
  }
  return done
}
