/**
 * This package's own GICv3 as a conformance target, on a bus of its own, wired either way, with memory for LPI tables where
 * QEMU's agent has it. It adds nothing to the model: a step becomes one access or one input change.
 */

import { ByteMemory, GicV3, type GicV3Config, iccEncoding, SysregOutcome } from '../gic/index.ts'
import { Bus, cpuInitiator, type Initiator, Outcome, type Wiring } from '../mmio/index.ts'
import type { GicTarget, Region, Result, Step, TargetConfig } from './target.ts'

const bases = { gicd: 0x0800_0000, gicr: 0x080a_0000 } as const
/** Guest memory that a step may store to and load from. */
export const MEMORY_BASE = 0x4300_0000
const MEMORY_SIZE = 0x0100_0000

const done: Result = { status: 'ok', value: 0n }
const failed = (status: 'abort' | 'undefined'): Result => ({ status, value: 0n })

export interface ModelV3Options {
  wiring?: Wiring
  /** Over what the target configuration says; by default the `virt` board's. */
  gic?: GicV3Config
}

export class ModelV3Target implements GicTarget {
  readonly name: string
  readonly config: TargetConfig
  readonly gic: GicV3
  readonly memory = new ByteMemory(MEMORY_BASE, new Uint8Array(MEMORY_SIZE))
  readonly bus = new Bus({ unmapped: 'abort' })
  readonly #initiators: readonly { secure: Initiator; nonSecure: Initiator }[]

  constructor(config: TargetConfig, options: ModelV3Options = {}) {
    const { cpus, security, its } = config
    const wiring = options.wiring ?? 'frame'
    this.config = config
    this.name = wiring === 'frame' ? 'model' : `model (a bus range for each register ${wiring})`
    const lpis = its ? { intidBits: 16 } : undefined
    this.gic = new GicV3({ cpus, security, oneOfN: false, messageSpis: false, lpis, ...options.gic }, this)
    this.bus.register(
      ...this.gic.frames.gicd.wire(bases.gicd, wiring),
      ...this.gic.wireRedistributors([bases.gicr], wiring),
    )
    this.#initiators = Array.from({ length: cpus }, (_, cpu) => ({
      secure: cpuInitiator(cpu, { secure: true }),
      nonSecure: cpuInitiator(cpu),
    }))
    this.#execute(undefined)
  }

  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) => this.step(step))
  }

  async reset(): Promise<void> {
    const { gic, config } = this
    for (let intid = 32; intid < gic.config.intids; intid++) gic.setSpi(intid, false)
    for (let cpu = 0; cpu < config.cpus; cpu++) for (let intid = 16; intid < 32; intid++) gic.setPpi(cpu, intid, false)
    gic.reset()
    this.memory.bytes.fill(0)
  }

  async close(): Promise<void> {}

  step(step: Step): Result {
    switch (step.op) {
      case 'read': {
        const value = this.bus.read(this.#address(step.region, step.offset), step.size, this.#by(step))
        if (this.bus.aborts(this.bus.outcome)) return failed('abort')
        const low = BigInt(value >>> 0)
        return { status: 'ok', value: step.size === 8 ? (BigInt(this.bus.high >>> 0) << 32n) | low : low }
      }
      case 'write': {
        const [low, high] = halves(step.value)
        const outcome = this.bus.write(this.#address(step.region, step.offset), step.size, low, high, this.#by(step))
        return outcome !== Outcome.ok && this.bus.aborts(outcome) ? failed('abort') : done
      }
      case 'mrs':
      case 'msr':
        return this.#system(step)
      case 'spi':
        this.gic.setSpi(step.intid, step.level === 1)
        return done
      case 'ppi':
        this.gic.setPpi(step.cpu, step.intid, step.level === 1)
        return done
      case 'lines': {
        let lines = 0n
        for (let cpu = 0; cpu < this.config.cpus; cpu++) {
          if (this.gic.fiq(cpu)) lines |= 1n << BigInt(2 * cpu)
          if (this.gic.irq(cpu)) lines |= 2n << BigInt(2 * cpu)
        }
        return { status: 'ok', value: lines }
      }
      case 'store':
        for (const [n, word] of step.words.entries()) {
          const [low, high] = halves(word)
          this.memory.write32(step.address + 8 * n, low)
          this.memory.write32(step.address + 8 * n + 4, high)
        }
        return done
      case 'load': {
        const low = BigInt(this.memory.read32(step.address) >>> 0)
        return { status: 'ok', value: (BigInt(this.memory.read32(step.address + 4) >>> 0) << 32n) | low }
      }
    }
  }

  #system(step: Extract<Step, { op: 'mrs' | 'msr' }>): Result {
    const encoding = iccEncoding(step.register)
    if (encoding === undefined) return failed('undefined')
    this.#execute(step)
    if (step.op === 'msr') this.gic.writeSysreg(step.cpu, encoding, ...halves(step.value))
    const low = step.op === 'mrs' ? BigInt(this.gic.readSysreg(step.cpu, encoding) >>> 0) : 0n
    const value = step.op === 'mrs' ? (BigInt(this.gic.sysregHigh >>> 0) << 32n) | low : 0n
    const { sysregOutcome } = this.gic
    this.#execute(undefined)
    return sysregOutcome === SysregOutcome.ok ? { status: 'ok', value } : failed('undefined')
  }

  /** With two Security states a PE is at EL3 between steps, and lends an `_EL1` access to EL1. */
  #execute(step: { cpu: number; register: string; secure?: boolean } | undefined): void {
    if (!this.config.security) return
    for (let cpu = 0; cpu < this.config.cpus; cpu++) {
      if (step === undefined || step.cpu !== cpu || !step.register.endsWith('_EL1'))
        this.gic.setExecution(cpu, { el: 3, secure: true })
      else this.gic.setExecution(cpu, { el: 1, secure: step.secure ?? false })
    }
  }

  #address(region: Region, offset: number): number {
    return region === 'gicd' || region === 'gicr' ? bases[region] + offset : -1
  }

  #by(step: { cpu: number; secure?: boolean }): Initiator {
    const cpu = this.#initiators[step.cpu]
    if (cpu === undefined) throw new RangeError(`CPU ${step.cpu}: this target has ${this.config.cpus}`)
    return step.secure ? cpu.secure : cpu.nonSecure
  }
}

function halves(value: number | bigint): [low: number, high: number] {
  const wide = BigInt(value)
  return [Number(BigInt.asIntN(32, wide)), Number(BigInt.asIntN(32, wide >> 32n))]
}
