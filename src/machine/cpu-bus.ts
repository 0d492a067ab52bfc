/** The board's bus as the CPUs see it: one initiator for each CPU, and a refused access as an external abort. */

import type { Bus as CpuSideBus } from '../aarch64/index.ts'
import { type AccessSize, type Bus, cpuInitiator, type Initiator, Outcome } from '../mmio/index.ts'

const { ok: OK } = Outcome

/** Told of each access that was not carried out. */
export type Refused = (cpu: number, address: number, size: number, write: boolean, outcome: Outcome) => void

export class CpuBus implements CpuSideBus {
  high = 0
  abort = false
  /** Accesses so far, for statistics. */
  accesses = 0
  readonly #bus: Bus
  readonly #initiators: readonly Initiator[]
  readonly #told: Refused

  constructor(bus: Bus, cpus: number, told: Refused = () => {}) {
    this.#bus = bus
    this.#initiators = Array.from({ length: cpus }, (_, cpu) => cpuInitiator(cpu))
    this.#told = told
  }

  read(cpu: number, address: number, size: number): number {
    const bus = this.#bus
    this.accesses++
    const value = bus.read(address, size as AccessSize, this.#initiators[cpu]!)
    this.high = bus.high
    if (bus.outcome !== OK) this.#refused(cpu, address, size, false, bus.outcome)
    return value
  }

  write(cpu: number, address: number, size: number, low: number, high: number): void {
    this.accesses++
    const outcome = this.#bus.write(address, size as AccessSize, low | 0, high | 0, this.#initiators[cpu]!)
    if (outcome !== OK) this.#refused(cpu, address, size, true, outcome)
  }

  #refused(cpu: number, address: number, size: number, write: boolean, outcome: Outcome): void {
    if (this.#bus.aborts(outcome)) this.abort = true
    this.#told(cpu, address, size, write, outcome)
  }
}
