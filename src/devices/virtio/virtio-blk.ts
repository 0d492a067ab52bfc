/**
 * The virtio block device (Virtual I/O Device 1.2, 5.2): reads, writes, flushes and its name. Requests may be of any length: long
 * ones are served in slices. Discard, zones, and what is on the disk when its state is saved, are not here.
 */

import { type Disk, SECTOR } from '../disk.ts'
import { GuestMemoryError } from '../memory.ts'
import { checkState, flag } from '../saved-state.ts'
import { Slices } from './slices.ts'
import type { VirtioDevice, VirtioHost } from './virtio-device.ts'
import { type Chain, gather, QUEUE_SIZE, scatter } from './virtqueue.ts'

const FEATURE = {
  segMax: 1n << 2n,
  readOnly: 1n << 5n,
  blockSize: 1n << 6n,
  flush: 1n << 9n,
} as const
const TYPE = { in: 0, out: 1, flush: 4, getId: 8 } as const
const STATUS = { ok: 0, ioError: 1, unsupported: 2 } as const

/** The most segments of a request that drivers are told of, as QEMU has it: header and status take two descriptors of 256. */
const SEG_MAX = 254
/** Bytes that are moved at once, and in a slice: that bounds the memory and the time that a request costs, whatever its length. */
const PIECE = 0x1_0000
const SLICE = 0x40_0000
/** What a request takes of a slice at least, and what a flush does, for which the host may have to wait for its own disk. */
const REQUEST = 0x1000
const FLUSH = 0x10_0000

const HEADER = 16

/** What a block device is made with. */
export interface VirtioBlkOptions {
  /** What it shows. */
  disk: Disk
  /** Serial number as the guest sees it: up to 20 bytes of ASCII. */
  serial?: string
  /**
   * Called when a slice of work has begun: `resume` begins the next one, and goes on with requests that were more than one. Without
   * it they are served at once, however long that takes.
   */
  later?: () => void
}

export class VirtioBlk implements VirtioDevice {
  /** Stands in messages. */
  readonly name = 'blk'
  readonly deviceId = 2
  readonly features: bigint
  readonly queueSizes = [QUEUE_SIZE]
  readonly config = new Uint8Array(24)

  readonly #disk: Disk
  readonly #serial: Uint8Array
  readonly #header = new DataView(new ArrayBuffer(HEADER))
  readonly #buffer = new Uint8Array(PIECE)
  /** A reset by the driver does not refill them. */
  readonly #slices: Slices
  #host: VirtioHost | undefined
  /** Bytes that are moved already of the request that was not over with the last slice, and which one that was. */
  #done = 0
  readonly #begun = { head: -1, offset: 0, length: 0 }
  /** Whether requests wait for `resume`. */
  #waiting = false

  constructor({ disk, serial = '', later }: VirtioBlkOptions) {
    this.#disk = disk
    this.#slices = new Slices(SLICE, later)
    this.#serial = new Uint8Array(20)
    this.#serial.set(new TextEncoder().encode(serial).subarray(0, 20))
    this.features = FEATURE.segMax | FEATURE.blockSize | FEATURE.flush | (disk.readOnly ? FEATURE.readOnly : 0n)
    const view = new DataView(this.config.buffer)
    view.setBigUint64(0, BigInt(Math.floor(disk.size / SECTOR)), true)
    view.setUint32(12, SEG_MAX, true)
    view.setUint32(20, SECTOR, true)
  }

  /** Called once, by the transport that it is plugged into. */
  attach(host: VirtioHost): void {
    this.#host = host
  }

  notify(queue: number): void {
    if (!this.#waiting) this.#serve(queue)
  }

  /** The next slice: goes on with requests that were more than one. */
  resume(): void {
    if (!this.#slices.next() || !this.#waiting) return
    this.#waiting = false
    this.#serve(0)
  }

  /** The driver reset the device. */
  reset(): void {
    this.#begun.head = -1
    this.#waiting = false
  }

  /** A request that has begun begins again in a machine that is restored: it is still in its queue. */
  snapshot(): unknown {
    return { kind: 'virtio-blk', version: 1, waiting: this.#waiting }
  }

  restore(state: unknown): void {
    checkState('virtio-blk', 1, { waiting: flag }, state)
    this.reset()
    this.#waiting = (state as { waiting: boolean }).waiting
    this.#slices.restart()
    if (this.#waiting) this.#slices.ask()
  }

  #serve(queue: number): void {
    this.#host?.process(queue, (chain) => this.#request(chain))
  }

  /**
   * Serves one request; the last writable byte is its status. A chain without one cannot be answered at all. Undefined when it is
   * not over with this slice.
   */
  #request(chain: Chain): number | undefined {
    const { memory } = this.#host!
    if (this.#slices.left <= 0) {
      this.#waiting = true
      return undefined
    }
    this.#slices.spend(REQUEST)
    if (chain.writeLength === 0) return 0
    const room = chain.writeLength - 1
    let status: number = STATUS.ioError
    let written = 0
    if (gather(memory, chain.readable, 0, new Uint8Array(this.#header.buffer)) === HEADER) {
      const type = this.#header.getUint32(0, true)
      const offset = Number(this.#header.getBigUint64(8, true)) * SECTOR
      if (type === TYPE.in || type === TYPE.out) {
        const length = type === TYPE.in ? room : chain.readLength - HEADER
        status = this.#transfer(chain, type === TYPE.in, offset, length)
        if (status === STATUS.ok && this.#done < length) {
          this.#waiting = true
          return undefined
        }
        if (status === STATUS.ok && type === TYPE.in) written = room
      } else if (type === TYPE.flush) {
        status = attempt(() => this.#disk.flush())
        this.#slices.spend(FLUSH)
      } else if (type === TYPE.getId) {
        status = STATUS.ok
        written = scatter(memory, chain.writable, 0, this.#serial.subarray(0, room))
      } else status = STATUS.unsupported
    }
    this.#begun.head = -1
    scatter(memory, chain.writable, room, Uint8Array.of(status))
    return status === STATUS.ok && written === room ? room + 1 : written + 1
  }

  /** Moves `length` bytes of the disk, from where the last slice ended to where this one does; nothing but whole sectors of it. */
  #transfer(chain: Chain, reads: boolean, offset: number, length: number): number {
    if (length % SECTOR !== 0 || offset + length > this.#disk.size || (!reads && this.#disk.readOnly))
      return STATUS.ioError
    const { memory } = this.#host!
    this.#begin(chain.head, offset, length)
    return attempt(() => {
      while (this.#done < length && this.#slices.left > 0) {
        const part = this.#buffer.subarray(0, Math.min(PIECE, length - this.#done))
        if (reads) {
          this.#disk.read(offset + this.#done, part)
          scatter(memory, chain.writable, this.#done, part)
        } else {
          gather(memory, chain.readable, HEADER + this.#done, part)
          this.#disk.write(offset + this.#done, part)
        }
        this.#done += part.length
        this.#slices.spend(part.length)
      }
    })
  }

  /** A driver may have put another request where one had begun, with its queue out of use in between. */
  #begin(head: number, offset: number, length: number): void {
    const begun = this.#begun
    if (begun.head === head && begun.offset === offset && begun.length === length) return
    begun.head = head
    begun.offset = offset
    begun.length = length
    this.#done = 0
  }
}

/** A host that fails is an I/O error to the guest; a driver's fault goes on to the transport. */
function attempt(act: () => void): number {
  try {
    act()
    return STATUS.ok
  } catch (error) {
    if (error instanceof GuestMemoryError) throw error
    return STATUS.ioError
  }
}
