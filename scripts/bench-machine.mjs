// Compiles bench/ beside the source it measures and runs its part about the machine. The exit status says whether it ran, not
// how fast it was.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './build.mjs'

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const main = join(root, '.cache', 'bench', 'bench', 'guest', 'main.js')

function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 2
}

process.exitCode = run([compiler, '-p', join(root, 'bench')]) || run([main, ...process.argv.slice(2)])
