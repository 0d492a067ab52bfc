/**
 * Random work for an ITS and for LPIs: tables and queue in guest memory, commands that map, move and raise, the
 * configuration of LPIs. Only mappings that the specification defines; and some commands for what is not mapped.
 */

import type { Step, TargetConfig } from '../target.ts'
import { GICR_STRIDE } from './gicv3-view.ts'
import type { Random } from './random.ts'

/** Tables, each in a page of its own: where they lie from the start of the guest's memory. */
const page = (index: number): number => index * 0x10000
const QUEUE = page(0)
const DEVICE_TABLE = page(1)
const COLLECTION_TABLE = page(2)
const PROPERTIES = page(3)
const translations = (device: number): number => page(4 + device)
const pendingTable = (cpu: number): number => page(16 + cpu)
const QUEUE_SIZE = 0x1000
const VALID = 1n << 63n
const FIRST_LPI = 8192

/** DeviceIDs; 0 is what a PE's own write to GITS_TRANSLATER carries. Each has 8 EventIDs. */
const DEVICES = [0, 5, 9] as const
const EVENTS = 8

const Command = {
  MOVI: 1n,
  INT: 3n,
  CLEAR: 4n,
  SYNC: 5n,
  MAPD: 8n,
  MAPC: 9n,
  MAPTI: 0xan,
  INV: 0xcn,
  INVALL: 0xdn,
  MOVALL: 0xen,
  DISCARD: 0xfn,
} as const
type Words = readonly [bigint, bigint, bigint, bigint]

interface Event {
  device: number
  event: number
  lpi: number
}

export class ItsSteps {
  readonly #random: Random
  readonly #config: TargetConfig
  /** The PE of each collection. */
  readonly #collections: number[]
  readonly #mapped = new Map<number, number>()
  readonly #events: readonly Event[]
  readonly #memory: number
  #tail = 0

