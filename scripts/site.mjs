// `npm run docs`: the coverage tables (coverage.mjs), then the site of all public classes, options and functions, with TypeDoc, which
// is installed in a folder of its own. Anything public without a description fails it. The site is written to site/.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, timeOf } from './build.mjs'
import './coverage.mjs'

const folder = join(root, 'docs', 'site')
const typedoc = join(folder, 'node_modules', 'typedoc', 'bin', 'typedoc')

function run(command, args, shell = false) {
  return spawnSync(command, args, { cwd: folder, stdio: 'inherit', shell }).status ?? 2
}

function install() {
  const stamp = join(folder, 'node_modules', '.package-lock.json')
  if (existsSync(typedoc) && timeOf(stamp) >= timeOf(join(folder, 'package-lock.json'))) return 0
  process.stderr.write("docs: installing TypeDoc ('npm ci' in docs/site)\n")
  return run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], process.platform === 'win32')
}

process.stderr.write('docs: making the site, which takes half a minute\n')
process.exitCode = install() || run(process.execPath, [typedoc])
