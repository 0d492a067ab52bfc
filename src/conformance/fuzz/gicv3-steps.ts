/**
 * Random steps for a GICv3 with one Security state or two: distributor, redistributors by any PE, system registers, input
 * changes, acknowledge and end. Chooses steps only; what they should do is for the targets to agree on.
 */

import type { Execution, Region, Step, TargetConfig } from '../target.ts'
import type { Rule } from './compare.ts'
import type { StepSource } from './fuzz.ts'
import { GICR_STRIDE, Gicv3View, inState, SGI_FRAME } from './gicv3-view.ts'
import { ItsSteps } from './its-steps.ts'
import type { Random } from './random.ts'
import { chooseIntids, inputStep, someIntid, type Wires } from './wires.ts'

/** Kinds of steps, and how often each is chosen. */
const MIX = {
  input: 180,
  acknowledge: 130,
  end: 60,
  deactivate: 40,
  lines: 150,
  sgi: 60,
  enable: 50,
  pend: 60,
  active: 20,
  priority: 40,
  route: 30,
  configure: 15,
  distributorControl: 6,
  cpuControl: 12,
  groupEnable: 12,
  mask: 25,
  binaryPoint: 15,
  readDistributor: 60,
  readRedistributor: 60,
  readSystemRegister: 80,
  signalled: 40,
  readAnything: 20,
  its: 120,
} as const

const PRIORITIES = [0x08, 0x10, 0x18, 0x20, 0x40, 0x60, 0x80, 0xa0, 0xa8, 0xc0, 0xe0, 0xf0, 0xf8] as const
const BANKS = [0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380] as const
const READABLE = [
  'ICC_CTLR_EL1',
  'ICC_PMR_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_RPR_EL1',
  'ICC_RPR_EL1',
  'ICC_HPPIR0_EL1',
  'ICC_HPPIR1_EL1',
  'ICC_HPPIR1_EL1',
  'ICC_AP0R0_EL1',
  'ICC_AP1R0_EL1',
  'ICC_SRE_EL1',
] as const

export class Gicv3Steps implements StepSource<Gicv3View> {
  readonly view: Gicv3View
  readonly #random: Random
  readonly #config: TargetConfig
  readonly #rules: readonly Rule<Gicv3View>[]
  readonly #wires: Wires
  readonly #intids: readonly number[]
  /** Interrupts of both groups, or of Group 1 alone. */
  readonly #mixed: boolean
  readonly #its: ItsSteps | undefined
  #queue: Step[] = []

  constructor(random: Random, config: TargetConfig, rules: readonly Rule<Gicv3View>[], wires: Wires) {
    this.view = new Gicv3View(config)
    this.#random = random
    this.#config = config
    this.#rules = rules
    this.#wires = wires
    this.#intids = chooseIntids(random, wires, 1)
    this.#mixed = config.security || random.oneIn(2)
    this.#its = config.its ? new ItsSteps(random, config, wires.memory ?? 0) : undefined
    this.#queue = [...this.#setUp(), ...(this.#its?.setUp() ?? [])]
  }

  batch(count: number): Step[] {
    const steps: Step[] = []
    while (steps.length < count) {
      const chosen = this.#queue.shift() ?? this.#choose()
      if (chosen === undefined) continue
      const step = this.#stated(chosen)
      if (this.#rules.some((rule) => rule.breaks(step, this.view))) continue
      this.view.issued(step)
      steps.push(step)
    }
    return steps
  }

  /** Ends much of what is now known to be acknowledged, or a running interrupt would hold all others back for long. */
  learned(): void {
    const random = this.#random
    for (let cpu = 0; cpu < this.#config.cpus; cpu++) {
      const running = this.view.running[cpu]!
      for (let left = running.length; left > 0 && !random.oneIn(4); left--) {
        const { intid, group, place } = running[left - 1]!
        const by = this.#endsAt(place)
        this.#queue.push(this.#at(by, { op: 'msr', cpu, register: `ICC_EOIR${group}_EL1`, value: intid }))
        if (random.oneIn(3)) this.#queue.push({ op: 'lines' })
        if (!random.oneIn(3)) this.#queue.push(this.#at(by, { op: 'msr', cpu, register: 'ICC_DIR_EL1', value: intid }))
      }
    }
  }

  #as(secure: boolean, step: Step): Step {
    return this.#config.security ? inState(step, secure) : step
  }

