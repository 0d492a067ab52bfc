/**
 * Random steps for a GICv2: every register by every CPU, biased to where things happen, input changes, acknowledge
 * and end of interrupt. Chooses steps only; what they should do is for the targets to agree on.
 */

import type { Step, TargetConfig } from '../target.ts'
import type { Rule } from './compare.ts'
import type { StepSource } from './fuzz.ts'
import { Gicv2View } from './gicv2-view.ts'
import type { Random } from './random.ts'
import { chooseIntids, inputStep, someIntid, type Wires } from './wires.ts'

/** Kinds of steps, and how often each is chosen. */
const MIX = {
  input: 180,
  acknowledge: 130,
  end: 140,
  deactivate: 40,
  lines: 150,
  sgi: 50,
  enable: 50,
  pend: 50,
  active: 15,
  priority: 40,
  retarget: 15,
  configure: 15,
  distributorControl: 5,
  cpuControl: 15,
  mask: 25,
  binaryPoint: 15,
  sgiPending: 15,
  readDistributor: 100,
  readCpuInterface: 80,
  message: 5,
  anything: 15,
} as const

const PRIORITIES = [0x08, 0x10, 0x18, 0x20, 0x40, 0x41, 0x60, 0x80, 0xa0, 0xa8, 0xc0, 0xe0, 0xf0, 0xf8, 0xfe, 0xff]
const WORD_BANKS = [0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380] as const

export class Gicv2Steps implements StepSource<Gicv2View> {
  readonly view: Gicv2View
  readonly #random: Random
  readonly #config: TargetConfig
  readonly #rules: readonly Rule<Gicv2View>[]
  readonly #wires: Wires
  /** The INTIDs that this case is about; anything may happen to others, but rarely. */
  readonly #intids: readonly number[]
  readonly #groups: boolean
  readonly #controlBits: number
  /** Interrupts are ended and deactivated in any order, acknowledged or not. */
  readonly #wild: boolean
  #queue: Step[] = []

  constructor(random: Random, config: TargetConfig, rules: readonly Rule<Gicv2View>[], wires: Wires) {
    this.view = new Gicv2View(config)
    this.#random = random
    this.#config = config
    this.#rules = rules
    this.#wires = wires
    this.#intids = chooseIntids(random, wires, 0)
    this.#groups = config.security || random.oneIn(2)
    this.#wild = random.oneIn(3)
    this.#controlBits = config.security ? 0x61f : this.#groups ? 0x21f : 0x201
    this.#queue = this.#setUp().map((step) => this.#secure(step))
  }

  /** The next steps, all of them within the rules. `view` must have been told the answers to earlier ones. */
  batch(count: number): Step[] {
    const steps: Step[] = []
    while (steps.length < count) {
      const step = this.#queue.shift() ?? this.#inSomeState(this.#choose())
      if (step === undefined || this.#rules.some((rule) => rule.breaks(step, this.view))) continue
      this.view.issued(step)
      steps.push(step)
    }
    return steps
  }

  /** With two Security states, an access that has not been given one gets either. */
  #inSomeState(step: Step | undefined): Step | undefined {
    if (!this.#config.security || (step?.op !== 'read' && step?.op !== 'write') || 'secure' in step) return step
    return this.#random.oneIn(2) ? { ...step, secure: true } : step
  }

  /** As a Secure access where there are such. */
  #secure<T extends Step>(step: T, secure = true): T {
    return this.#config.security && secure ? { ...step, secure: true } : step
  }

  learned(): void {
    this.#endSome()
  }

  /** Ends much of what is now known to be acknowledged, or a running interrupt would hold all others back for long. */
  #endSome(): void {
    const random = this.#random
    const first = random.below(this.#config.cpus)
    for (let n = 0; n < this.#config.cpus; n++) {
      const cpu = (first + n) % this.#config.cpus
      const running = this.view.running[cpu]!
      for (let left = running.length; left > 0 && !random.oneIn(4); left--) {
        const { iar, secure } = running[left - 1]!
        this.#queue.push(this.#secure(this.#write(cpu, 'gicc', 0x010, iar), secure))
        if (random.oneIn(3)) this.#queue.push(random.oneIn(2) ? { op: 'lines' } : this.#readDistributor(cpu))
        if (!random.oneIn(3)) this.#queue.push(this.#secure(this.#write(cpu, 'gicc', 0x1000, iar), secure))
      }
    }
  }

