// `npm run test:long`: what `npm test` has no time for. Every spec that asks for VGIC_STEPS runs at length, from a seed of its own:
// more random runs, and the whole of tables that `npm test` has a part of. `npm test` has the same code, and a fixed seed.
//
//   npm run test:long -- [--seed N] [--steps N]     N times the steps of npm test; 12 unless given

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './build.mjs'

/** @returns the value, or undefined after a line on what is wrong with it */
function wholeNumber(name, text, most) {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  process.stderr.write(`test:long: --${name} wants a whole number from 1 to ${most}, not '${text}'\n`)
  return undefined
}

function options() {
  try {
    const string = { type: 'string' }
    const { values } = parseArgs({ options: { seed: string, steps: string } })
    const seed = wholeNumber('seed', values.seed ?? String(1 + Math.floor(Math.random() * 0xffff_fffe)), 0xffff_ffff)
    const steps = wholeNumber('steps', values.steps ?? '12', 1000)
    return seed === undefined || steps === undefined ? undefined : { seed, steps }
  } catch (error) {
    process.stderr.write(`test:long: ${error.message.split('\n')[0]}\n`)
    return undefined
  }
}

function run({ seed, steps }) {
  process.stdout.write(`test:long: ${steps} times the steps, seed ${seed}; --seed ${seed} repeats it\n`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const report = join(root, '.cache', 'long.json')
  const args = ['run', '--config', 'vitest.long.config.ts', '--reporter=default', '--reporter=json']
  return spawnSync(process.execPath, [vitest, ...args, `--outputFile.json=${report}`], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, VGIC_SEED: String(seed), VGIC_STEPS: String(steps) },
  }).status
}

const chosen = options()
process.exitCode = chosen === undefined ? 2 : (run(chosen) ?? 2)
