/** `vgic fuzz`: random operations on our GIC and on QEMU's side by side, until their answers differ or the number is done. */

import { ModelTarget } from '../conformance/model.ts'
import type { TargetConfig } from '../conformance/target.ts'
import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError, wholeNumber } from './command.ts'
import { chosenConfig } from './conform.ts'
import { printable } from './style.ts'

const help = `Usage: vgic fuzz [options]

Takes random operations (accesses, wires, acknowledges, commands of the ITS) to this package's GIC and to the GIC of an
installed QEMU, and compares every answer and every output line. A difference is shown in as few steps as show it, as lines
of a trace. Exit status: 0 they agree but for listed deviations of QEMU, 1 they differ, 2 it could not run.

  --seed N         the same seed makes the same operations; a random one unless given, and printed
  --operations N   how many, over all machines together (100000)
  --gic 2|3        the architecture version; with it, or with any of the next three, there is one machine
  --cpus N         how many CPUs (4)
  --security       two Security states; on a GICv3 with accesses from EL3, Secure EL1 and Non-secure EL1
  --its            an ITS, on a GICv3

Examples:
  vgic fuzz
  vgic fuzz --gic 3 --its --seed 7 --operations 20000
  vgic fuzz --gic 3 --security --cpus 1
`

const optionSpecs = {
  seed: { type: 'string' },
  operations: { type: 'string' },
  gic: { type: 'string' },
  cpus: { type: 'string' },
  security: { type: 'boolean' },
  its: { type: 'boolean' },
} as const

const usual = 100_000
const mostOperations = 1e9
const mostSeed = 0xffff_ffff

function upTo(text: string | undefined, option: string, most: number): number | undefined {
  const value = wholeNumber(text, option, 1)
  if (value !== undefined && value > most) throw new UsageError(`--${option} wants a whole number from 1 to ${most}`)
  return value
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { values, positionals } = parseOptions(args, optionSpecs, 'fuzz')
  if (positionals[0] !== undefined)
    throw new UsageError(`fuzz takes no '${printable(positionals[0])}'; 'vgic fuzz --help' lists the options`)
  const seed = upTo(values.seed, 'seed', mostSeed) ?? 1 + Math.floor(Math.random() * (mostSeed - 1))
  const operations = upTo(values.operations, 'operations', mostOperations) ?? usual
  const config = chosenConfig(values, 32)
  const { fuzzAgainstQemu, GICV2_CONFIGS, GICV3_CONFIGS } = await import('../conformance/fuzz/run.ts')
  const configs: readonly TargetConfig[] = config === undefined ? [...GICV2_CONFIGS, ...GICV3_CONFIGS] : [config]
  const clear = () => {
    if (io.err.isTerminal) io.err.write('\r\x1b[K')
  }
  try {
    const agreed = await fuzzAgainstQemu({
      subject: async (each) => new ModelTarget(each),
      seed,
      steps: Math.max(1, Math.ceil(operations / configs.length)),
      configs,
      print: (line) => {
        clear()
        io.out.write(`${line}\n`)
      },
      progress: (text) => {
        if (io.err.isTerminal) io.err.write(`\r\x1b[K${text.slice(0, Math.max(10, io.err.columns - 1))}`)
      },
    })
    return agreed ? ExitStatus.ok : ExitStatus.found
  } catch (error) {
    // No QEMU, or one that died: for the user to put right, in one line.
    throw error instanceof Error ? new UsageError(`fuzz: ${printable(error.message.split('\n')[0] ?? '')}`) : error
  } finally {
    clear()
  }
}

export const fuzz: Command = {
  name: 'fuzz',
  help,
  run,
}
