/**
 * The virtio transport over MMIO, version 2 (Virtual I/O Device 1.2, 4.2): registers, status, queues and the interrupt. What a
 * queue is for, the device behind it knows. Offered are split queues without indirect descriptors or event indices.
 */

import { Frame, type FrameOptions } from '../mmio/index.ts'
import { Line, type LineListener } from './line.ts'
import { type GuestMemory, GuestMemoryError } from './memory.ts'
import { checkState, flag, list, object, SavedStateError, whole, word32 } from './saved-state.ts'
import { virtioMmioTable } from './virtio-mmio-registers.ts'
import { type Chain, Virtqueue, VirtqueueError, type VirtqueueState } from './virtqueue.ts'

/** VIRTIO_F_VERSION_1, without which this transport does not work. */
const VERSION_1 = 1n << 32n

/** Bits of Status (Virtual I/O Device 1.2, 2.1). */
export const VirtioStatus = {
  acknowledge: 1,
  driver: 2,
  driverOk: 4,
  featuresOk: 8,
  needsReset: 64,
  failed: 128,
} as const

const USED_BUFFER = 1
const CONFIG_CHANGE = 2

/** What a device may ask of its transport. */
export interface VirtioHost {
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
  readonly name: string
  /** Virtual I/O Device 1.2, 5. */
  readonly deviceId: number
  /** Feature bits of the device itself, 0 to 23. */
  readonly features: bigint
  /** The largest size of each queue: powers of two. */
  readonly queueSizes: readonly number[]
  /** Configuration space as it is now. */
  readonly config: Uint8Array
  attach(host: VirtioHost): void
  /** The driver says that this queue has buffers. */
  notify(queue: number): void
  reset(): void
  /** Plain JSON of what the device keeps beside its queues. */
  snapshot(): unknown
  /** Throws, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void
}

/** Plain JSON. */
export interface VirtioMmioState {
  kind: 'virtio-mmio'
  version: 1
  deviceId: number
  status: number
  deviceFeaturesSel: number
  driverFeaturesSel: number
  driverFeatures: number[]
  queueSel: number
  interruptStatus: number
  configGeneration: number
  queues: VirtqueueState[]
  device: unknown
}

export interface VirtioMmioOptions {
  memory: GuestMemory
  /** The device in this slot; a slot without one reads DeviceID 0, and drivers pass it by. */
  device?: VirtioDevice
  /** The interrupt; called on change only. */
  interrupt?: LineListener
  /** Called with a reason when the driver broke the rules and the device now needs a reset. */
  broken?: (reason: string) => void
}

export class VirtioMmio {
  readonly frame: Frame<VirtioMmio>
  readonly interrupt: Line
  readonly queues: readonly Virtqueue[]
  deviceFeaturesSel = 0
  driverFeaturesSel = 0
  queueSel = 0

  readonly #device: VirtioDevice | undefined
  readonly #memory: GuestMemory
  readonly #broken: ((reason: string) => void) | undefined
  readonly #driverFeatures = new Int32Array(2)
  #status = 0
  #interruptStatus = 0
  #configGeneration = 0
  #processing = false

  constructor(options: VirtioMmioOptions, frame: FrameOptions<VirtioMmio> = {}) {
    this.interrupt = new Line(options.interrupt)
    this.#device = options.device
    this.#memory = options.memory
    this.#broken = options.broken
    this.queues = (options.device?.queueSizes ?? []).map((size) => new Virtqueue(options.memory, size))
    this.frame = new Frame<VirtioMmio>(virtioMmioTable, this, {
      name: `virtio-${options.device?.name ?? 'mmio'}`,
      ...frame,
      settle: (transport) => transport.settle(),
    })
    options.device?.attach({
      memory: options.memory,
      process: (queue, handle) => this.#process(queue, handle),
      hasBuffers: (queue) => this.#hasBuffers(queue),
      configChanged: () => this.#configChanged(),
    })
  }

  reset(): void {
    this.status = 0
    this.settle()
  }

  get deviceId(): number {
    return this.#device?.deviceId ?? 0
  }

