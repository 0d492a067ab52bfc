/**
 * The virtio transport over MMIO (Virtual I/O Device 1.2, 4.2), version 2 or the legacy interface: status, which queues are in
 * use, and the interrupt. What a queue is for, the device behind it knows. Offered are split queues without indirect descriptors
 * or event indices.
 */

import { Frame, type FrameOptions, type InterruptSource, type SourceGate } from '../../mmio/index.ts'
import { Line, type LineListener } from '../line.ts'
import { type GuestMemory, GuestMemoryError } from '../memory.ts'
import { type VirtioDevice, VirtioStatus } from './virtio-device.ts'
import { VERSION_1, VirtioFeatures } from './virtio-features.ts'
import { virtioGates } from './virtio-mmio-gates.ts'
import { virtioLegacyTable } from './virtio-mmio-legacy.ts'
import { type VirtioTransport, virtioMmioTable } from './virtio-mmio-registers.ts'
import { checkFits, type VirtioMmioState } from './virtio-mmio-state.ts'
import { type Chain, Virtqueue, VirtqueueError } from './virtqueue.ts'

const USED_BUFFER = 1
const CONFIG_CHANGE = 2

/** What a transport is made with. */
export interface VirtioMmioOptions {
  /** Where the driver's rings and buffers are. */
  memory: GuestMemory
  /** The device in this slot; a slot without one reads DeviceID 0, and drivers pass it by. */
  device?: VirtioDevice
  /** The legacy interface of before version 1.0, in place of version 2. */
  legacy?: boolean
  /** The interrupt; called on change only. */
  interrupt?: LineListener
  /** Called with a reason when the driver broke the rules and the device now needs a reset. */
  broken?: (reason: string) => void
}

/** A virtio transport over MMIO, version 2 or legacy (Virtual I/O Device 1.2, 4.2), with a device in it or empty. */
export class VirtioMmio implements VirtioTransport, InterruptSource {
  readonly name: string
  /** Its registers, 512 bytes, to be put on a bus. */
  readonly frame: Frame<VirtioMmio>
  /** High while InterruptStatus is not 0. */
  readonly interrupt: Line
  /** The device's queues; none in an empty slot. */
  readonly queues: readonly Virtqueue[]
  /** What is offered, and what the driver took of it. */
  readonly features: VirtioFeatures
  /** QueueSel: which queue the queue's registers are of. */
  queueSel = 0
  /** Of the legacy interface: how far a page number is shifted to be an address. A reset leaves it. */
  pageShift = 0

  readonly #legacy: boolean
  readonly #device: VirtioDevice | undefined
  readonly #memory: GuestMemory
  readonly #broken: ((reason: string) => void) | undefined
  #status = 0
  #interruptStatus = 0
  #configGeneration = 0
  #processing = false

