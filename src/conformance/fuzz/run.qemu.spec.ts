/**
 * The fuzzer with QEMU under it: that two QEMUs agree with each other, that our GIC agrees with QEMU, and that a GIC with
 * a fault put into it is found out and the steps made few. Short; the long run is `npm run test:qemu`'s own.
 */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from '../model.ts'
import { QemuTarget } from '../qemu/target.ts'
import type { GicTarget, Result, Step, TargetConfig } from '../target.ts'
import { describeConfig } from './format.ts'
import { fuzzAgainstQemu, GICV2_CONFIGS, GICV3_CONFIGS } from './run.ts'

async function run(
  config: TargetConfig,
  subject: () => Promise<GicTarget>,
  steps: number,
  trials?: number,
): Promise<[boolean, string[]]> {
  const lines: string[] = []
  const agreed = await fuzzAgainstQemu({
    subject,
    seed: 3,
    steps,
    ...(trials === undefined ? {} : { trials }),
    configs: [config],
    print: (line) => lines.push(line),
  })
  return [agreed, lines]
}

/** Our GIC, but that lowering the wire of SPI 36 leaves it pending. */
class StuckWire implements GicTarget {
  readonly name = 'stuck'
  readonly config: TargetConfig
  readonly #gic: ModelTarget
  constructor(config: TargetConfig) {
    this.config = config
    this.#gic = new ModelTarget(config)
  }
  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) =>
      step.op === 'spi' && step.intid === 36 && step.level === 0 ? { status: 'ok', value: 0n } : this.#gic.step(step),
    )
  }
  reset(): Promise<void> {
    return this.#gic.reset()
  }
  close(): Promise<void> {
    return this.#gic.close()
  }
}

/** Our GICv3, but for one kind of step that something else takes the place of. */
class Altered implements GicTarget {
  readonly name = 'altered'
  readonly config: TargetConfig
  readonly #gic: ModelTarget
  readonly #alter: (step: Step) => Step
  constructor(config: TargetConfig, alter: (step: Step) => Step) {
    this.config = config
    this.#gic = new ModelTarget(config)
    this.#alter = alter
  }
  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) => this.#gic.step(this.#alter(step)))
  }
  reset(): Promise<void> {
    return this.#gic.reset()
  }
  close(): Promise<void> {
    return this.#gic.close()
  }
}

/** One ITS command for another, by their numbers. */
const command =
  (from: bigint, to: bigint) =>
  (step: Step): Step =>
    step.op === 'store' && step.words.length === 4 && (step.words[0]! & 0xffn) === from
      ? { ...step, words: [(step.words[0]! & ~0xffn) | to, ...step.words.slice(1)] }
      : step

/** What the altered GICs get wrong: a few of the things that only a GICv3 has. */
const FAULTS: readonly (readonly [string, TargetConfig, (step: Step) => Step])[] = [
  ['CLEAR does nothing', { version: 3, cpus: 4, security: false, its: true }, command(4n, 5n)],
  ['MOVALL does nothing', { version: 3, cpus: 4, security: false, its: true }, command(0xen, 5n)],
  ['INV does nothing', { version: 3, cpus: 4, security: false, its: true }, command(0xcn, 5n)],
  [
    'messages are lost',
    { version: 3, cpus: 4, security: false, its: true },
    (step) => (step.op === 'write' && step.region === 'itst' ? { op: 'lines' } : step),
  ],
  [
    'IRM reaches nobody',
    { version: 3, cpus: 4, security: false, its: false },
    (step) =>
      step.op === 'msr' && step.register === 'ICC_SGI1R_EL1' && (BigInt(step.value) >> 40n) & 1n
        ? { op: 'lines' }
        : step,
  ],
  [
    'Secure ICC_SGI1R_EL1 is taken as Non-secure',
    { version: 3, cpus: 4, security: true, its: false },
    (step) => (step.op === 'msr' && step.register === 'ICC_SGI1R_EL1' ? { ...step, at: { el: 1, ns: true } } : step),
  ],
  [
    'SCR_EL3.NS banks nothing at EL3',
    { version: 3, cpus: 1, security: true, its: false },
    (step) =>
      (step.op === 'mrs' || step.op === 'msr') && step.at?.el === 3 ? { ...step, at: { ...step.at, ns: false } } : step,
  ],
  [
    'SCR_EL3.FIQ changes nothing at Non-secure EL1',
    { version: 3, cpus: 4, security: true, its: false },
    (step) => (step.op === 'mrs' && step.at?.fiq ? { ...step, at: { ...step.at, fiq: false } } : step),
  ],
  [
    'GICD_CTLR.DS cannot be set',
    { version: 3, cpus: 4, security: true, its: false },
    (step) =>
      step.op === 'write' && step.region === 'gicd' && step.offset === 0
        ? { ...step, value: Number(step.value) & ~0x40 }
        : step,
  ],
  [
    'GICD_NSACR stays 0',
    { version: 3, cpus: 4, security: true, its: false },
    (step) =>
      step.op === 'write' && step.region === 'gicd' && step.offset >= 0xe00 && step.offset < 0xf00
        ? { op: 'lines' }
        : step,
  ],
]

describe('the fuzzer on QEMU', () => {
  it.each([...GICV2_CONFIGS, ...GICV3_CONFIGS].map((config) => [describeConfig(config), config] as const))(
    'our %s agrees',
    async (_, config) => {
      const [agreed, lines] = await run(config, async () => new ModelTarget(config), 10_000)
      expect(agreed, lines.join('\n')).toBe(true)
    },
  )

  it.each([...GICV2_CONFIGS, ...GICV3_CONFIGS].map((config) => [describeConfig(config), config] as const))(
    'a second QEMU agrees with the first: %s',
    async (_, config) => {
      const [agreed, lines] = await run(config, () => QemuTarget.start(config), 3_000)
      expect(agreed, lines.join('\n')).toBe(true)
    },
  )

  it('finds a wire that sticks, and says so in the few steps that it takes to see it', async () => {
    const config = GICV2_CONFIGS[1]!
    const [agreed, lines] = await run(config, async () => new StuckWire(config), 20_000)
    expect(agreed).toBe(false)
    const steps = lines.filter((line) => /^ {2}(\d|irq|# lines)/.test(line))
    expect(steps.some((line) => line.includes('irq 36 - 0'))).toBe(true)
    expect(steps.length).toBeLessThanOrEqual(6)
    expect(lines.some((line) => /# qemu answers .*, stuck /.test(line))).toBe(true)
  })
  it.each(FAULTS)('finds a GICv3 in which %s', async (_, config, alter) => {
    const [agreed, lines] = await run(config, async () => new Altered(config, alter), 30_000, 1)
    expect(agreed, lines.join('\n')).toBe(false)
  })
})