  #at(place: Execution, step: Extract<Step, { op: 'mrs' | 'msr' }>): Step {
    return this.#config.security ? { ...step, at: place } : step
  }

  /** Where what was acknowledged at a place is ended: there, or now and then by EL3. */
  #endsAt({ el, ns }: Execution): Execution {
    return this.#random.oneIn(6) ? { el: 3, ns: this.#random.oneIn(2) } : { el, ns }
  }

  /** Of two Security states, the one that a step needs or else either; a system register is reached from EL3 or from EL1. */
  #stated(step: Step): Step {
    if (!this.#config.security || 'secure' in step || 'at' in step) return step
    if (step.op === 'read' || step.op === 'write') return inState(step, this.#random.oneIn(2))
    return step.op === 'mrs' || step.op === 'msr' ? { ...step, at: this.#place(step) } : step
  }

  #place(step: Extract<Step, { op: 'mrs' | 'msr' }>): Execution {
    const random = this.#random
    const flag = () => random.oneIn(2)
    if (step.register.endsWith('_EL3') ? !random.oneIn(20) : random.oneIn(3))
      return { el: 3, ns: flag(), fiq: flag(), irq: flag() }
    // What Non-secure software sees of Group 0 is little.
    const ns = /^ICC_(IAR|EOIR|IGRPEN|HPPIR|BPR)0/.test(step.register) && !this.view.ds ? random.oneIn(12) : flag()
    // A write that the view takes note of is not to come to nothing because an interrupt is routed to EL3.
    const noted = step.op === 'msr' && !/^ICC_(PMR|A?SGI[01]R|DIR)_EL1$/.test(step.register)
    return noted || !random.oneIn(3) ? { el: 1, ns } : { el: 1, ns, fiq: flag(), irq: flag() }
  }

  #cpu(): number {
    return this.#random.below(this.#config.cpus)
  }

  #setUp(): Step[] {
    const { cpus } = this.#config
    const random = this.#random
    const steps: Step[] = []
    const write = (region: Region, offset: number, value: number, size: 1 | 4 = 4): void => {
      steps.push(this.#as(true, { op: 'write', cpu: this.#cpu(), region, offset, size, value }))
    }
    const two = this.#config.security
    const grants = random.oneIn(2)
    /** One Security state from the start, at EL3 nonetheless. */
    const single = two && random.oneIn(2)
    if (single) write('gicd', 0, 0x40)
    for (let word = 1; word * 32 < 32 + this.#wires.spis; word++) {
      write('gicd', 0x080 + 4 * word, this.#mixed ? random.word() : 0xffffffff)
      if (random.oneIn(2)) write('gicd', 0xc00 + 8 * word, random.word())
      if (two) write('gicd', 0xd00 + 4 * word, random.word())
      if (two && grants) for (const half of [0, 4]) write('gicd', 0xe00 + 8 * word + half, random.word())
    }
    for (let cpu = 0; cpu < cpus; cpu++) {
      const frame = cpu * GICR_STRIDE
      write('gicr', frame + 0x014, 0)
      write('gicr', frame + SGI_FRAME + 0x080, this.#mixed ? random.word() : 0xffffffff)
      if (random.oneIn(2)) write('gicr', frame + SGI_FRAME + 0xc04, random.word())
      if (two) write('gicr', frame + SGI_FRAME + 0xd00, random.word())
      if (two && grants) write('gicr', frame + SGI_FRAME + 0xe00, random.word())
      for (let offset = 0x400; offset < 0x420; offset += 4)
        write('gicr', frame + SGI_FRAME + offset, (random.word() & 0xf8f8f8f8) >>> 0)
      const mask = random.oneIn(5) ? random.pick(PRIORITIES) : 0xff
      steps.push(this.#as(true, { op: 'msr', cpu, register: 'ICC_PMR_EL1', value: mask }))
      steps.push(...this.#enableGroups(cpu, 1))
      if (two && random.oneIn(2))
        steps.push({ op: 'msr', cpu, register: 'ICC_CTLR_EL3', value: random.below(32), at: { el: 3, ns: false } })
    }
    for (const intid of this.#intids) {
      for (let cpu = 0; cpu < (intid < 32 ? cpus : 1); cpu++) {
        steps.push(this.#as(true, { ...this.#bank(0x100, intid, cpu), value: 2 ** (intid & 31) }))
        if (intid >= 32) steps.push(this.#as(true, this.#priority(intid, cpu)), this.#as(true, this.#route(intid)))
      }
    }
    write('gicd', 0, two ? 7 : 3)
    return random.shuffle(steps)
  }

  #choose(): Step | undefined {
    const random = this.#random
    const cpu = this.#cpu()
    const kind = random.weighted(MIX)
    switch (kind) {
      case 'input':
        return inputStep(random, this.#wires, this.#config.cpus)
      case 'acknowledge':
        return { op: 'mrs', cpu, register: this.#mixed && random.oneIn(2) ? 'ICC_IAR0_EL1' : 'ICC_IAR1_EL1' }
      case 'end': {
        const group = random.below(2)
        if (random.oneIn(10)) return { op: 'msr', cpu, register: `ICC_EOIR${group}_EL1`, value: 1020 + random.below(4) }
        const running = this.view.running[cpu]!
        const last = running[running.length - 1]
        if (last === undefined) return undefined
        const by = this.#endsAt(last.place)
        return this.#at(by, { op: 'msr', cpu, register: `ICC_EOIR${last.group}_EL1`, value: last.intid })
      }
      case 'deactivate': {
        const dropped = this.view.dropped[cpu]!
        if (dropped.length === 0) return undefined
        // Where it was dropped, or anywhere that is for the rules to judge.
        const { intid, place } = random.pick(dropped)
        const step = { op: 'msr', cpu, register: 'ICC_DIR_EL1', value: intid } as const
        return random.oneIn(3) ? step : this.#at({ el: place.el, ns: place.ns }, step)
      }
      case 'lines':
        return { op: 'lines' }
      case 'sgi':
        return this.#sgi(cpu)
      case 'enable':
        return this.#bits(random.oneIn(3) ? 0x180 : 0x100)
      case 'pend':
        return this.#bits(random.oneIn(2) ? 0x280 : 0x200)
      case 'active':
        return this.#bits(random.oneIn(3) ? 0x300 : 0x380)
      case 'priority':
        return this.#priority(this.#intid(), this.#cpu())
      case 'route':
        return this.#route(random.pick(this.#intids))
      case 'configure':
        return this.#configure()
      case 'distributorControl':
        return this.#distributorControl(cpu)
      case 'cpuControl':
        return { op: 'msr', cpu, register: 'ICC_CTLR_EL1', value: random.below(4) }
      case 'groupEnable': {
        this.#queue.push(...this.#enableGroups(cpu, random.oneIn(6) ? 0 : 1))
        return this.#queue.shift()
      }
      case 'mask':
        return {
          op: 'msr',
          cpu,
          register: 'ICC_PMR_EL1',
          value: !random.oneIn(4) ? 0xff : random.oneIn(2) ? random.below(256) : random.pick(PRIORITIES),
        }
      case 'binaryPoint': {
        const point = 2 + random.below(random.oneIn(3) ? 5 : 3)
        if (this.#config.security) {
          // All three split alike, from EL3, where CBPR is in nobody's way: QEMU has its own idea of points that differ.
          for (const ns of [false, true])
            this.#queue.push({
              op: 'msr',
              cpu,
              register: 'ICC_BPR1_EL1',
              value: ns ? point + 1 : point,
              at: { el: 3, ns },
            })
          return { op: 'msr', cpu, register: 'ICC_BPR0_EL1', value: point, at: { el: 3, ns: random.oneIn(2) } }
        }
        if (random.oneIn(5))
          return { op: 'msr', cpu, register: `ICC_BPR${random.below(2)}_EL1`, value: random.below(8) }
        this.#queue.push({ op: 'msr', cpu, register: 'ICC_BPR1_EL1', value: point + 1 })
        return { op: 'msr', cpu, register: 'ICC_BPR0_EL1', value: point }
      }
      case 'readDistributor': {
        const intid = 32 + random.below(this.#wires.spis)
        const near = random.oneIn(3) ? intid : Math.max(32, this.#intid())
        const offset = random.pick([
          ...BANKS.map((bank) => bank + 4 * (near >> 5)),
          0x400 + (near & ~3),
          0xc00 + 4 * (near >> 4),
          0xd00 + 4 * (near >> 5),
          0xe00 + 4 * (near >> 4),
          0x000,
          // The distributor's part for INTIDs 0 to 31 is RES0 with affinity routing.
          random.pick(BANKS),
        ])
        if (random.oneIn(6)) return { op: 'read', cpu, region: 'gicd', offset: 0x6000 + 8 * near, size: 8 }
        return { op: 'read', cpu, region: 'gicd', offset, size: 4 }
      }
      case 'readRedistributor': {
        const frame = this.#cpu() * GICR_STRIDE
        const offset =
          random.pick([...BANKS, ...BANKS, 0x400 + 4 * random.below(8), 0xc00, 0xc04, 0xd00, 0xe00]) + SGI_FRAME
        return { op: 'read', cpu, region: 'gicr', offset: frame + (random.oneIn(8) ? 0x014 : offset), size: 4 }
      }
      case 'readAnything': {
        // Past the identification registers, which are configuration, and short of the ones that repeat them.
        if (random.oneIn(2))
          return { op: 'read', cpu, region: 'gicd', offset: 0x080 + 4 * random.below(0x17e0), size: 4 }
        const offset = this.#cpu() * GICR_STRIDE + SGI_FRAME + 0x080 + 4 * random.below(0x3d0)
        return { op: 'read', cpu, region: 'gicr', offset, size: 4 }
      }
      case 'its':
        this.#queue.push(...(this.#its?.next() ?? []))
        return this.#queue.shift()
      case 'signalled':
        return { op: 'mrs', cpu, register: 'ISR_EL1' }
      case 'readSystemRegister':
        if (this.#config.security && random.oneIn(12))
          return { op: 'mrs', cpu, register: random.pick(['ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3', 'ICC_SRE_EL3']) }
        return { op: 'mrs', cpu, register: random.pick(READABLE) }
    }
  }

  /** All groups alike: QEMU lets one that is off hide another. */
  #enableGroups(cpu: number, value: 0 | 1): Step[] {
    const one: Step = { op: 'msr', cpu, register: 'ICC_IGRPEN1_EL1', value }
    const zero = this.#as(true, { op: 'msr', cpu, register: 'ICC_IGRPEN0_EL1', value })
    if (this.#config.security && this.#random.oneIn(3))
      return [zero, { op: 'msr', cpu, register: 'ICC_IGRPEN1_EL3', value: 3 * value, at: { el: 3, ns: false } }]
    return this.#config.security ? [zero, inState(one, true), inState(one, false)] : [zero, one]
  }

  #distributorControl(cpu: number): Step {
    const random = this.#random
    const secure = this.#config.security && random.oneIn(2)
    const all = secure ? 7 : this.#config.security ? 2 : 3
    const value = random.oneIn(4) ? random.below(8) & all : all
    return this.#as(secure, { op: 'write', cpu, region: 'gicd', offset: 0, size: 4, value })
  }

  #intid(): number {
    return someIntid(this.#random, this.#wires, this.#intids)
  }

  /** A place in a bank of one bit an interrupt: `owner`'s redistributor for its own interrupts, else the distributor. */
  #bank(bank: number, intid: number, owner: number): Step & { op: 'write' } {
    const cpu = this.#cpu()
    return intid < 32
      ? { op: 'write', cpu, region: 'gicr', offset: owner * GICR_STRIDE + SGI_FRAME + bank, size: 4, value: 0 }
      : { op: 'write', cpu, region: 'gicd', offset: bank + 4 * (intid >> 5), size: 4, value: 0 }
  }

  #bits(bank: number): Step {
    const random = this.#random
    const intid = this.#intid()
    const value = random.oneIn(10) ? random.word() : 2 ** (intid & 31)
    return { ...this.#bank(bank, intid, this.#cpu()), value }
  }

  #priority(intid: number, owner: number): Step {
    const random = this.#random
    const frame = intid < 32 ? owner * GICR_STRIDE + SGI_FRAME : 0
    const region = intid < 32 ? 'gicr' : 'gicd'
    const cpu = this.#cpu()
    if (random.oneIn(5)) {
      const value = (random.word() & 0xf8f8f8f8) >>> 0
      return { op: 'write', cpu, region, offset: frame + 0x400 + (intid & ~3), size: 4, value }
    }
    return { op: 'write', cpu, region, offset: frame + 0x400 + intid, size: 1, value: random.pick(PRIORITIES) }
  }

  #route(intid: number): Step {
    const random = this.#random
    if (intid < 32) return { op: 'lines' }
    // Now and then to a PE that does not exist.
    const affinity = random.oneIn(12) ? this.#config.cpus + random.below(4) : this.#cpu()
    const offset = 0x6000 + 8 * intid
    if (random.oneIn(2))
      return { op: 'write', cpu: this.#cpu(), region: 'gicd', offset, size: 8, value: BigInt(affinity) }
    return { op: 'write', cpu: this.#cpu(), region: 'gicd', offset, size: 4, value: affinity }
  }

  #configure(): Step {
    const intid = this.#random.pick(this.#intids)
    if (intid < 16) return { op: 'lines' }
    const owner = this.#cpu()
    const cpu = this.#cpu()
    const bit = 2 ** (intid & 31)
    const whose = intid < 32 ? owner : undefined
    let value = 0
    for (let n = 0; n < 16; n++) {
      const flip = n === (intid & 15) ? 1 : 0
      if ((this.view.edge(whose, (intid & ~15) + n) ^ flip) === 1) value += 2 ** (2 * n + 1)
    }
    const place =
      intid < 32
        ? ({ region: 'gicr', offset: owner * GICR_STRIDE + SGI_FRAME + 0xc04 } as const)
        : ({ region: 'gicd', offset: 0xc00 + 4 * (intid >> 4) } as const)
    this.#queue.push(
      this.#as(true, { op: 'write', cpu, ...place, size: 4, value }),
      this.#as(true, { ...this.#bank(0x100, intid, owner), value: bit }),
    )
    return this.#as(true, { ...this.#bank(0x180, intid, owner), value: bit })
  }

  #sgi(cpu: number): Step {
    const random = this.#random
    const intid = random.oneIn(4) ? random.below(16) : (this.#intids[0] ?? 0)
    const register = this.#mixed ? random.pick(['ICC_SGI0R_EL1', 'ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1']) : 'ICC_SGI1R_EL1'
    const all = random.oneIn(6) ? 1n << 40n : 0n
    // Now and then to an affinity that does not exist.
    const other = random.oneIn(20) ? 1n << 16n : 0n
    return { op: 'msr', cpu, register, value: all | other | (BigInt(intid) << 24n) | BigInt(random.below(0x10000)) }
  }
}