  constructor(options: VirtioMmioOptions, frame: FrameOptions<VirtioMmio> = {}) {
    this.interrupt = new Line(options.interrupt)
    this.#legacy = options.legacy ?? false
    this.#device = options.device
    this.#memory = options.memory
    this.features = new VirtioFeatures(offered(options))
    this.#broken = options.broken
    this.queues = (options.device?.queueSizes ?? []).map((size) => new Virtqueue(options.memory, size))
    this.name = options.device === undefined ? 'empty virtio slot' : `virtio ${options.device.name}`
    this.frame = new Frame<VirtioMmio>(this.#legacy ? virtioLegacyTable : virtioMmioTable, this, {
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

  /** A write of 0 to Status. */
  reset(): void {
    this.status = 0
    this.settle()
  }

  get deviceId(): number {
    return this.#device?.deviceId ?? 0
  }

  /** A write of DriverFeatures. They are settled with FEATURES_OK, which the legacy interface has not: a later one has no effect. */
  takeFeatures(value: number): void {
    if (this.#legacy || !(this.#status & VirtioStatus.featuresOk)) this.features.take(value)
  }

  /** The queue that QueueSel chooses, where there is one. */
  get queue(): Virtqueue | undefined {
    return this.queues[this.queueSel >>> 0]
  }

  /** A write of QueueReady. */
  setQueueReady(ready: boolean): void {
    const queue = this.queue
    if (queue === undefined || ready === queue.ready) return
    if (ready) this.#guard(() => queue.start())
    else queue.stop()
  }

  /** The legacy interface puts a queue to use with its address, and out of use with 0 (4.2.4). */
  setQueueAddress(address: number): void {
    const queue = this.queue
    if (queue === undefined) return
    queue.stop()
    if (address === 0) return
    queue.layOut(address)
    this.#guard(() => queue.start())
  }

  /** A write of QueueNotify. */
  notify(queue: number): void {
    if (!this.#running || this.queues[queue]?.ready !== true) return
    this.#guard(() => this.#device?.notify(queue))
  }

  /** InterruptStatus: bit 0 a used buffer, bit 1 a change of configuration. */
  get interruptStatus(): number {
    return this.#interruptStatus
  }

  /** A write of InterruptACK. */
  acknowledge(mask: number): void {
    this.#interruptStatus &= ~mask
  }

  /** Status, bits of VirtioStatus. */
  get status(): number {
    return this.#status
  }

  /**
   * 0 is a reset. FEATURES_OK stays only when the driver accepted nothing that was not offered. That it must accept VERSION_1
   * too, some do not know; a device may go on then (6.2), and QEMU's does.
   */
  set status(value: number) {
    if (this.#device === undefined) return
    if ((value & 0xff) === 0) {
      this.#status = 0
      this.#interruptStatus = 0
      this.features.reset()
      this.queueSel = 0
      for (const queue of this.queues) queue.reset()
      this.#device.reset()
      return
    }
    let next = (value & 0xff) | (this.#status & VirtioStatus.needsReset)
    if (!this.#legacy && next & ~this.#status & VirtioStatus.featuresOk && !this.features.acceptable)
      next &= ~VirtioStatus.featuresOk
    this.#status = next
  }

  /** ConfigGeneration: another number after each change of the configuration space. */
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

  /** Brings the interrupt wire up to date. */
  settle(): void {
    this.interrupt.set(this.#interruptStatus !== 0)
  }

  /** The interrupt of the slot, by Status, QueueReady and InterruptStatus (Virtual I/O Device 1.2, 4.2.2). */
  interruptGates(): SourceGate[] {
    return virtioGates({
      present: this.#device !== undefined,
      legacy: this.#legacy,
      status: this.#status,
      interruptStatus: this.#interruptStatus,
      queues: this.queues,
    })
  }

  /** The state, as plain JSON. */
  snapshot(): VirtioMmioState {
    return {
      kind: 'virtio-mmio',
      version: 1,
      legacy: this.#legacy,
      deviceId: this.deviceId,
      status: this.#status,
      deviceFeaturesSel: this.features.deviceSel >>> 0,
      driverFeaturesSel: this.features.driverSel >>> 0,
      driverFeatures: Array.from(this.features.taken, (value) => value >>> 0),
      queueSel: this.queueSel >>> 0,
      interruptStatus: this.#interruptStatus,
      configGeneration: this.#configGeneration,
      pageShift: this.pageShift,
      queues: this.queues.map((queue) => queue.snapshot()),
      device: this.#device?.snapshot() ?? null,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    const saved = checkFits(state, {
      name: this.frame.name,
      legacy: this.#legacy,
      deviceId: this.deviceId,
      memory: this.#memory,
      queues: this.queues,
    })
    this.#device?.restore(saved.device)
    for (const [i, queue] of saved.queues.entries()) this.queues[i]!.restore(queue)
    this.#status = saved.status
    this.features.deviceSel = saved.deviceFeaturesSel | 0
    this.features.driverSel = saved.driverFeaturesSel | 0
    this.features.taken.set(saved.driverFeatures)
    this.queueSel = saved.queueSel | 0
    this.#interruptStatus = saved.interruptStatus
    this.#configGeneration = saved.configGeneration
    this.pageShift = saved.pageShift
    this.settle()
  }

  /** Drivers for the legacy interface may use a device before they say that they are up (3.1.2). */
  get #running(): boolean {
    const { driverOk, needsReset } = VirtioStatus
    return ((this.#status & (driverOk | needsReset)) | (this.#legacy ? driverOk : 0)) === driverOk
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

function offered({ device, legacy }: VirtioMmioOptions): bigint {
  return device === undefined ? 0n : device.features | (legacy ? 0n : VERSION_1)
}