  /** Most of what makes a GIC deliver at all, in random order and with random values. */
  #setUp(): Step[] {
    const { cpus } = this.#config
    const random = this.#random
    const steps: Step[] = []
    // Every SPI gets a target, used or not: words written at random may well pend it.
    if (cpus > 1)
      for (let offset = 0x820; offset < 0x800 + 32 + this.#wires.spis; offset += 4)
        steps.push(this.#write(random.below(cpus), 'gicd', offset, this.#targets(4)))
    const sgiGroups = random.word() & 0xffff
    // So has every SGI a priority: 0 would hold all others back.
    for (let cpu = 0; cpu < cpus; cpu++)
      for (let offset = 0x400; offset < 0x410; offset += 4) steps.push(this.#write(cpu, 'gicd', offset, random.word()))
    for (let word = 0; word * 32 < 32 + this.#wires.spis; word++) {
      for (let cpu = 0; cpu < (word === 0 ? cpus : 1); cpu++) {
        // An SGI is mostly in the same group everywhere: what one sent to CPUs that differ does is a matter of its own.
        const groups = word === 0 && !random.oneIn(6) ? ((random.word() & 0xffff0000) | sgiGroups) >>> 0 : random.word()
        if (this.#groups) steps.push(this.#write(cpu, 'gicd', 0x080 + 4 * word, groups))
      }
      if (random.oneIn(2)) {
        steps.push(this.#write(random.below(cpus), 'gicd', 0xc08 + 8 * word, random.word()))
        steps.push(this.#write(random.below(cpus), 'gicd', 0xc0c + 8 * word, random.word()))
      }
    }
    for (const intid of this.#intids)
      for (let cpu = 0; cpu < (intid < 32 ? cpus : 1); cpu++) {
        steps.push(this.#write(cpu, 'gicd', 0x400 + intid, random.pick(PRIORITIES), 1))
        if (!random.oneIn(6)) steps.push(this.#write(cpu, 'gicd', 0x100 + 4 * (intid >> 5), 2 ** (intid & 31)))
      }
    for (let cpu = 0; cpu < cpus; cpu++) {
      if (!random.oneIn(8)) steps.push(this.#write(cpu, 'gicc', 0x000, this.#cpuControl()))
      if (!random.oneIn(8))
        steps.push(this.#write(cpu, 'gicc', 0x004, random.oneIn(5) ? random.pick(PRIORITIES) : 0xff))
    }
    if (!random.oneIn(8)) steps.push(this.#write(0, 'gicd', 0x000, this.#groups ? 3 : 1))
    // A shuffle: the order of set-up writes must not matter, or rather: must matter to both targets alike.
    return random.shuffle(steps)
  }

  #choose(): Step | undefined {
    const random = this.#random
    const cpu = random.below(this.#config.cpus)
    switch (random.weighted(MIX)) {
      case 'input':
        return inputStep(random, this.#wires, this.#config.cpus)
      case 'acknowledge':
        return { op: 'read', cpu, region: 'gicc', offset: 0x00c, size: 4 }
      case 'end':
        return this.#end(cpu)
      case 'deactivate': {
        if (this.#wild && random.oneIn(3)) return this.#write(cpu, 'gicc', 0x1000, this.#anyAcknowledged())
        const dropped = this.view.dropped[cpu]!
        if (dropped.length === 0) return undefined
        const one = random.pick(dropped)
        return this.#secure(this.#write(cpu, 'gicc', 0x1000, one.iar), one.secure)
      }
      case 'lines':
        return { op: 'lines' }
      case 'sgi':
        return this.#write(cpu, 'gicd', 0xf00, this.#sgi())
      case 'enable':
        return this.#bits(cpu, random.oneIn(3) ? 0x180 : 0x100)
      case 'pend':
        return this.#bits(cpu, random.oneIn(2) ? 0x280 : 0x200)
      case 'active':
        return this.#bits(cpu, random.oneIn(3) ? 0x300 : 0x380)
      case 'priority':
        if (random.oneIn(5)) return this.#write(cpu, 'gicd', 0x400 + (this.#intid() & ~3), random.word())
        return this.#write(
          cpu,
          'gicd',
          0x400 + this.#intid(),
          random.oneIn(4) ? random.below(256) : random.pick(PRIORITIES),
          1,
        )
      case 'retarget':
        return this.#retarget(cpu)
      case 'configure':
        return this.#configure(cpu)
      case 'distributorControl':
        return this.#write(cpu, 'gicd', 0x000, random.oneIn(6) ? 0 : this.#groups ? 3 : 1)
      case 'cpuControl':
        return this.#write(cpu, 'gicc', 0x000, this.#cpuControl())
      case 'mask':
        return this.#write(
          cpu,
          'gicc',
          0x004,
          !random.oneIn(4) ? 0xff : random.oneIn(2) ? random.word() : random.pick(PRIORITIES),
        )
      case 'binaryPoint':
        return this.#binaryPoint(cpu)
      case 'sgiPending': {
        const offset = (random.oneIn(2) ? 0xf10 : 0xf20) + random.below(16)
        return this.#write(cpu, 'gicd', offset, 1 << random.below(this.#config.cpus), 1)
      }
      case 'readDistributor':
        return this.#readDistributor(cpu)
      case 'readCpuInterface': {
        const offset = random.pick([
          0x000, 0x004, 0x008, 0x014, 0x014, 0x018, 0x018, 0x018, 0x01c, 0x0d0, 0x0d4, 0x0d8, 0x0dc, 0x0e0,
        ])
        return { op: 'read', cpu, region: 'gicc', offset, size: 4 }
      }
      case 'message': {
        if (random.oneIn(4))
          return { op: 'read', cpu, region: 'v2m', offset: random.pick([0x000, 0x008, 0x040]), size: 4 }
        // A few beyond the frame's own SPIs on either side.
        return this.#write(cpu, 'v2m', 0x040, 76 + random.below(72))
      }
      case 'anything':
        return this.#anything(cpu)
    }
  }

  /** One of the two, or more often both, splitting alike. */
  #binaryPoint(cpu: number): Step {
    const random = this.#random
    const point = random.oneIn(3) ? random.below(8) : random.below(4)
    if (random.oneIn(5)) return this.#write(cpu, 'gicc', random.oneIn(2) ? 0x008 : 0x01c, point)
    this.#queue.push(this.#secure(this.#write(cpu, 'gicc', 0x01c, point + 1)))
    return this.#secure(this.#write(cpu, 'gicc', 0x008, point))
  }

  #intid(): number {
    return someIntid(this.#random, this.#wires, this.#intids)
  }

  #end(cpu: number): Step | undefined {
    if (this.#wild && this.#random.oneIn(4)) return this.#write(cpu, 'gicc', 0x010, this.#anyAcknowledged())
    const running = this.view.running[cpu]!
    const last = running[running.length - 1]
    // What was acknowledged in this batch is not known yet.
    if (this.view.unanswered[cpu] && !this.#wild) return undefined
    if (this.#random.oneIn(20)) return this.#write(cpu, 'gicc', 0x010, 1022 + this.#random.below(2))
    return last === undefined ? undefined : this.#secure(this.#write(cpu, 'gicc', 0x010, last.iar), last.secure)
  }

  /** What GICC_IAR could have said, whether or not it did. */
  #anyAcknowledged(): number {
    const intid = this.#random.oneIn(8) ? this.#random.below(1024) : this.#random.pick(this.#intids)
    return intid < 16 ? intid | (this.#random.below(this.#config.cpus) << 10) : intid
  }

  #sgi(): number {
    const random = this.#random
    const intid = random.oneIn(4) ? random.below(16) : (this.#intids[0] ?? 0)
    const nsatt = this.#config.security && random.oneIn(2) ? 0x8000 : 0
    return ((random.pick([0, 0, 0, 1, 2]) << 24) | (random.below(256) << 16) | nsatt | intid) >>> 0
  }

  /** A write to a bit of a bank, or to a word of it at random. */
  #bits(cpu: number, bank: number): Step {
    const random = this.#random
    const intid = this.#intid()
    const value = random.oneIn(10) ? random.word() : 2 ** (intid & 31)
    return this.#write(cpu, 'gicd', bank + 4 * (intid >> 5), value)
  }

  /** Cleans the SPI up and sends it elsewhere; a rule may insist on the first, and drops the write otherwise. */
  #retarget(cpu: number): Step {
    const intid = this.#random.pick(this.#intids)
    if (intid < 32) return { op: 'lines' }
    const bit = 2 ** (intid & 31)
    const word = 4 * (intid >> 5)
    const secure = !this.#random.oneIn(4)
    this.#queue.push(
      this.#secure(this.#write(cpu, 'gicd', 0x280 + word, bit), secure),
      this.#secure(this.#write(cpu, 'gicd', 0x380 + word, bit), secure),
      this.#secure(this.#write(cpu, 'gicd', 0x800 + intid, this.#targets(1), 1), secure),
    )
    return { op: 'spi', intid, level: 0 }
  }

  #configure(cpu: number): Step {
    const intid = this.#random.pick(this.#intids)
    const word = 4 * (intid >> 5)
    const bit = 2 ** (intid & 31)
    const field = 2 ** ((intid & 15) * 2 + 1)
    const offset = 0xc00 + 4 * (intid >> 4)
    let value = 0
    for (let n = 0; n < 16; n++) if (this.view.edge[(intid & ~15) + n] === 1) value += 2 ** (2 * n + 1)
    value = (value ^ field) >>> 0
    this.#queue.push(this.#write(cpu, 'gicd', offset, value), this.#write(cpu, 'gicd', 0x100 + word, bit))
    return this.#write(cpu, 'gicd', 0x180 + word, bit)
  }

  #cpuControl(): number {
    const random = this.#random
    const enable = random.oneIn(6) ? 0 : this.#groups ? 3 : 1
    const acknowledge = this.#groups && !random.oneIn(4) ? 4 : 0
    return (enable | acknowledge | (random.word() & this.#controlBits & ~7)) >>> 0
  }

  #targets(bytes: number): number {
    let value = 0
    for (let byte = 0; byte < bytes; byte++) value += 2 ** (8 * byte + this.#random.below(this.#config.cpus))
    return value
  }

  #readDistributor(cpu: number): Step {
    const random = this.#random
    const intid = this.#intid()
    const which = random.below(12)
    const offset =
      which < 7
        ? WORD_BANKS[which]! + 4 * (intid >> 5)
        : [0x400 + (intid & ~3), 0x800 + (intid & ~3), 0xc00 + 4 * (intid >> 4), 0xf10 + 4 * random.below(8), 0x000][
            which - 7
          ]!
    const bytes = offset >= 0x400 && offset < 0xc00 && random.oneIn(3)
    return bytes
      ? { op: 'read', cpu, region: 'gicd', offset: offset + random.below(4), size: 1 }
      : { op: 'read', cpu, region: 'gicd', offset, size: 4 }
  }

  /** Any register of either frame, with any value and any width; the rules say which of these make sense. */
  #anything(cpu: number): Step {
    const random = this.#random
    const size = random.oneIn(2) ? 4 : random.pick([1, 2, 4, 8] as const)
    const cpuInterface = random.oneIn(4)
    const limit = cpuInterface ? (random.oneIn(4) ? 0x2000 : 0x110) : 0x1000
    const offset = random.below(limit / size) * size
    const region = cpuInterface ? 'gicc' : 'gicd'
    if (random.oneIn(2)) return { op: 'read', cpu, region, offset, size }
    const value =
      size === 8 ? BigInt(random.word()) * 0x1_0000_0001n : random.word() & (size === 4 ? -1 : 2 ** (8 * size) - 1)
    return { op: 'write', cpu, region, offset, size, value: typeof value === 'number' ? value >>> 0 : value }
  }

  #write(cpu: number, region: 'gicd' | 'gicc' | 'v2m', offset: number, value: number, size: 1 | 4 = 4): Step {
    return { op: 'write', cpu, region, offset, size, value }
  }
}
