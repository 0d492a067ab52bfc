/** What a kind of virtio device and its transport want of each other, and the bits of Status. Neither of them is here. */

import type { GuestMemory } from '../memory.ts'
import type { Chain } from './virtqueue.ts'

/** Bits of Status (Virtual I/O Device 1.2, 2.1). */
export const VirtioStatus = {
  /** A driver has seen the device. */
  acknowledge: 1,
  /** It knows how to drive it. */
  driver: 2,
  /** It is set up, and the device may work. */
  driverOk: 4,
  /** Features are agreed on. */
  featuresOk: 8,
  /** The driver broke the rules: nothing goes on before a reset. */
  needsReset: 64,
  /** The driver gave up. */
  failed: 128,
} as const

/** What a device may ask of its transport. */
export interface VirtioHost {
  /** Where the driver's buffers are. */
  readonly memory: GuestMemory
  /**
   * Handles the chains that wait in a queue, at most one ring full. `handle` returns the bytes that it wrote, or undefined to
   * leave this chain and the rest for later. A driver that breaks the rules puts the device in need of a reset.
   */
  process(queue: number, handle: (chain: Chain) => number | undefined): void
  /** Whether the driver is up and a chain waits in this queue. */
  hasBuffers(queue: number): boolean
  /** Tells the driver that the configuration changed. */
  configChanged(): void
}

/** A kind of virtio device: block, console, entropy. */
export interface VirtioDevice {
  /** Stands in messages. */
  readonly name: string
  /** Virtual I/O Device 1.2, 5. */
  readonly deviceId: number
  /** Feature bits of the device itself, 0 to 23. */
  readonly features: bigint
  /** The largest size of each queue: powers of two. */
  readonly queueSizes: readonly number[]
  /** Configuration space as it is now. */
  readonly config: Uint8Array
  /** Called once, by the transport that it is plugged into. */
  attach(host: VirtioHost): void
  /** The driver says that this queue has buffers. */
  notify(queue: number): void
  /** The driver reset the device. */
  reset(): void
  /** Plain JSON of what the device keeps beside its queues. */
  snapshot(): unknown
  /** Throws, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void
}