  constructor(random: Random, config: TargetConfig, memory: number) {
    this.#memory = memory
    this.#random = random
    this.#config = config
    this.#collections = Array.from({ length: 4 }, () => random.below(config.cpus))
    this.#events = DEVICES.flatMap((device, n) =>
      Array.from({ length: EVENTS }, (_, event) => ({ device, event, lpi: FIRST_LPI + n * EVENTS + event })),
    )
  }

  /** LPIs and the ITS switched on, every collection and device mapped, and half of the events. */
  setUp(): Step[] {
    const random = this.#random
    const steps: Step[] = []
    const write = (region: 'its' | 'gicr', offset: number, value: bigint | number, size: 4 | 8): void => {
      steps.push({ op: 'write', cpu: random.below(this.#config.cpus), region, offset, size, value })
    }
    const words = Array.from({ length: (DEVICES.length * EVENTS) / 8 }, () => this.#properties())
    steps.push({ op: 'store', address: this.#memory + PROPERTIES, words })
    for (let cpu = 0; cpu < this.#config.cpus; cpu++) {
      write('gicr', cpu * GICR_STRIDE + 0x070, this.#at(PROPERTIES) | 15n, 8)
      write('gicr', cpu * GICR_STRIDE + 0x078, this.#at(pendingTable(cpu)) | (1n << 62n), 8)
      write('gicr', cpu * GICR_STRIDE, 1, 4)
    }
    write('its', 0x100, VALID | this.#at(DEVICE_TABLE), 8)
    write('its', 0x108, VALID | this.#at(COLLECTION_TABLE), 8)
    write('its', 0x080, VALID | this.#at(QUEUE), 8)
    write('its', 0x000, 1, 4)
    const commands: Words[] = this.#collections.map((cpu, collection) => this.#mapc(collection, cpu))
    for (const device of DEVICES)
      commands.push([Command.MAPD | (BigInt(device) << 32n), 2n, VALID | this.#at(translations(device)), 0n])
    for (const event of this.#events) if (random.oneIn(2)) commands.push(this.#mapti(event))
    return [...steps, ...this.#issue(commands)]
  }

  #at(offset: number): bigint {
    return BigInt(this.#memory + offset)
  }

  /** Some steps that belong together: a command or two and their execution, or a message. */
  next(): Step[] {
    const random = this.#random
    const event = random.pick(this.#events)
    if (random.oneIn(4)) {
      const offset = random.oneIn(3) ? 0x090 : 0x088
      if (random.oneIn(3)) return [{ op: 'read', cpu: random.below(this.#config.cpus), region: 'its', offset, size: 8 }]
      // A PE's own message: DeviceID 0, and now and then an EventID that is out of range or not mapped.
      const value = random.oneIn(8) ? random.below(64) : random.below(EVENTS)
      return [{ op: 'write', cpu: random.below(this.#config.cpus), region: 'itst', offset: 0x040, size: 4, value }]
    }
    if (random.oneIn(8)) return this.#configure(event)
    const count = 1 + random.below(3)
    return this.#issue(Array.from({ length: count }, () => this.#command()).flat())
  }

  #command(): Words[] {
    const random = this.#random
    const event = random.pick(this.#events)
    const mapped = this.#mapped.has(event.lpi)
    const id = this.#id(event)
    switch (
      random.weighted({ INT: 60, CLEAR: 10, map: 15, MOVI: 15, INV: 8, INVALL: 4, MOVALL: 3, SYNC: 5, unmapped: 4 })
    ) {
      case 'INT':
        return [[Command.INT | id, BigInt(event.event), 0n, 0n]]
      case 'CLEAR':
        return [[Command.CLEAR | id, BigInt(event.event), 0n, 0n]]
      case 'map':
        if (!mapped) return [this.#mapti(event)]
        this.#mapped.delete(event.lpi)
        return [[Command.DISCARD | id, BigInt(event.event), 0n, 0n]]
      case 'MOVI': {
        const collection = random.below(this.#collections.length)
        if (mapped) this.#mapped.set(event.lpi, collection)
        return [[Command.MOVI | id, BigInt(event.event), BigInt(collection), 0n]]
      }
      case 'INV':
        return [[Command.INV | id, BigInt(event.event), 0n, 0n]]
      case 'INVALL':
        return [[Command.INVALL, 0n, BigInt(random.below(this.#collections.length)), 0n]]
      case 'MOVALL':
        return this.#moveAll()
      case 'SYNC':
        return [[Command.SYNC, 0n, this.#rdbase(random.below(this.#config.cpus)), 0n]]
      case 'unmapped': {
        const device = BigInt(random.pick([1, 77])) << 32n
        return [[random.pick([Command.INT, Command.CLEAR, Command.INV, Command.DISCARD]) | device, 0n, 0n, 0n]]
      }
    }
  }

  /** All collections of one PE to another, and what is pending there with them (IHI 0069 5.3.12, MOVALL). */
  #moveAll(): Words[] {
    const from = this.#random.below(this.#config.cpus)
    const to = this.#random.below(this.#config.cpus)
    const commands: Words[] = []
    this.#collections.forEach((cpu, collection) => {
      if (cpu !== from) return
      this.#collections[collection] = to
      commands.push(this.#mapc(collection, to))
    })
    return [...commands, [Command.MOVALL, 0n, this.#rdbase(from), this.#rdbase(to)]]
  }

  /** Another priority or enable for a mapped LPI, made known at once: when a table's byte takes effect before is open. */
  #configure(event: Event): Step[] {
    if (!this.#mapped.has(event.lpi)) return []
    const address = this.#memory + PROPERTIES + ((event.lpi - FIRST_LPI) & ~7)
    const first = (event.lpi - FIRST_LPI) & ~7
    const events = this.#events.filter(({ lpi }) => ((lpi - FIRST_LPI) & ~7) === first && this.#mapped.has(lpi))
    const invalidate = events.map((one): Words => [Command.INV | this.#id(one), BigInt(one.event), 0n, 0n])
    return [{ op: 'store', address, words: [this.#properties()] }, ...this.#issue(invalidate)]
  }

  #properties(): bigint {
    let word = 0n
    for (let n = 0n; n < 64n; n += 8n) {
      const enable = this.#random.oneIn(5) ? 0 : 1
      word |= BigInt((this.#random.below(32) << 3) | 2 | enable) << n
    }
    return word
  }

  #id(event: Event): bigint {
    return BigInt(event.device) << 32n
  }

  #rdbase(cpu: number): bigint {
    return BigInt(cpu) << 16n
  }

  #mapc(collection: number, cpu: number): Words {
    return [Command.MAPC, 0n, VALID | this.#rdbase(cpu) | BigInt(collection), 0n]
  }

  #mapti(event: Event): Words {
    const collection = this.#random.below(this.#collections.length)
    this.#mapped.set(event.lpi, collection)
    return [Command.MAPTI | this.#id(event), BigInt(event.event) | (BigInt(event.lpi) << 32n), BigInt(collection), 0n]
  }

  /** The commands in the queue, around its end if need be, and one write of GITS_CWRITER. */
  #issue(commands: readonly Words[]): Step[] {
    const steps: Step[] = []
    for (const words of commands) {
      steps.push({ op: 'store', address: this.#memory + QUEUE + this.#tail, words })
      this.#tail = (this.#tail + 32) % QUEUE_SIZE
    }
    const cpu = this.#random.below(this.#config.cpus)
    steps.push({ op: 'write', cpu, region: 'its', offset: 0x088, size: 8, value: BigInt(this.#tail) })
    return steps
  }
}
