// `npm run test:qemu`: the tests that need QEMU, then random operations on QEMU's GIC and on ours side by side.
//
//   npm run test:qemu -- [--seed N] [--steps N]     N steps for each configuration; one million together unless given

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './build.mjs'

const DEFAULT_STEPS = 220_000

function wholeNumber(text, name, most) {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (value < 1 || value > most) throw new RangeError(`--${name} wants a whole number from 1 to ${most}, not '${text}'`)
  return value
}

/** @returns the options, or undefined after a line on what is wrong with them */
function options() {
  try {
    const { values } = parseArgs({ options: { seed: { type: 'string' }, steps: { type: 'string' } } })
    const random = String(1 + Math.floor(Math.random() * 0xffff_fffe))
    return {
      seed: wholeNumber(values.seed ?? random, 'seed', 0xffff_ffff),
      steps: wholeNumber(values.steps ?? String(DEFAULT_STEPS), 'steps', 1e9),
    }
  } catch (error) {
    process.stderr.write(`test:qemu: ${error.message.split('\n')[0]}\n`)
    return undefined
  }
}

function tests() {
  const report = `--outputFile.json=${join('.cache', 'qemu.json')}`
  const args = ['run', '--config', 'vitest.qemu.config.ts', '--reporter=default', '--reporter=json', report]
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  return spawnSync(vitest, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0
}

async function fuzz({ seed, steps }) {
  const { fuzzAgainstQemu } = await import('../dist/conformance/fuzz/run.js')
  const { ModelTarget } = await import('../dist/conformance/index.js')
  return fuzzAgainstQemu({
    subject: async (config) => new ModelTarget(config),
    seed,
    steps,
    print: (line) => process.stdout.write(`${line}\n`),
    progress: (text) => {
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}\r`)
    },
  })
}

async function run() {
  const chosen = options()
  if (chosen === undefined) return 2
  if (!tests()) return 1
  try {
    return (await fuzz(chosen)) ? 0 : 1
  } catch (error) {
    process.stderr.write(`test:qemu: ${error.message}\n`)
    return 2
  }
}

process.exitCode = await run()
