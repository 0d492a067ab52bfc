// `npm run test:qemu`: the tests that need QEMU, then random operations on QEMU's GIC and on ours side by side.
//
//   npm run test:qemu -- [--gic 2|3] [--seed N] [--steps N]
//
// --gic compares that version alone, and leaves the tests out; --steps is for each configuration, and unless given makes
// more than a million operations of each version. --seed is that of the tests too, which else choose their own and name it.
// Ends with 1 on a difference that no listed deviation explains.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './build.mjs'

/** Five configurations of GICv2, ten of GICv3; of these two and four have two Security states. Some two minutes in all. */
const DEFAULT_STEPS = { 2: 220_000, 3: 120_000 }

function wholeNumber(text, name, most) {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (value < 1 || value > most) throw new RangeError(`--${name} wants a whole number from 1 to ${most}, not '${text}'`)
  return value
}

/** @returns the options, or undefined after a line on what is wrong with them */
function options() {
  try {
    const string = { type: 'string' }
    const { values } = parseArgs({ options: { gic: string, seed: string, steps: string } })
    const random = String(1 + Math.floor(Math.random() * 0xffff_fffe))
    if (values.gic !== undefined && values.gic !== '2' && values.gic !== '3')
      throw new RangeError(`--gic wants 2 or 3, not '${values.gic}'`)
    return {
      gic: values.gic === undefined ? undefined : Number(values.gic),
      seed: wholeNumber(values.seed ?? random, 'seed', 0xffff_ffff),
      testSeed: values.seed,
      steps: values.steps === undefined ? undefined : wholeNumber(values.steps, 'steps', 1e9),
    }
  } catch (error) {
    process.stderr.write(`test:qemu: ${error.message.split('\n')[0]}\n`)
    return undefined
  }
}

function tests(seed) {
  const report = `--outputFile.json=${join('.cache', 'qemu.json')}`
  const args = ['run', '--config', 'vitest.qemu.config.ts', '--reporter=default', '--reporter=json', report]
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  const env = seed === undefined ? process.env : { ...process.env, SEED: seed }
  return spawnSync(vitest, args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0
}

async function fuzz(version, { seed, steps }) {
  const { fuzzAgainstQemu, GICV2_CONFIGS, GICV3_CONFIGS } = await import('../dist/conformance/fuzz/run.js')
  const { ModelTarget } = await import('../dist/conformance/index.js')
  return fuzzAgainstQemu({
    subject: async (config) => new ModelTarget(config),
    seed,
    steps: steps ?? DEFAULT_STEPS[version],
    configs: version === 2 ? GICV2_CONFIGS : GICV3_CONFIGS,
    print: (line) => process.stdout.write(`${line}\n`),
    progress: (text) => {
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}\r`)
    },
  })
}

async function run() {
  const chosen = options()
  if (chosen === undefined) return 2
  // A test that fails does not keep the comparison from being made.
  let agreed = chosen.gic !== undefined || tests(chosen.testSeed)
  try {
    for (const version of chosen.gic === undefined ? [2, 3] : [chosen.gic]) {
      const agrees = await fuzz(version, chosen)
      agreed &&= agrees
    }
    return agreed ? 0 : 1
  } catch (error) {
    process.stderr.write(`test:qemu: ${error.message}\n`)
    return 2
  }
}

process.exitCode = await run()
