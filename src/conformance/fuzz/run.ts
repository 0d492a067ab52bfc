/**
 * The fuzz run of `npm run test:qemu`: the same random steps on QEMU's GIC and on another target, for several numbers
 * of CPUs, with progress, the seed, and a failing sequence in few lines. A main program's body; parses no arguments.
 */

import { GICV2_ALLOW, GICV2_AVOID } from '../qemu/deviations.ts'
import { SPI_COUNT } from '../qemu/protocol.ts'
import { QemuTarget } from '../qemu/target.ts'
import { FAST_PPIS, fastSpis } from '../qemu/wires.ts'
import type { GicTarget, TargetConfig } from '../target.ts'
import { describeConfig } from './format.ts'
import { type FuzzReport, failureLines, fuzz } from './fuzz.ts'
import { GICV2_RULES } from './gicv2-rules.ts'
import { Gicv2Steps } from './gicv2-steps.ts'
import { Gicv2View } from './gicv2-view.ts'

export interface FuzzRunOptions {
  /** What QEMU is compared with. */
  subject: (config: TargetConfig) => Promise<GicTarget>
  /** 32 bits; the same seed makes the same steps. */
  seed: number
  /** Steps for each configuration. */
  steps: number
  configs?: readonly TargetConfig[]
  /** Gets whole lines for people. */
  print: (line: string) => void
  /** Called with what is done of the present configuration, for a progress display; may be left out. */
  progress?: (text: string) => void
}

const gicv2 = (cpus: number, security = false): TargetConfig => ({ version: 2, cpus, security, its: false })

export const GICV2_CONFIGS: readonly TargetConfig[] = [gicv2(1), gicv2(4), gicv2(8), gicv2(1, true), gicv2(4, true)]

/** Resolves to whether all configurations agreed. Rejects when QEMU cannot be had at all. */
export async function fuzzAgainstQemu(options: FuzzRunOptions): Promise<boolean> {
  const { print } = options
  const rules = [...GICV2_RULES, ...GICV2_AVOID]
  print(`seed ${options.seed}`)
  let agreed = true
  let total = 0
  for (const config of options.configs ?? GICV2_CONFIGS) {
    const started = Date.now()
    const name = describeConfig(config)
    let shown = 0
    const wires = { fastSpis: fastSpis(config), fastPpis: FAST_PPIS, spis: SPI_COUNT }
    const report = await fuzz({
      config,
      seed: options.seed,
      steps: options.steps,
      source: (random) => new Gicv2Steps(random, config, rules, wires),
      view: () => new Gicv2View(config),
      rules,
      allowances: GICV2_ALLOW,
      reference: () => QemuTarget.start(config),
      subject: () => options.subject(config),
      progress: (steps) => {
        const percent = Math.floor((100 * steps) / options.steps)
        if (percent < shown + 5) return
        shown = percent
        options.progress?.(`${name}: ${percent} %`)
      },
    })
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
