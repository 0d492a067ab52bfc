/**
 * Random steps for a GICv2: accesses of every width by every CPU, input changes, and interrupt handling that mostly makes
 * sense. A step is data and does not depend on any state, so that a failing run can be cut down to the steps that matter.
 */

import type { AccessSize } from '../../mmio/index.ts'
import { GicV2, type GicV2Config } from '../index.ts'
import { Random } from './random.ts'

export interface RunConfig extends Required<Omit<GicV2Config, 'msi' | 'distributorIidr' | 'cpuInterfaceIidr'>> {}

export type Step =
  | { op: 'read'; frame: 'gicd' | 'gicc'; offset: number; size: AccessSize; cpu: number; secure: boolean }
  | {
      op: 'write'
      frame: 'gicd' | 'gicc'
      offset: number
      size: AccessSize
      value: number
      cpu: number
      secure: boolean
    }
  | { op: 'line'; intid: number; cpu: number; level: boolean }
  /** Ends (or deactivates) what this CPU acknowledged last and has not ended: what its IAR gave, or `otherwise` if nothing. */
  | {
      op: 'end'
      register: 'GICC_EOIR' | 'GICC_AEOIR' | 'GICC_DIR'
      otherwise: number
      cpu: number
      secure: boolean
    }
  | { op: 'reset' }

export const endOffsets = { GICC_EOIR: 0x10, GICC_AEOIR: 0x24, GICC_DIR: 0x1000 } as const

const banks = [
  { base: 0x080, bits: 1 },
  { base: 0x100, bits: 1 },
  { base: 0x100, bits: 1 },
  { base: 0x180, bits: 1 },
  { base: 0x200, bits: 1 },
  { base: 0x280, bits: 1 },
  { base: 0x300, bits: 1 },
  { base: 0x380, bits: 1 },
  { base: 0x400, bits: 8 },
  { base: 0x400, bits: 8 },
  { base: 0x800, bits: 8 },
  { base: 0xc00, bits: 2 },
  { base: 0xe00, bits: 2 },
] as const

const interfaceRegisters = [
  0x00, 0x00, 0x04, 0x08, 0x14, 0x18, 0x1c, 0x28, 0xd0, 0xd4, 0xd8, 0xdc, 0xe0, 0xe4, 0xe8, 0xec,
]

/** A configuration, from the smallest to the largest. */
export function randomConfig(random: Random, most = 1020): RunConfig {
  const security = random.chance(2)
  const intids = random.pick([32, 64, 96, 288, 992, 1020].filter((count) => count <= most))
  return {
    cpus: random.from(1, 8),
    intids,
    priorityBits: random.from(security ? 5 : 4, 8),
    security,
    sgiEnable: random.pick(['always', 'programmable']),
    ppiConfig: random.pick(['fixed', 'programmable']),
  }
}

/** A GIC of a configuration, as a spec wants it. */
export function gicOf(config: RunConfig): GicV2 {
  return new GicV2(config)
}

/** The steps of one run. A few interrupts are hot, so that they meet. */
export class StepSource {
  readonly #random: Random
  readonly #config: RunConfig
  readonly #hot: number[]
  readonly #priorities: number[]
  /** Steps to begin with, the first one last. */
  readonly #first: Step[] = []

  constructor(random: Random, config: RunConfig) {
    this.#random = random
    this.#config = config
    const some = (first: number, end: number) => random.from(first, end - 1)
    this.#hot = [some(0, 16), some(0, 16), some(16, 32), some(16, 32)]
    if (config.intids > 32) for (let i = 0; i < 5; i++) this.#hot.push(some(32, config.intids))
    this.#priorities = Array.from({ length: 4 }, () => random.below(256))
    if (!random.chance(4)) this.#open()
  }

