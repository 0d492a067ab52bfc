/**
 * What a replay counts as it goes: uses of each register, deliveries of each interrupt, identification registers that
 * differ. Every table here has a limit, because a trace may be hostile.
 */

import type { Region } from './event.ts'
import type { ReplayMachine } from './machine.ts'
import type { CompareMask, Role } from './roles.ts'
import { compareMask, roleOf, roleOfRegister } from './roles.ts'

const maxRegisters = 1 << 16
const maxInterrupts = 1 << 16
const maxDifferences = 64

/** One register as the trace uses it. */
export interface RegisterUse {
  readonly role: Role
  readonly mask: CompareMask
  /** Whether the machine has the frame, or the system register, at all. */
  readonly modelled: boolean
  /** As the table of registers has it, so that an array counts as one. */
  readonly row: string
  reads: number
  writes: number
  /** Accesses that this model refused, and the last reason. */
  refused: number
  reason: string
}

/** An identification register that reads otherwise here than on the recorded machine. */
export interface IdentityDifference {
  /** The register. */
  name: string
  /** What the recorded machine returned, in hexadecimal. */
  recorded: string
  /** What this model returns. */
  ours: string
  /** Reads of it. */
  count: number
}

/** How often an interrupt was acknowledged, by CPU. */
export interface Deliveries {
  /** The interrupt. */
  intid: number
  /** Acknowledges by each CPU. */
  perCpu: number[]
  /** Acknowledges by all. */
  total: number
}

const regionCodes: Readonly<Record<Region, number>> = {
  gicd: 0,
  gicc: 1,
  v2m: 2,
  gich: 3,
  gicv: 4,
  its: 5,
  itst: 6,
  gicr: 7,
}
const regionSpan = 2 ** 28

export class Statistics {
  readonly #machine: ReplayMachine
  readonly #byOffset = new Map<number, RegisterUse>()
  readonly #byName = new Map<string, RegisterUse>()
  readonly #interrupts = new Map<number, Uint32Array>()
  readonly #identity = new Map<string, IdentityDifference>()
  readonly #absent = new Map<string, number>()

  constructor(machine: ReplayMachine) {
    this.#machine = machine
  }

  /** The counters of the memory-mapped register at an offset. */
  register(region: Region, offset: number): RegisterUse {
    const key = regionCodes[region] * regionSpan + offset
    const known = this.#byOffset.get(key)
    if (known !== undefined) return known
    const named = this.#machine.describe(region, offset, 0, 0)?.row
    const row = named ?? `${region} +0x${offset.toString(16)}`
    const use = newUse(roleOf(region, offset), compareMask(region, offset), this.#machine.models(region), row)
    if (this.#byOffset.size < maxRegisters) this.#byOffset.set(key, use)
    return use
  }

  /** The counters of a system register. */
  systemRegister(name: string): RegisterUse {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    const use = newUse(roleOfRegister(name), { low: -1, high: -1 }, this.#machine.modelsRegister(name), name)
    if (this.#byName.size < maxRegisters) this.#byName.set(name, use)
    return use
  }

  delivered(intid: number, cpu: number): void {
    let counts = this.#interrupts.get(intid)
    if (counts === undefined) {
      if (this.#interrupts.size >= maxInterrupts) return
      counts = new Uint32Array(this.#machine.description.cpus)
      this.#interrupts.set(intid, counts)
    }
    counts[cpu] = (counts[cpu] ?? 0) + 1
  }

  identityDiffers(name: string, recorded: string, ours: string): void {
    const key = `${name} ${recorded} ${ours}`
    const known = this.#identity.get(key)
    if (known !== undefined) known.count++
    else if (this.#identity.size < maxDifferences) this.#identity.set(key, { name, recorded, ours, count: 1 })
  }

  /** An access to something that the machine does not have. */
  absent(name: string): void {
    const known = this.#absent.get(name)
    if (known !== undefined || this.#absent.size < maxDifferences) this.#absent.set(name, (known ?? 0) + 1)
  }

  get interrupts(): Deliveries[] {
    return [...this.#interrupts]
      .map(([intid, counts]) => ({ intid, perCpu: [...counts], total: counts.reduce((sum, n) => sum + n, 0) }))
      .sort((a, b) => a.intid - b.intid)
  }

  get identity(): IdentityDifference[] {
    return [...this.#identity.values()]
  }

  get unmodelled(): { name: string; accesses: number }[] {
    return [...this.#absent].map(([name, accesses]) => ({ name, accesses }))
  }

  /** Every register that was used, the most used first. */
  get registers(): { name: string; reads: number; writes: number }[] {
    const rows = new Map<string, { name: string; reads: number; writes: number }>()
    for (const use of [...this.#byOffset.values(), ...this.#byName.values()]) {
      const row = rows.get(use.row) ?? { name: use.row, reads: 0, writes: 0 }
      row.reads += use.reads
      row.writes += use.writes
      rows.set(use.row, row)
    }
    return [...rows.values()].sort((a, b) => b.reads + b.writes - a.reads - a.writes)
  }

  /** Registers with accesses that this model refused, and why. */
  get refused(): { name: string; accesses: number; reason: string }[] {
    return [...this.#byOffset.values(), ...this.#byName.values()]
      .filter((use) => use.refused > 0)
      .map((use) => ({ name: use.row, accesses: use.refused, reason: use.reason }))
  }
}

function newUse(role: Role, mask: CompareMask, modelled: boolean, row: string): RegisterUse {
  return { role, mask, modelled, row, reads: 0, writes: 0, refused: 0, reason: '' }
}
