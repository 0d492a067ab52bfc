/** `vgic conform`: the conformance vectors on our own GIC, or on QEMU's, as a table of subjects and every failure in full. */

import { vectorsToJson } from '../conformance/json.ts'
import { everyOption, ModelTarget } from '../conformance/model.ts'
import {
  type Machine,
  machinesOf,
  matches,
  type Outcome,
  runOn,
  select,
  subjectsOf,
  traitsOf,
} from '../conformance/suite.ts'
import type { GicTarget, TargetConfig } from '../conformance/target.ts'
import { expectedOnQemu } from '../conformance/vectors/expected-on-qemu.ts'
import { gicv3ExpectedOnQemu } from '../conformance/vectors/gicv3-expected-on-qemu.ts'
import { type Part, parts } from '../conformance/vectors/index.ts'
import { itsExpectedOnQemu } from '../conformance/vectors/its-expected-on-qemu.ts'
import type { Wiring } from '../mmio/index.ts'
import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError, wholeNumber } from './command.ts'
import { conformJson, conformLines, listLines, type Report } from './conform-report.ts'
import { Progress } from './progress.ts'
import { printable, styleFor } from './style.ts'

const help = `Usage: vgic conform [options]

Puts the conformance vectors (each a few accesses, and what the specification says must come of them) to a GIC, and tells
subject by subject how many pass. Exit status: 0 all pass, 1 a failure that no listed deviation of QEMU explains, 2 it
could not run, or no vector applied.

  --target model|qemu    this package's GIC (model), or the GIC of an installed QEMU
  --gic 2|3              the architecture version
  --cpus N               how many CPUs (4)
  --security             two Security states
  --its                  an ITS, on a GICv3
  --wiring frame|group   the model on the bus: one range for each frame, or for each group of registers
  --only TEXT            the vectors with this in their name, subject or clause
  --without PART[,PART]  leave out what is about a part that the GIC has not: v2m, inputs (GICD_PPISR, GICD_SPISR),
                         identification
  --list                 print the vectors, and run none; with --json all of each, in the format of docs/vectors.md
  --json                 print one JSON object

Without --gic, --cpus, --security and --its the vectors run on every machine of the suite: 1 to 8 CPUs, with one Security
state and with two.

Examples:
  vgic conform
  vgic conform --target qemu --gic 2 --cpus 4 --only 'binary point'
`

