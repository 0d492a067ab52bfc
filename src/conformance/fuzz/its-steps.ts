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
const SECOND_LEVEL = page(40)
const pendingTable = (cpu: number): number => page(16 + cpu)
const QUEUE_SIZE = 0x1000
const VALID = 1n << 63n
const FIRST_LPI = 8192

/** DeviceIDs; 0 is what a PE's own write to GITS_TRANSLATER carries. Each has 8 EventIDs. */
const DEVICES = [0, 5, 9] as const
const EVENTS = 8
/** Words of a device's translation table, whatever an entry's size from 8 to 16 bytes. */
const ITT_WORDS = 2 * EVENTS
/** Registers of the ITS that a read may show at any time; 4 bytes each. */
const READABLE = [
  0x000, 0x004, 0x008, 0x00c, 0x080, 0x084, 0x088, 0x08c, 0x090, 0x094, 0x100, 0x104, 0x108, 0x10c, 0x110, 0x118, 0x138,
  0xffe8,
] as const
/** GICR_CTLR, GICR_TYPER, GICR_PROPBASER, GICR_PENDBASER: 8 bytes, or 4 for the first. */
const LPI_REGISTERS = [0x000, 0x008, 0x070, 0x078] as const

const Command = {
  MOVI: 1n,
  INT: 3n,
  CLEAR: 4n,
  SYNC: 5n,
  MAPD: 8n,
  MAPC: 9n,
  MAPTI: 0xan,
  MAPI: 0xbn,
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
  /** The PE of each collection; undefined while it is not mapped. */
  readonly #collections: (number | undefined)[]
  readonly #mapped = new Map<number, number>()
  readonly #events: readonly Event[]
  readonly #memory: number
  readonly #unmapped = new Set<number>()
  #tail = 0
  #enabled = true
  /**
   * Collections and devices are unmapped now and then, which leaves LPIs pending where no INV or INVALL reaches them: then
   * the configuration stays, because when a PE looks at it anew is open (IHI 0069 5.1.1).
   */
  readonly #unmaps: boolean
  /** Commands given to an ITS that is off. */
  #waiting = 0

  constructor(random: Random, config: TargetConfig, memory: number) {
    this.#memory = memory
    this.#unmaps = random.oneIn(2)
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
      // Now and then LPIs that are pending from before, on whichever PE.
      const pending = this.#unmaps && random.oneIn(3) ? BigInt(random.word() & 0xff_ffff) : undefined
      if (pending !== undefined)
        steps.push({ op: 'store', address: this.#memory + pendingTable(cpu) + FIRST_LPI / 8, words: [pending] })
      write('gicr', cpu * GICR_STRIDE + 0x070, this.#at(PROPERTIES) | 15n, 8)
      write(
        'gicr',
        cpu * GICR_STRIDE + 0x078,
        this.#at(pendingTable(cpu)) | (pending === undefined ? 1n << 62n : 0n),
        8,
      )
      write('gicr', cpu * GICR_STRIDE, 1, 4)
    }
    write('its', 0x100, this.#deviceTable(steps), 8)
    write('its', 0x108, VALID | this.#at(COLLECTION_TABLE) | this.#pageSize(), 8)
    write('its', 0x080, VALID | this.#at(QUEUE), 8)
    write('its', 0x000, 1, 4)
    const commands: Words[] = this.#collections.map((cpu, collection) => this.#mapc(collection, cpu ?? 0))
    for (const device of DEVICES) commands.push(this.#mapd(device))
    for (const event of this.#events) if (random.oneIn(2)) commands.push(this.#mapti(event))
    return [...steps, ...this.#issue(commands)]
  }

  /** GITS_BASERn.Page_Size: 4, 16 or 64 KiB. */
  #pageSize(): bigint {
    return BigInt(this.#random.below(3)) << 8n
  }

  /** GITS_BASER0 of one level, or of two of which the second has one page. */
  #deviceTable(steps: Step[]): bigint {
    const value = VALID | this.#at(DEVICE_TABLE) | this.#pageSize()
    if (!this.#random.oneIn(3)) return value
    steps.push({ op: 'store', address: this.#memory + DEVICE_TABLE, words: [VALID | this.#at(SECOND_LEVEL), 0n] })
    return value | (1n << 62n)
  }

  #at(offset: number): bigint {
    return BigInt(this.#memory + offset)
  }

  /** Some steps that belong together: a command or two and their execution, or a message. */
  next(): Step[] {
    const random = this.#random
    const event = random.pick(this.#events)
    // An ITS that is off leaves commands in the queue, which must not overtake itself.
    if (!this.#enabled && this.#waiting > QUEUE_SIZE / 32 - 40) return this.#control()
    if (random.oneIn(4)) {
      const offset = random.oneIn(3) ? 0x090 : 0x088
      if (random.oneIn(3)) return [{ op: 'read', cpu: random.below(this.#config.cpus), region: 'its', offset, size: 8 }]
      // A PE's own message: DeviceID 0, and now and then an EventID that is out of range or not mapped.
      const value = random.oneIn(8) ? random.below(64) : random.below(EVENTS)
      const size = random.oneIn(6) ? 2 : 4
      return [{ op: 'write', cpu: random.below(this.#config.cpus), region: 'itst', offset: 0x040, size, value }]
    }
    if (!this.#unmaps && random.oneIn(8)) return this.#configure(event)
    if (random.oneIn(16)) return [this.#readRegister()]
    if (random.oneIn(24)) return this.#control()
    if (this.#unmaps && random.oneIn(30)) return this.#device()
    const count = 1 + random.below(3)
    return this.#issue(Array.from({ length: count }, () => this.#command()).flat())
  }

  #command(): Words[] {
    const random = this.#random
    const event = random.pick(this.#events)
    const mapped = this.#mapped.has(event.lpi)
    const id = this.#id(event)
    switch (
      random.weighted({
        INT: 60,
        CLEAR: 10,
        map: 15,
        MOVI: 15,
        INV: 8,
        INVALL: 4,
        MOVALL: 3,
        MAPC: 6,
        SYNC: 5,
        faulty: 12,
      })
    ) {
      case 'INT':
        return [[Command.INT | id, BigInt(event.event), 0n, 0n]]
      case 'CLEAR':
        return [[Command.CLEAR | id, BigInt(event.event), 0n, 0n]]
      case 'map':
        if (!mapped) return this.#unmapped.has(event.device) ? [] : [this.#mapti(event)]
        if (this.#collections[this.#mapped.get(event.lpi)!] !== undefined) this.#mapped.delete(event.lpi)
        return [[Command.DISCARD | id, BigInt(event.event), 0n, 0n]]
      case 'MOVI': {
        const to = random.below(this.#collections.length)
        const from = this.#mapped.get(event.lpi)
        if (from !== undefined && this.#collections[from] !== undefined && this.#collections[to] !== undefined)
          this.#mapped.set(event.lpi, to)
        return [[Command.MOVI | id, BigInt(event.event), BigInt(to), 0n]]
      }
      case 'INV':
        return [[Command.INV | id, BigInt(event.event), 0n, 0n]]
      case 'INVALL':
        return [[Command.INVALL, 0n, BigInt(random.below(this.#collections.length)), 0n]]
      case 'MOVALL':
        return this.#moveAll()
      case 'MAPC':
        return this.#unmaps ? this.#unmapOrMap() : []
      case 'SYNC':
        return [[Command.SYNC, 0n, this.#rdbase(random.below(this.#config.cpus)), 0n]]
      case 'faulty':
        return [this.#faulty(event)]
    }
  }

  /** A command that has an error of IHI 0069 5.3, and therefore no effect. */
  #faulty(event: Event): Words {
    const random = this.#random
    const id = this.#id(event)
    const of = random.pick([Command.INT, Command.CLEAR, Command.INV, Command.DISCARD, Command.MOVI])
    const number = BigInt(event.event)
    const lpi = BigInt(event.lpi)
    const map = random.pick([Command.MAPTI, Command.MAPI])
    const far = 0xffffn
    switch (random.below(11)) {
      // A device that is not mapped, one beyond the table; an event beyond its device's, or that is not mapped.
      case 0:
        return [of | (BigInt(random.pick([1, 77])) << 32n), number, 0n, 0n]
      case 1:
        return [of | (0x12345n << 32n), number, 0n, 0n]
      case 2:
        return [of | id, BigInt(random.pick([EVENTS, 63, 0xffff])), 0n, 0n]
      case 3:
        return [map | (1n << 32n), number | (lpi << 32n), 0n, 0n]
      case 4:
        return [map | (0x12345n << 32n), number | (lpi << 32n), 0n, 0n]
      case 5:
        return [map | id, BigInt(EVENTS + random.below(100)) | (lpi << 32n), 0n, 0n]
      // An INTID that is no LPI, or none that the properties table covers; for MAPI it is the EventID.
      case 6:
        return [Command.MAPTI | id, number | (BigInt(random.pick([0, 33, 1023, 8191, 0x10000])) << 32n), 0n, 0n]
      case 7:
        return [Command.MAPI | id, number, 0n, 0n]
      // A collection beyond the table, or one that is not mapped; a PE that does not exist.
      case 8:
        return random.oneIn(2) ? [Command.INVALL, 0n, far, 0n] : [Command.MAPC, 0n, VALID | this.#rdbase(0) | far, 0n]
      case 9:
        return random.oneIn(2)
          ? [Command.MAPC, 0n, VALID | this.#rdbase(this.#config.cpus + random.below(4)), 0n]
          : [Command.MOVALL, 0n, this.#rdbase(this.#config.cpus), this.#rdbase(0)]
      // More EventIDs than GITS_TYPER.ID_bits has, and no command at all.
      default:
        return random.oneIn(2)
          ? [Command.MAPD | (0x33n << 32n), 0x1fn, VALID | this.#at(translations(0)), 0n]
          : [BigInt(random.pick([0x00, 0x02, 0x10, 0x7f, 0xff])) | id, number, 0n, 0n]
    }
  }

  /** A collection without a PE for a while, or with one again. */
  #unmapOrMap(): Words[] {
    const random = this.#random
    const collection = random.below(this.#collections.length)
    if (this.#collections[collection] === undefined) {
      const cpu = random.below(this.#config.cpus)
      this.#collections[collection] = cpu
      return [this.#mapc(collection, cpu)]
    }
    if (!random.oneIn(3)) return []
    this.#collections[collection] = undefined
    return [[Command.MAPC, 0n, BigInt(collection), 0n]]
  }

  /** A device without its table, or with it again: empty, as IHI 0069 5.2 asks of a table that is given to the ITS. */
  #device(): Step[] {
    const device = this.#random.pick(DEVICES)
    if (this.#unmapped.delete(device)) {
      const words = Array.from({ length: ITT_WORDS }, () => 0n)
      const clear: Step = { op: 'store', address: this.#memory + translations(device), words }
      return [clear, ...this.#issue([this.#mapd(device)])]
    }
    this.#unmapped.add(device)
    for (const { device: owner, lpi } of this.#events) if (owner === device) this.#mapped.delete(lpi)
    return this.#issue([[Command.MAPD | (BigInt(device) << 32n), 0n, 0n, 0n]])
  }

  #readRegister(): Step {
    const random = this.#random
    const cpu = random.below(this.#config.cpus)
    if (random.oneIn(2)) {
      const offset = random.below(this.#config.cpus) * GICR_STRIDE + random.pick(LPI_REGISTERS)
      return { op: 'read', cpu, region: 'gicr', offset, size: offset % GICR_STRIDE === 0 || random.oneIn(3) ? 4 : 8 }
    }
    const offset = random.pick(READABLE)
    const wide = offset % 8 === 0 && offset >= 0x008 && offset < 0xff00 && random.oneIn(2)
    return { op: 'read', cpu, region: 'its', offset, size: wide ? 8 : 4 }
  }

  /**
   * The ITS off or on: commands then wait, and messages are lost. Now and then its queue begins anew, which only an ITS that
   * is off and has nothing left to do may be told.
   */
  #control(): Step[] {
    const random = this.#random
    const cpu = random.below(this.#config.cpus)
    const control = (value: number): Step => ({ op: 'write', cpu, region: 'its', offset: 0x000, size: 4, value })
    if (this.#enabled) {
      this.#enabled = false
      if (!random.oneIn(3)) return [control(0)]
      this.#tail = 0
      this.#enabled = true
      return [
        control(0),
        { op: 'write', cpu, region: 'its', offset: 0x080, size: 8, value: VALID | this.#at(QUEUE) },
        { op: 'read', cpu, region: 'its', offset: 0x090, size: 8 },
        { op: 'write', cpu, region: 'its', offset: 0x088, size: 8, value: 0 },
        control(1),
      ]
    }
    this.#enabled = true
    return [control(1), { op: 'read', cpu, region: 'its', offset: 0x090, size: 8 }]
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
    if (!this.#enabled || !this.#mapped.has(event.lpi)) return []
    const address = this.#memory + PROPERTIES + ((event.lpi - FIRST_LPI) & ~7)
    const first = (event.lpi - FIRST_LPI) & ~7
    const write: Step = { op: 'store', address, words: [this.#properties()] }
    if (this.#random.oneIn(3)) {
      const collections = this.#collections.map((_, n): Words => [Command.INVALL, 0n, BigInt(n), 0n])
      return [write, ...this.#issue(collections)]
    }
    const events = this.#events.filter(({ lpi }) => ((lpi - FIRST_LPI) & ~7) === first && this.#mapped.has(lpi))
    const invalidate = events.map((one): Words => [Command.INV | this.#id(one), BigInt(one.event), 0n, 0n])
    return [write, ...this.#issue(invalidate)]
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

  #mapd(device: number): Words {
    return [Command.MAPD | (BigInt(device) << 32n), 2n, VALID | this.#at(translations(device)), 0n]
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
    this.#waiting = this.#enabled ? 0 : this.#waiting + commands.length
    for (const words of commands) {
      steps.push({ op: 'store', address: this.#memory + QUEUE + this.#tail, words })
      this.#tail = (this.#tail + 32) % QUEUE_SIZE
    }
    const cpu = this.#random.below(this.#config.cpus)
    steps.push({ op: 'write', cpu, region: 'its', offset: 0x088, size: 8, value: BigInt(this.#tail) })
    return steps
  }
}
