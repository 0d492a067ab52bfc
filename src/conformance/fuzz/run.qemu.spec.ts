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
): Promise<[boolean, string[]]> {
  const lines: string[] = []
  const agreed = await fuzzAgainstQemu({
    subject,
    seed: 3,
    steps,
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

describe('the fuzzer on QEMU', () => {
  it.each(GICV2_CONFIGS.map((config) => [describeConfig(config), config] as const))(
    'our %s agrees',
    async (_, config) => {
      const [agreed, lines] = await run(config, async () => new ModelTarget(config), 20_000)
      expect(agreed, lines.join('\n')).toBe(true)
    },
  )

  it.each([...GICV2_CONFIGS, ...GICV3_CONFIGS].map((config) => [describeConfig(config), config] as const))(
    'a second QEMU agrees with the first: %s',
    async (_, config) => {
      const [agreed, lines] = await run(config, () => QemuTarget.start(config), 6_000)
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
})
