/** The board's bus as the CPUs see it: one initiator for each CPU, and a refused access as an external abort. */

import type { Bus as CpuSideBus } from '../aarch64/physical.ts'
import { type AccessSize, type Bus, cpuInitiator, type Initiator } from '../mmio/index.ts'

export class CpuBus implements CpuSideBus {
  high = 0
  abort = false
  /** Accesses so far, for statistics. */
  accesses = 0
  readonly #bus: Bus
  readonly #initiators: readonly Initiator[]

  constructor(bus: Bus, cpus: number) {
    this.#bus = bus
    this.#initiators = Array.from({ length: cpus }, (_, cpu) => cpuInitiator(cpu))
  }

  read(cpu: number, address: number, size: number): number {
    const bus = this.#bus
    this.accesses++
    const value = bus.read(address, size as AccessSize, this.#initiators[cpu]!)
    this.high = bus.high
    if (bus.outcome !== 0 && bus.aborts(bus.outcome)) this.abort = true
    return value
  }

  write(cpu: number, address: number, size: number, low: number, high: number): void {
    const bus = this.#bus
    this.accesses++
    const outcome = bus.write(address, size as AccessSize, low | 0, high | 0, this.#initiators[cpu]!)
    if (outcome !== 0 && bus.aborts(outcome)) this.abort = true
  }
}
