// Runs one of the package's jobs from a fresh clone on: installs what package-lock.json names if it is not there, builds if
// the source is newer, then runs the rest of the command line. Plain JavaScript without a dependency.
//
//   node scripts/run.mjs FILE.js [arguments]       a script of ours, with this Node
//   node scripts/run.mjs --tool vitest [arguments]  a program of node_modules/.bin

import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { build, root, timeOf } from './build.mjs'

/** npm writes this file at the end of an installation. */
const installed = join(root, 'node_modules', '.package-lock.json')

function install() {
  const modules = join(root, 'node_modules')
  // Somebody linked a folder of their own there: it is theirs to keep up.
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) return 0
  if (timeOf(installed) >= timeOf(join(root, 'package-lock.json'))) return 0
  process.stderr.write(`vgic: installing the development tools ('npm ci')\n`)
  const npm = process.env.npm_execpath
  const quiet = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  const { status, error } =
    npm?.endsWith('js') === true
      ? spawnSync(process.execPath, [npm, ...quiet], options)
      : spawnSync('npm', quiet, { ...options, shell: process.platform === 'win32' })
  if (status !== 0) {
    process.stderr.write(`vgic: 'npm ci' failed${error === undefined ? '' : ` (${error.message})`}\n`)
    return status ?? 2
  }
  const now = new Date()
  if (existsSync(installed)) utimesSync(installed, now, now)
  return 0
}

function run(args) {
  const tool = args[0] === '--tool'
  const name = tool ? args[1] : args[0]
  if (name === undefined) {
    process.stderr.write('vgic: scripts/run.mjs needs the name of what to run\n')
    return 2
  }
  const rest = args.slice(tool ? 2 : 1)
  const options = { cwd: root, stdio: 'inherit' }
  const { status, signal } = tool
    ? spawnSync(join(root, 'node_modules', '.bin', name), rest, { ...options, shell: process.platform === 'win32' })
    : spawnSync(process.execPath, [join(root, name), ...rest], options)
  return status ?? (signal === null ? 2 : 130)
}

process.exitCode = install() || build() || run(process.argv.slice(2))
