/**
 * This package's own GIC as a conformance target, on a bus of its own, wired either way. It adds nothing to the model:
 * a step becomes one access or one input change.
 */

import { GicV2, type GicV2Config } from '../gic/index.ts'
import { Bus, cpuInitiator, type Initiator, Outcome, type Policy, type Wiring } from '../mmio/index.ts'
import type { GicTarget, Region, Result, Step, TargetConfig } from './target.ts'

/** Where QEMU's `virt` board has the frames. */
const bases = { gicd: 0x0800_0000, gicc: 0x0801_0000, v2m: 0x0802_0000 } as const

/** As the `virt` board answers: nothing there is an abort, a refusing register is RAZ/WI. */
const policy: Policy = { unmapped: 'abort' }

const done: Result = { status: 'ok', value: 0n }
const refused: Result = { status: 'abort', value: 0n }

export interface ModelOptions {
  wiring?: Wiring
  /** Over what the target configuration says; by default the `virt` board's. */
  gic?: GicV2Config
}

export class ModelTarget implements GicTarget {
  readonly name: string
  readonly config: TargetConfig
  readonly gic: GicV2
  readonly bus = new Bus(policy)
  readonly #initiators: readonly { secure: Initiator; nonSecure: Initiator }[]

  constructor(config: TargetConfig, options: ModelOptions = {}) {
    if (config.version !== 2) throw new RangeError('the model has no GICv3 yet')
    const wiring = options.wiring ?? 'frame'
    this.config = config
    this.name = wiring === 'frame' ? 'model' : `model (a bus range for each register ${wiring})`
    this.gic = new GicV2({ cpus: config.cpus, security: config.security, msi: { base: 80, count: 64 }, ...options.gic })
    const { gicd, gicc, v2m } = this.gic.frames
    this.bus.register(...gicd.wire(bases.gicd, wiring), ...gicc.wire(bases.gicc, wiring))
    if (v2m) this.bus.register(...v2m.wire(bases.v2m, wiring))
    this.#initiators = Array.from({ length: config.cpus }, (_, cpu) => ({
      secure: cpuInitiator(cpu, { secure: true }),
      nonSecure: cpuInitiator(cpu),
    }))
  }

  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) => this.step(step))
  }

  async reset(): Promise<void> {
    for (let intid = 32; intid < this.gic.config.intids; intid++) this.gic.setSpi(intid, false)
    for (let cpu = 0; cpu < this.config.cpus; cpu++)
      for (let intid = 16; intid < 32; intid++) this.gic.setPpi(cpu, intid, false)
    this.gic.reset()
  }

  async close(): Promise<void> {}

  step(step: Step): Result {
    switch (step.op) {
      case 'read': {
        const value = this.bus.read(this.#address(step.region, step.offset), step.size, this.#by(step))
        if (this.bus.aborts(this.bus.outcome)) return refused
        const low = BigInt(value >>> 0)
        return { status: 'ok', value: step.size === 8 ? (BigInt(this.bus.high >>> 0) << 32n) | low : low }
      }
      case 'write': {
        const value = BigInt(step.value)
        const low = Number(BigInt.asIntN(32, value))
        const high = Number(BigInt.asIntN(32, value >> 32n))
        const outcome = this.bus.write(this.#address(step.region, step.offset), step.size, low, high, this.#by(step))
        return outcome !== Outcome.ok && this.bus.aborts(outcome) ? refused : done
      }
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
      default:
        // A GICv2 has no system registers, and reads no memory.
        return { status: 'undefined', value: 0n }
    }
  }

  #address(region: Region, offset: number): number {
    const base = bases[region as keyof typeof bases]
    return base === undefined ? -1 : base + offset
  }

  #by(step: { cpu: number; secure?: boolean }): Initiator {
    const cpu = this.#initiators[step.cpu]
    if (cpu === undefined) throw new RangeError(`CPU ${step.cpu}: this target has ${this.config.cpus}`)
    return step.secure ? cpu.secure : cpu.nonSecure
  }
}