  /** Lets interrupts through, as software does first. */
  #open(): void {
    const { cpus, intids, security } = this.#config
    const write = (frame: 'gicd' | 'gicc', offset: number, value: number, cpu = 0) =>
      this.#first.push({ op: 'write', frame, offset, size: 4, value, cpu, secure: security })
    for (let cpu = 0; cpu < cpus; cpu++) {
      write('gicc', 0x04, 0xff, cpu)
      write('gicc', 0x00, 3 + (this.#random.below(16) << 2), cpu)
      write('gicd', 0x100, 0xffff_ffff, cpu)
    }
    for (let intid = 32; intid < intids; intid += 32) write('gicd', 0x100 + intid / 8, 0xffff_ffff)
    for (const intid of this.#hot)
      if (intid >= 32) write('gicd', (0x800 + intid) & ~3, (this.#random.word() | this.#random.word()) >>> 0)
    write('gicd', 0, 3)
    this.#first.reverse()
  }

  next(): Step {
    const first = this.#first.pop()
    if (first !== undefined) return first
    const random = this.#random
    const kind = random.below(100)
    const cpu = this.#cpu()
    const secure = this.#config.security && !random.chance(3)
    if (kind < 18) return this.#line()
    if (kind < 34) return { op: 'read', frame: 'gicc', offset: random.chance(6) ? 0x20 : 0x0c, size: 4, cpu, secure }
    if (kind < 48)
      return {
        op: 'end',
        register: random.pick(['GICC_EOIR', 'GICC_EOIR', 'GICC_EOIR', 'GICC_DIR', 'GICC_DIR', 'GICC_AEOIR']),
        otherwise: this.#intid(),
        cpu,
        secure,
      }
    if (kind < 64) return { op: 'write', ...this.#bankAccess(), value: this.#bankValue(), cpu, secure }
    if (kind < 72) return { op: 'read', ...this.#bankAccess(), cpu, secure }
    if (kind < 80) return this.#sgi(cpu, secure)
    if (kind < 84) return this.#control(cpu, secure)
    if (kind < 92) return { op: 'read', frame: 'gicc', offset: random.pick(interfaceRegisters), size: 4, cpu, secure }
    if (kind < 97) return this.#interfaceWrite(cpu, secure)
    if (random.chance(400)) return { op: 'reset' }
    return this.#anything(secure)
  }

  #cpu(): number {
    return this.#random.chance(200)
      ? this.#random.pick([-1, this.#config.cpus, 255])
      : this.#random.below(this.#config.cpus)
  }

  #intid(): number {
    return this.#random.chance(8) ? this.#random.below(this.#config.intids) : this.#random.pick(this.#hot)
  }

  #line(): Step {
    const intid = Math.max(16, this.#intid())
    return { op: 'line', intid, cpu: this.#random.below(this.#config.cpus), level: this.#random.chance(2) }
  }

  #bankAccess(): { frame: 'gicd'; offset: number; size: AccessSize } {
    const { base, bits } = this.#random.pick(banks)
    const intid = this.#intid()
    const byte = base + Math.floor((intid * bits) / 8)
    if (bits === 8 && this.#random.chance(2)) return { frame: 'gicd', offset: byte, size: 1 }
    return { frame: 'gicd', offset: byte & ~3, size: 4 }
  }

  /** Bits about a hot interrupt, priorities that collide, all, nothing, or anything. */
  #bankValue(): number {
    const random = this.#random
    switch (random.below(6)) {
      case 0:
        return (1 << random.below(32)) >>> 0
      case 1:
        return (1 << (random.pick(this.#hot) & 31)) >>> 0
      case 2:
        return random.chance(4) ? 0 : 0xffff_ffff
      case 3:
        return random.pick(this.#priorities)
      case 4:
        return this.#priorities.reduce((word, priority) => ((word << 8) | priority) >>> 0, 0)
      default:
        return random.word()
    }
  }

  #sgi(cpu: number, secure: boolean): Step {
    const random = this.#random
    if (random.chance(3)) {
      const offset = random.pick([0xf10, 0xf20])
      const size: AccessSize = random.pick([1, 4])
      const at = offset + (size === 1 ? random.below(16) : random.below(4) * 4)
      const op = random.chance(3) ? 'read' : 'write'
      const access = { frame: 'gicd', offset: at, size, cpu, secure } as const
      return op === 'read' ? { op, ...access } : { op, ...access, value: random.word() & random.word() }
    }
    const targets = random.below(256) * 0x10000 + (random.chance(2) ? 0x8000 : 0)
    const filter = random.pick([0, 0, 0, 1, 2, 3]) * 0x100_0000
    return {
      op: 'write',
      frame: 'gicd',
      offset: 0xf00,
      size: 4,
      value: filter + targets + (random.pick(this.#hot) % 16),
      cpu,
      secure,
    }
  }

  /** The registers that would stop everything: mostly set to let interrupts through. */
  #control(cpu: number, secure: boolean): Step {
    const random = this.#random
    if (random.chance(3))
      return {
        op: 'write',
        frame: 'gicd',
        offset: 0,
        size: 4,
        value: random.chance(3) ? random.below(4) : 3,
        cpu,
        secure,
      }
    const value = random.chance(3) ? random.word() : (random.word() & 0x7ff) | 3
    return { op: 'write', frame: 'gicc', offset: 0, size: 4, value, cpu, secure }
  }

  #interfaceWrite(cpu: number, secure: boolean): Step {
    const random = this.#random
    const offset = random.chance(3)
      ? random.pick([0xd0, 0xd4, 0xd8, 0xdc, 0xe0, 0xe4, 0xe8, 0xec])
      : random.pick([0x04, 0x04, 0x08, 0x1c])
    const value =
      offset === 0x04 && !random.chance(3)
        ? 0xff
        : offset >= 0xd0
          ? random.chance(8)
            ? random.word() & random.word()
            : 0
          : random.word()
    return { op: 'write', frame: 'gicc', offset, size: 4, value, cpu, secure }
  }

  /** Any offset, any width, any value: what no driver does. */
  #anything(secure: boolean): Step {
    const random = this.#random
    const frame = random.pick(['gicd', 'gicc'] as const)
    const offset = random.chance(2) ? random.below(frame === 'gicd' ? 0x1000 : 0x1008) : random.below(0x400) * 4
    const size = random.pick([1, 2, 4, 8] as const)
    const cpu = this.#cpu()
    if (random.chance(2)) return { op: 'read', frame, offset, size, cpu, secure }
    return { op: 'write', frame, offset, size, value: random.word(), cpu, secure }
  }
}

/** The first `count` steps of a seed. */
export function stepsOf(seed: number, config: RunConfig, count: number): Step[] {
  const source = new StepSource(new Random(seed), config)
  return Array.from({ length: count }, () => source.next())
}