const optionSpecs = {
  target: { type: 'string' },
  gic: { type: 'string' },
  cpus: { type: 'string' },
  security: { type: 'boolean' },
  its: { type: 'boolean' },
  wiring: { type: 'string' },
  only: { type: 'string' },
  without: { type: 'string' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

/** One of a few words. */
export function oneOf<T extends string>(
  text: string | undefined,
  option: string,
  allowed: readonly T[],
): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find((word) => word === text)
  if (found === undefined)
    throw new UsageError(`--${option} wants ${allowed.join(' or ')}, not '${printable(text).slice(0, 60)}'`)
  return found
}

export interface MachineOptions {
  gic?: string | undefined
  cpus?: string | undefined
  security?: boolean | undefined
  its?: boolean | undefined
}

/** The one machine that the options name; undefined where none of them is given. */
export function chosenConfig(options: MachineOptions, mostCpus: number): TargetConfig | undefined {
  const { security = false, its = false } = options
  const gic = oneOf(options.gic, 'gic', ['2', '3'])
  const cpus = wholeNumber(options.cpus, 'cpus', 1)
  if (gic === undefined && cpus === undefined && !security && !its) return undefined
  const version = gic === '3' || (gic === undefined && its) ? 3 : 2
  if (its && version === 2) throw new UsageError('--its needs a GICv3: --gic 3')
  const most = version === 2 ? 8 : mostCpus
  if ((cpus ?? 4) > most) throw new UsageError(`--cpus ${cpus}: a GICv${version} has 1 to ${most} here`)
  return { version, cpus: cpus ?? 4, security, its }
}

/** Parts named in `--without`. */
function withoutParts(text: string | undefined): Part[] {
  if (text === undefined) return []
  return text.split(',').map((name) => oneOf(name, 'without', parts)!)
}

function noneWith(only: string): UsageError {
  return new UsageError(`--only: no vector has '${printable(only).slice(0, 60)}' in its name, subject or clause`)
}

type TargetName = 'model' | 'qemu'

async function open(name: TargetName, { config, traits }: Machine, wiring: Wiring): Promise<GicTarget> {
  const { priorityBits } = traits
  if (name === 'model')
    return new ModelTarget(config, {
      wiring,
      gic: { priorityBits },
      gicv3: { priorityBits, ...(traits.options ? everyOption(config.its) : { invalidateRegisters: true }) },
    })
  // QEMU's side is loaded for those who ask for it.
  const { QemuTarget } = await import('../conformance/qemu/target.ts')
  return QemuTarget.start(config)
}

/** The deviation of QEMU's that a vector is known to fail for. */
function knownOnQemu(vector: string): string | undefined {
  return expectedOnQemu.get(vector) ?? gicv3ExpectedOnQemu.get(vector)?.id ?? itsExpectedOnQemu.get(vector)
}

/** Whatever stops QEMU is something for the user to put right, in one line. */
async function onTarget(name: TargetName, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (name === 'model' || !(error instanceof Error)) throw error
    throw new UsageError(`--target qemu: ${printable(error.message.split('\n')[0] ?? '')}`)
  }
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { values, positionals } = parseOptions(args, optionSpecs, 'conform')
  if (positionals[0] !== undefined)
    throw new UsageError(`conform takes no '${printable(positionals[0])}'; 'vgic conform --help' lists the options`)
  const name = oneOf(values.target, 'target', ['model', 'qemu'] as const) ?? 'model'
  const wiring = oneOf(values.wiring, 'wiring', ['frame', 'group'] as const)
  if (wiring !== undefined && name === 'qemu') throw new UsageError('--wiring is of the model, not of QEMU')
  const config = chosenConfig(values, 32)
  const versions = config === undefined ? ([2, 3] as const) : [config.version]
  const without = withoutParts(values.without)
  const { only = '' } = values
  if (values.list === true) {
    const listed = vectorsToJson(versions, (subject, vector) => matches(subject, vector, only))
    if (listed.subjects.length === 0) throw noneWith(only)
    if (values.json === true) io.out.write(`${JSON.stringify(listed, null, 1)}\n`)
    else io.out.write(`${listLines(listed, styleFor(io.out, io.env)).join('\n')}\n`)
    return ExitStatus.ok
  }
  const plans = versions.map((version) => ({
    outcomes: select(version, values.only),
    machines: (config === undefined
      ? machinesOf(version, name === 'qemu')
      : [{ config, traits: traitsOf[version] }]
    ).map((machine) => ({ ...machine, traits: { ...machine.traits, without } })),
  }))
  if (plans.every(({ outcomes }) => outcomes.length === 0)) {
    const none = versions.every((version) => Object.keys(subjectsOf[version]).length === 0)
    if (none) throw new UsageError(`there are no conformance vectors for a GICv${versions[0]} yet`)
    throw noneWith(only)
  }
  const start = performance.now()
  const total = plans.reduce((sum, { outcomes, machines }) => sum + outcomes.length * machines.length, 0)
  const progress = new Progress(io.err, `vectors on ${name}`, undefined, 'runs')
  let runs = 0
  const machines: Machine[] = []
  const outcomes: Outcome[] = []
  try {
    for (const plan of plans) {
      outcomes.push(...plan.outcomes)
      if (plan.outcomes.length === 0) continue
      for (const machine of plan.machines) {
        machines.push(machine)
        await onTarget(name, async () => {
          const target = await open(name, machine, wiring ?? 'frame')
          try {
            await runOn(target, machine, plan.outcomes, () => progress.update(++runs / total, runs))
          } finally {
            await target.close()
          }
        })
      }
    }
  } finally {
    progress.end()
  }
  if (outcomes.every(({ ran }) => ran.length === 0))
    throw new UsageError(
      `none of the ${outcomes.length} vectors chosen applies to ${machines.length === 1 ? 'this machine' : 'these machines'}: nothing was checked`,
    )
  const report: Report = {
    target: name,
    wiring: name === 'model' ? (wiring ?? 'frame') : undefined,
    machines,
    outcomes,
    deviationOf: (vector) => (name === 'qemu' ? knownOnQemu(vector) : undefined),
    seconds: (performance.now() - start) / 1000,
  }
  if (values.json === true) io.out.write(`${JSON.stringify(conformJson(report), null, 2)}\n`)
  else io.out.write(`${conformLines(report, styleFor(io.out, io.env)).join('\n')}\n`)
  const unexpected = outcomes.some(({ vector, failed }) => failed.length > 0 && !report.deviationOf(vector.name))
  return unexpected ? ExitStatus.found : ExitStatus.ok
}

export const conform: Command = {
  name: 'conform',
  help,
  run,
}
