/**
 * What devices move in slices, because it is much: disks, the virtio console, and DMA of fw_cfg, for which a CPU waits. Each goes on
 * by itself (`resume`); when, is decided here, in machine time.
 */

import type { Cluster } from '../aarch64/index.ts'
import type { Scheduler } from './scheduler.ts'

/** Nanoseconds between two slices: of 4 MiB, as from a fast disk, and of 1 MiB of text. */
const SLICE_TIME = 1_000_000

export class Transfers {
  /** Machine time at which the next slice of them begins. */
  at = Number.POSITIVE_INFINITY
  readonly #cluster: Cluster
  readonly #scheduler: Scheduler
  readonly #devices: { resume(): void }[] = []
  /** The CPU that waits. */
  #cpu = 0

  constructor(cluster: Cluster, scheduler: Scheduler) {
    this.#cluster = cluster
    this.#scheduler = scheduler
  }

  /** Whose turn comes in each slice, in this order. */
  add(...devices: { resume(): void }[]): void {
    this.#devices.push(...devices)
  }

  /** A device has more to do. */
  readonly later = (): void => {
    this.at = Math.min(this.at, this.#scheduler.time + SLICE_TIME)
  }

  /** The CPU that asked for it is behind its write when all is moved, as with QEMU: there are drivers that do not look. */
  readonly wait = (): void => {
    this.later()
    const { current } = this.#scheduler
    if (this.#cluster.isRunning(current)) this.#cpu = current
    this.#scheduler.hold(this.#cpu, this.at)
  }

  timePassed(): void {
    if (this.#scheduler.time < this.at) return
    this.at = Number.POSITIVE_INFINITY
    for (const device of this.#devices) device.resume()
  }
}
