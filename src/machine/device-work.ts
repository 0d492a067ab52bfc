/**
 * What the work of devices costs in machine time. A write of one word may have a device move gigabytes, and is over when it returns,
 * as with QEMU; but a guest that repeats it would keep the host from its signals and limits, which look between slices of machine
 * time. So such work goes on at a bounded rate: a CPU that asked for much has its next turn when that time is over.
 */

import type { Cluster } from '../aarch64/index.ts'
import type { Scheduler } from './scheduler.ts'

/** Bytes that are moved in a nanosecond, and nanoseconds of any access beside: as memory of today and an access to it. */
const BYTES = 4
const ACCESS = 8

/** Nanoseconds of work that a guest may be ahead of machine time: who does no more than that sees no difference. */
const AHEAD = 1_000_000

export class DeviceWork {
  readonly #cluster: Cluster
  readonly #scheduler: Scheduler
  /** Machine time at which all of it would be done. */
  #until = 0

  constructor(cluster: Cluster, scheduler: Scheduler) {
    this.#cluster = cluster
    this.#scheduler = scheduler
  }

  /** A device moves so many bytes. What it does by itself counts for no CPU, and is the device's to bound. */
  readonly moved = (bytes: number): void => {
    const cpu = this.#scheduler.current
    if (!this.#cluster.isRunning(cpu)) return
    const now = this.#cluster.time(cpu)
    this.#until = Math.max(this.#until, now) + ACCESS + bytes / BYTES
    if (this.#until - now > AHEAD) this.#scheduler.hold(cpu, Math.ceil(this.#until))
  }
}
