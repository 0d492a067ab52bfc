/**
 * The fuzz run of `npm run test:qemu`: the same random steps on QEMU's GIC and on another target, for several numbers
 * of CPUs, with progress, the seed, and a failing sequence in few lines. A main program's body; parses no arguments.
 */

import { GICV2_ALLOW, GICV2_AVOID } from '../qemu/deviations.ts'
import { GICV3_ALLOW, GICV3_AVOID } from '../qemu/deviations-gicv3.ts'
import { GUEST_MEMORY_BASE, SPI_COUNT } from '../qemu/protocol.ts'
import { QemuTarget } from '../qemu/target.ts'
import { FAST_PPIS, fastSpis } from '../qemu/wires.ts'
import type { GicTarget, TargetConfig } from '../target.ts'
import type { View } from './compare.ts'
import { describeConfig } from './format.ts'
import { type FuzzOptions, type FuzzReport, failureLines, fuzz } from './fuzz.ts'
import { GICV2_RULES } from './gicv2-rules.ts'
import { Gicv2Steps } from './gicv2-steps.ts'
import { Gicv2View } from './gicv2-view.ts'
import { GICV3_RULES } from './gicv3-rules.ts'
import { Gicv3Steps } from './gicv3-steps.ts'
import { Gicv3View } from './gicv3-view.ts'
import type { Wires } from './wires.ts'

export interface FuzzRunOptions {
  /** What QEMU is compared with. */
  subject: (config: TargetConfig) => Promise<GicTarget>
  /** 32 bits; the same seed makes the same steps. */
  seed: number
  /** Steps for each configuration. */
  steps: number
  configs?: readonly TargetConfig[]
  /** How often a failing sequence is tried in a smaller form; a few thousand times unless given. */
  trials?: number
  /** Gets whole lines for people. */
  print: (line: string) => void
  /** Called with what is done of the present configuration, for a progress display; may be left out. */
  progress?: (text: string) => void
}

const gicv2 = (cpus: number, security = false): TargetConfig => ({ version: 2, cpus, security, its: false })

export const GICV2_CONFIGS: readonly TargetConfig[] = [gicv2(1), gicv2(4), gicv2(8), gicv2(1, true), gicv2(4, true)]

const gicv3 = (cpus: number, has: { its?: boolean; security?: boolean } = {}): TargetConfig => ({
  version: 3,
  cpus,
  security: has.security ?? false,
  its: has.its ?? false,
})

export const GICV3_CONFIGS: readonly TargetConfig[] = [
  ...[1, 4, 8].flatMap((cpus) => [gicv3(cpus), gicv3(cpus, { its: true }), gicv3(cpus, { security: true })]),
  gicv3(4, { its: true, security: true }),
]

type Plan<V extends View> = Pick<FuzzOptions<V>, 'source' | 'view' | 'rules' | 'allowances'>

const wiresOf = (config: TargetConfig): Wires => ({
  fastSpis: fastSpis(config),
  fastPpis: FAST_PPIS,
  spis: SPI_COUNT,
  memory: GUEST_MEMORY_BASE,
})

function gicv2Plan(config: TargetConfig): Plan<Gicv2View> {
  const rules = [...GICV2_RULES, ...GICV2_AVOID]
  return {
    source: (random) => new Gicv2Steps(random, config, rules, wiresOf(config)),
    view: () => new Gicv2View(config),
    rules,
    allowances: GICV2_ALLOW,
  }
}

function gicv3Plan(config: TargetConfig): Plan<Gicv3View> {
  const rules = [...GICV3_RULES, ...GICV3_AVOID]
  return {
    source: (random) => new Gicv3Steps(random, config, rules, wiresOf(config)),
    view: () => new Gicv3View(config),
    rules,
    allowances: GICV3_ALLOW,
  }
}

/** Resolves to whether all configurations agreed. Rejects when QEMU cannot be had at all. */
export async function fuzzAgainstQemu(options: FuzzRunOptions): Promise<boolean> {
  const { print } = options
  print(`seed ${options.seed}`)
  let agreed = true
  let total = 0
  for (const config of options.configs ?? GICV2_CONFIGS) {
    const started = Date.now()
    const name = describeConfig(config)
    let shown = 0
    const common = {
      config,
      seed: options.seed,
      steps: options.steps,
      ...(options.trials === undefined ? {} : { trials: options.trials }),
      reference: () => QemuTarget.start(config),
      subject: () => options.subject(config),
      progress: (steps: number) => {
        const percent = Math.floor((100 * steps) / options.steps)
        if (percent < shown + 5) return
        shown = percent
        options.progress?.(`${name}: ${percent} %`)
      },
    }
    const report =
      config.version === 2
        ? await fuzz({ ...common, ...gicv2Plan(config) })
        : await fuzz({ ...common, ...gicv3Plan(config) })
    total += report.steps
    const seconds = Math.max(0.001, (Date.now() - started) / 1000)
    print(summary(name, report, seconds))
    if (report.failure !== undefined) {
      agreed = false
      print(
        `  seed ${options.seed}, case ${report.failure.caseNumber}, shrunk to ${report.failure.steps.length} steps:`,
      )
      for (const line of failureLines(report.failure)) print(`  ${line}`)
    }
  }
  print(`${total.toLocaleString('en')} operations, ${agreed ? 'no unlisted difference' : 'NOT in agreement'}`)
  return agreed
}

function summary(name: string, report: FuzzReport, seconds: number): string {
  const rate = `${Math.round(report.steps / seconds).toLocaleString('en')} a second`
  const listed = [...report.allowed].sort().map(([id, count]) => `${id} ${count}`)
  const deviations = listed.length === 0 ? '' : `; listed deviations met: ${listed.join(', ')}`
  const verdict = report.failure === undefined ? 'agree' : 'DIFFER'
  return `${name}: ${verdict} after ${report.steps.toLocaleString('en')} operations in ${report.cases} cases (${rate})${deviations}`
}
