/**
 * This package's own GIC as a conformance target, on a bus of its own, wired either way. It adds nothing to the model:
 * a step becomes one access or one input change.
 */

import { GicV2, type GicV2Config, type GicV3, type GicV3Config, type Its } from '../gic/index.ts'
import { Bus, cpuInitiator, type Initiator, Outcome, type Policy, type Wiring } from '../mmio/index.ts'
import { REGION_BASE } from './layout.ts'
import { ModelGicV3 } from './model-gicv3.ts'
import type { GicTarget, Result, Step, TargetConfig } from './target.ts'

/** As the `virt` board answers: nothing there is an abort, a refusing register is RAZ/WI. */
const policy: Policy = { unmapped: 'abort' }

const done: Result = { status: 'ok', value: 0n }
const refused: Result = { status: 'abort', value: 0n }
const undefinedHere: Result = { status: 'undefined', value: 0n }

/** How this package's GIC is put on its bus, and what it is. */
export interface ModelOptions {
  /** One bus range a frame, or one a group of registers. */
  wiring?: Wiring
  /** Over what the target configuration says; by default the `virt` board's. */
  gic?: GicV2Config
  /** Over what the target configuration says, of a GICv3. */
  gicv3?: GicV3Config
}

/** A GICv3 with everything that one may leave out (`Traits.options`); direct LPIs where there are LPIs. */
export const everyOption = (its: boolean): GicV3Config => ({
  messageSpis: true,
  oneOfN: true,
  nmi: true,
  statusRegisters: true,
  invalidateRegisters: true,
  directLpis: its,
  extendedSpis: 64,
  extendedPpis: 64,
})

/** This package's GIC as a target. */
export class ModelTarget implements GicTarget {
  /** For people. */
  readonly name: string
  /** What it is. */
  readonly config: TargetConfig
  /** The GIC itself. */
  readonly gic: GicV2 | GicV3
  /** Where the configuration has one. */
  readonly its: Its | undefined
  /** The bus that it stands on, at the addresses of QEMU's `virt`. */
  readonly bus = new Bus(policy)
  readonly #v3: ModelGicV3 | undefined
  readonly #initiators: readonly { secure: Initiator; nonSecure: Initiator }[]

  constructor(config: TargetConfig, options: ModelOptions = {}) {
    const wiring = options.wiring ?? 'frame'
    const { version, cpus, security } = config
    if (config.its && version !== 3) throw new RangeError('an ITS needs a GICv3')
    this.config = config
    this.name = wiring === 'frame' ? 'model' : `model (a bus range for each register ${wiring})`
    if (version === 3) {
      this.#v3 = new ModelGicV3(config, this.bus, wiring, options.gicv3)
      this.gic = this.#v3.gic
      this.its = this.#v3.its
    } else {
      const gic = new GicV2({ cpus, security, msi: { base: 80, count: 64 }, ...options.gic })
      const { gicd, gicc, v2m } = gic.frames
      this.bus.register(...gicd.wire(REGION_BASE.gicd, wiring), ...gicc.wire(REGION_BASE.gicc, wiring))
      if (v2m) this.bus.register(...v2m.wire(REGION_BASE.v2m, wiring))
      this.gic = gic
    }
    this.#initiators = Array.from({ length: cpus }, (_, cpu) => ({
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
    if (this.#v3) this.#v3.reset()
    else this.gic.reset()
  }

  /** There is nothing to end. */
  async close(): Promise<void> {}

  /** Carries one step out at once. */
  step(step: Step): Result {
    switch (step.op) {
      case 'read': {
        const value = this.bus.read(REGION_BASE[step.region] + step.offset, step.size, this.#by(step))
        if (this.bus.aborts(this.bus.outcome)) return refused
        const low = BigInt(value >>> 0)
        return { status: 'ok', value: step.size === 8 ? (BigInt(this.bus.high >>> 0) << 32n) | low : low }
      }
      case 'write': {
        const value = BigInt(step.value)
        const low = Number(BigInt.asIntN(32, value))
        const high = Number(BigInt.asIntN(32, value >> 32n))
        const outcome = this.bus.write(REGION_BASE[step.region] + step.offset, step.size, low, high, this.#by(step))
        this.#v3?.finishCommands()
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
      // A GICv2 has no system registers, and reads no memory.
      case 'mrs':
      case 'msr':
        this.#by(step)
        return this.#v3?.system(step) ?? undefinedHere
      case 'store':
        this.#v3?.store(step.address, step.words)
        return this.#v3 ? done : undefinedHere
      case 'load':
        return this.#v3 ? { status: 'ok', value: this.#v3.load(step.address) } : undefinedHere
    }
  }

  #by(step: { cpu: number; secure?: boolean }): Initiator {
    const cpu = this.#initiators[step.cpu]
    if (cpu === undefined) throw new RangeError(`CPU ${step.cpu}: this target has ${this.config.cpus}`)
    return step.secure ? cpu.secure : cpu.nonSecure
  }
}
