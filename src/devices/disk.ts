/**
 * What a virtio disk is made of: bytes at offsets. An array, or an overlay that keeps what the guest writes and leaves its base
 * as it is. Disks are host objects: the offsets that reach them were checked.
 */

/** A device that reads and writes whole sectors within `size`; an implementation throws when the host fails. */
export interface Disk {
  /** Length in bytes: a multiple of 512. */
  readonly size: number
  /** A guest's writes are refused. */
  readonly readOnly: boolean
  /** Fills `into` with the bytes from `offset` on. Throws where they do not lie on the disk. */
  read(offset: number, into: Uint8Array): void
  /** Stores all of `from` at `offset`. Throws where it does not lie on the disk. */
  write(offset: number, from: Uint8Array): void
  /** Makes what was written last. */
  flush(): void
}

/** Anything that can be read at an offset: an open file, an array. */
export interface DiskBase {
  /** Length in bytes; what is missing to a whole sector reads as zero. */
  readonly size: number
  /** Fills `into`; never called for bytes beyond `size`. */
  read(offset: number, into: Uint8Array): void
}

/** Bytes of a sector: what a disk is a whole number of. */
export const SECTOR = 512

/** Bytes of a base. */
export function bytesBase(bytes: Uint8Array): DiskBase {
  return {
    size: bytes.length,
    read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
  }
}

/** A disk that cannot be written. */
export function readOnlyDisk(base: DiskBase): Disk {
  return {
    size: Math.ceil(base.size / SECTOR) * SECTOR,
    readOnly: true,
    read: (offset, into) => readPadded(base, offset, into),
    write: () => {
      throw new Error('the disk is read-only')
    },
    flush: () => {},
  }
}

/** Bytes that the overlay keeps together: what a first write to any of them costs. */
const CLUSTER = 0x1_0000

/** What an overlay is laid over. */
export interface OverlayOptions {
  /** The most that written data may take up, in bytes; beyond it a write fails. All of the disk unless given. */
  limit?: number
}

/** A disk whose writes stay in memory, over a base that is never changed. */
export class OverlayDisk implements Disk {
  readonly size: number
  /** Writes stay in the overlay, so a guest may always write. */
  readonly readOnly = false
  readonly #base: DiskBase
  readonly #clusters = new Map<number, Uint8Array>()
  readonly #limit: number

  constructor(base: DiskBase, options: OverlayOptions = {}) {
    this.#base = base
    this.size = Math.ceil(base.size / SECTOR) * SECTOR
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY
  }

  /** Bytes that written data takes up. */
  get kept(): number {
    return this.#clusters.size * CLUSTER
  }

  /** As of any disk: what was written here, and the rest from below. */
  read(offset: number, into: Uint8Array): void {
    forEachCluster(offset, into.length, (index, within, done, length) => {
      const cluster = this.#clusters.get(index)
      const part = into.subarray(done, done + length)
      if (cluster === undefined) readPadded(this.#base, index * CLUSTER + within, part)
      else part.set(cluster.subarray(within, within + length))
    })
  }

  /** Throws when the limit is reached; clusters before the one that is too much are written then. */
  write(offset: number, from: Uint8Array): void {
    forEachCluster(offset, from.length, (index, within, done, length) => {
      let cluster = this.#clusters.get(index)
      if (cluster === undefined) {
        if (this.kept + CLUSTER > this.#limit)
          throw new Error(`the overlay has reached its limit of ${this.#limit} bytes`)
        cluster = new Uint8Array(CLUSTER)
        readPadded(this.#base, index * CLUSTER, cluster)
        this.#clusters.set(index, cluster)
      }
      cluster.set(from.subarray(done, done + length), within)
    })
  }

  flush(): void {}
}

function readPadded(base: DiskBase, offset: number, into: Uint8Array): void {
  const there = Math.max(0, Math.min(into.length, base.size - offset))
  if (there > 0) base.read(offset, into.subarray(0, there))
  into.fill(0, there)
}

function forEachCluster(
  offset: number,
  length: number,
  act: (index: number, within: number, done: number, length: number) => void,
): void {
  for (let done = 0; done < length; ) {
    const within = (offset + done) % CLUSTER
    const part = Math.min(CLUSTER - within, length - done)
    act((offset + done - within) / CLUSTER, within, done, part)
    done += part
  }
}
