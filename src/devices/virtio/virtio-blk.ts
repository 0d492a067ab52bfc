/**
 * The virtio block device (Virtual I/O Device 1.2, 5.2): reads, writes, flushes and its name. A request moves a bounded number
 * of bytes, which the driver is told. Discard, zones, and what is on the disk when its state is saved, are not here.
 */

import { type Disk, SECTOR } from '../disk.ts'
import { GuestMemoryError } from '../memory.ts'
import { checkState } from '../saved-state.ts'
import type { VirtioDevice, VirtioHost } from './virtio-device.ts'
import { type Chain, gather, QUEUE_SIZE, scatter } from './virtqueue.ts'

const FEATURE = {
  sizeMax: 1n << 1n,
  segMax: 1n << 2n,
  readOnly: 1n << 5n,
  blockSize: 1n << 6n,
  flush: 1n << 9n,
} as const
const TYPE = { in: 0, out: 1, flush: 4, getId: 8 } as const
const STATUS = { ok: 0, ioError: 1, unsupported: 2 } as const

/** The longest segment and the most of them in a request: together 4 MiB. */
const SIZE_MAX = 0x1_0000
const SEG_MAX = 64
const MAX_DATA = SIZE_MAX * SEG_MAX

const HEADER = 16

export interface VirtioBlkOptions {
  disk: Disk
  /** Serial number as the guest sees it: up to 20 bytes of ASCII. */
  serial?: string
}

export class VirtioBlk implements VirtioDevice {
  readonly name = 'blk'
  readonly deviceId = 2
  readonly features: bigint
  readonly queueSizes = [QUEUE_SIZE]
  readonly config = new Uint8Array(24)

  readonly #disk: Disk
  readonly #serial: Uint8Array
  readonly #header = new DataView(new ArrayBuffer(HEADER))
  readonly #buffer = new Uint8Array(SIZE_MAX)
  #host: VirtioHost | undefined

  constructor({ disk, serial = '' }: VirtioBlkOptions) {
    this.#disk = disk
    this.#serial = new Uint8Array(20)
    this.#serial.set(new TextEncoder().encode(serial).subarray(0, 20))
    this.features =
      FEATURE.sizeMax | FEATURE.segMax | FEATURE.blockSize | FEATURE.flush | (disk.readOnly ? FEATURE.readOnly : 0n)
    const view = new DataView(this.config.buffer)
    view.setBigUint64(0, BigInt(Math.floor(disk.size / SECTOR)), true)
    view.setUint32(8, SIZE_MAX, true)
    view.setUint32(12, SEG_MAX, true)
    view.setUint32(20, SECTOR, true)
  }

  attach(host: VirtioHost): void {
    this.#host = host
  }

  notify(queue: number): void {
    this.#host?.process(queue, (chain) => this.#request(chain))
  }

  reset(): void {}

  snapshot(): unknown {
    return { kind: 'virtio-blk', version: 1 }
  }

  restore(state: unknown): void {
    checkState('virtio-blk', 1, {}, state)
  }

  /** Serves one request; the last writable byte is its status. A chain without one cannot be answered at all. */
  #request(chain: Chain): number {
    const { memory } = this.#host!
    if (chain.writeLength === 0) return 0
    const room = chain.writeLength - 1
    let status: number = STATUS.ioError
    let written = 0
    if (gather(memory, chain.readable, 0, new Uint8Array(this.#header.buffer)) === HEADER) {
      const type = this.#header.getUint32(0, true)
      const offset = Number(this.#header.getBigUint64(8, true)) * SECTOR
      if (type === TYPE.in) {
        status = this.#transfer(offset, room, (part, done) => {
          this.#disk.read(offset + done, part)
          scatter(memory, chain.writable, done, part)
        })
        if (status === STATUS.ok) written = room
      } else if (type === TYPE.out) {
        if (!this.#disk.readOnly)
          status = this.#transfer(offset, chain.readLength - HEADER, (part, done) => {
            gather(memory, chain.readable, HEADER + done, part)
            this.#disk.write(offset + done, part)
          })
      } else if (type === TYPE.flush) status = attempt(() => this.#disk.flush())
      else if (type === TYPE.getId) {
        status = STATUS.ok
        written = scatter(memory, chain.writable, 0, this.#serial.subarray(0, room))
      } else status = STATUS.unsupported
    }
    scatter(memory, chain.writable, room, Uint8Array.of(status))
    return status === STATUS.ok && written === room ? room + 1 : written + 1
  }

  /** Moves `length` bytes of the disk in pieces; nothing when they are not whole sectors of it, or too many. */
  #transfer(offset: number, length: number, move: (part: Uint8Array, done: number) => void): number {
    if (length % SECTOR !== 0 || length > MAX_DATA || offset + length > this.#disk.size) return STATUS.ioError
    return attempt(() => {
      for (let done = 0; done < length; done += SIZE_MAX)
        move(this.#buffer.subarray(0, Math.min(SIZE_MAX, length - done)), done)
    })
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