  /** A word of the features offered, by DeviceFeaturesSel. */
  get deviceFeatures(): number {
    if (this.deviceFeaturesSel >>> 0 > 1) return 0
    return Number(BigInt.asIntN(32, this.#offered >> (this.deviceFeaturesSel === 1 ? 32n : 0n)))
  }

  /** Features are settled with FEATURES_OK: a later write has no effect. */
  set driverFeatures(value: number) {
    if (this.#status & VirtioStatus.featuresOk || this.driverFeaturesSel >>> 0 > 1) return
    this.#driverFeatures[this.driverFeaturesSel] = value
  }

  /** The queue that QueueSel chooses, where there is one. */
  get queue(): Virtqueue | undefined {
    return this.queues[this.queueSel >>> 0]
  }

  setQueueReady(ready: boolean): void {
    const queue = this.queue
    if (queue === undefined || ready === queue.ready) return
    if (ready) this.#guard(() => queue.start())
    else queue.stop()
  }

  notify(queue: number): void {
    if (!this.#running || this.queues[queue]?.ready !== true) return
    this.#guard(() => this.#device?.notify(queue))
  }

  get interruptStatus(): number {
    return this.#interruptStatus
  }

  acknowledge(mask: number): void {
    this.#interruptStatus &= ~mask
  }

  get status(): number {
    return this.#status
  }

  /** 0 is a reset. FEATURES_OK stays only when the driver accepted what it must and nothing that was not offered. */
  set status(value: number) {
    if ((value & 0xff) === 0) {
      this.#status = 0
      this.#interruptStatus = 0
      this.#driverFeatures.fill(0)
      this.deviceFeaturesSel = 0
      this.driverFeaturesSel = 0
      this.queueSel = 0
      for (const queue of this.queues) queue.reset()
      this.#device?.reset()
      return
    }
    let next = (value & 0xff) | (this.#status & VirtioStatus.needsReset)
    if (next & ~this.#status & VirtioStatus.featuresOk && !this.#featuresAcceptable) next &= ~VirtioStatus.featuresOk
    this.#status = next
  }

  get configGeneration(): number {
    return this.#configGeneration
  }

  /** A word of the configuration space, little-endian; beyond its end, 0. */
  configWord(index: number): number {
    const config = this.#device?.config
    if (config === undefined) return 0
    let value = 0
    for (let i = 0; i < 4; i++) value |= (config[index * 4 + i] ?? 0) << (i * 8)
    return value
  }

  settle(): void {
    this.interrupt.set(this.#interruptStatus !== 0)
  }

  snapshot(): VirtioMmioState {
    return {
      kind: 'virtio-mmio',
      version: 1,
      deviceId: this.deviceId,
      status: this.#status,
      deviceFeaturesSel: this.deviceFeaturesSel >>> 0,
      driverFeaturesSel: this.driverFeaturesSel >>> 0,
      driverFeatures: Array.from(this.#driverFeatures, (value) => value >>> 0),
      queueSel: this.queueSel >>> 0,
      interruptStatus: this.#interruptStatus,
      configGeneration: this.#configGeneration,
      queues: this.queues.map((queue) => queue.snapshot()),
      device: this.#device?.snapshot() ?? null,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    checkState('virtio-mmio', 1, SHAPE, state)
    const saved = state as VirtioMmioState
    if (saved.deviceId !== this.deviceId || saved.queues.length !== this.queues.length)
      throw new SavedStateError(`saved state of virtio-mmio: is of another device than ${this.frame.name}`)
    // Tried on copies first: a ring that is not in this memory must leave all as it is.
    try {
      for (const [i, queue] of saved.queues.entries())
        new Virtqueue(this.#memory, this.queues[i]!.maxSize).restore(queue)
    } catch (error) {
      if (error instanceof VirtqueueError) throw new SavedStateError(`saved state of virtio-mmio: has ${error.message}`)
      throw error
    }
    this.#device?.restore(saved.device)
    for (const [i, queue] of saved.queues.entries()) this.queues[i]!.restore(queue)
    this.#status = saved.status
    this.deviceFeaturesSel = saved.deviceFeaturesSel | 0
    this.driverFeaturesSel = saved.driverFeaturesSel | 0
    this.#driverFeatures.set(saved.driverFeatures)
    this.queueSel = saved.queueSel | 0
    this.#interruptStatus = saved.interruptStatus
    this.#configGeneration = saved.configGeneration
    this.settle()
  }

  get #offered(): bigint {
    return this.#device === undefined ? 0n : this.#device.features | VERSION_1
  }

  get #featuresAcceptable(): boolean {
    const [low, high] = this.#driverFeatures
    const accepted = (BigInt(high! >>> 0) << 32n) | BigInt(low! >>> 0)
    return (accepted & VERSION_1) !== 0n && (accepted & ~this.#offered) === 0n
  }

  get #running(): boolean {
    const { driverOk, needsReset } = VirtioStatus
    return (this.#status & (driverOk | needsReset)) === driverOk
  }

  #hasBuffers(queue: number): boolean {
    let has = false
    if (this.#running) this.#guard(() => (has = this.queues[queue]?.hasNext ?? false))
    return has
  }

  #process(queue: number, handle: (chain: Chain) => number | undefined): void {
    const ring = this.queues[queue]
    // A device that is told of buffers while it handles some has its loop already.
    if (ring === undefined || !this.#running || this.#processing) return
    let pushed = false
    this.#processing = true
    try {
      this.#guard(() => {
        for (let left = ring.size; left > 0; left--) {
          const chain = ring.next()
          if (chain === undefined) break
          const written = handle(chain)
          if (written === undefined) {
            ring.putBack()
            break
          }
          ring.push(chain, written)
          pushed = true
        }
      })
      if (pushed) this.#guard(() => this.#interruptFor(ring))
    } finally {
      this.#processing = false
    }
    this.settle()
  }

  #interruptFor(ring: Virtqueue): void {
    if (ring.wantsInterrupt) this.#interruptStatus |= USED_BUFFER
  }

  /** Turns a driver's fault into a device that needs a reset. */
  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof VirtqueueError || error instanceof GuestMemoryError)) throw error
      this.#status |= VirtioStatus.needsReset
      if (this.#status & VirtioStatus.driverOk) this.#interruptStatus |= CONFIG_CHANGE
      this.#broken?.(error.message)
      this.settle()
    }
  }

  #configChanged(): void {
    this.#configGeneration = (this.#configGeneration + 1) & 0xff
    if (this.#status & VirtioStatus.driverOk) this.#interruptStatus |= CONFIG_CHANGE
    this.settle()
  }
}

const ADDRESS = whole(0, Number.MAX_SAFE_INTEGER)
const SHAPE = {
  deviceId: word32,
  status: whole(0, 0xff),
  deviceFeaturesSel: word32,
  driverFeaturesSel: word32,
  driverFeatures: list(word32, 2),
  queueSel: word32,
  interruptStatus: whole(0, 3),
  configGeneration: whole(0, 0xff),
  queues: list(
    object({
      size: whole(0, 0xffff),
      ready: flag,
      descriptors: ADDRESS,
      driver: ADDRESS,
      device: ADDRESS,
      lastAvailable: whole(0, 0xffff),
      used: whole(0, 0xffff),
    }),
    64,
  ),
  device: () => undefined,
}
