// The checks behind `npm test`, in the order in which they fail fastest. Names of steps choose some of them:
//
//   node scripts/check.mjs [types] [lint] [unit] [package]

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build.mjs'

const cache = join(root, '.cache')
const packed = join(cache, 'package')

/** Runs a command and says whether it succeeded. */
function ran(command, args, cwd = root) {
  const shell = process.platform === 'win32'
  return spawnSync(command, args, { cwd, stdio: 'inherit', shell }).status === 0
}

function tool(name, ...args) {
  return ran(join(root, 'node_modules', '.bin', name), args)
}

/** Bytes that the packed package may have. */
const MOST_PACKED = 1_000_000

/** Whether the package is small, and carries what its README links. */
function holdsItsReadme(archive, installed) {
  const { size } = statSync(archive)
  if (size > MOST_PACKED)
    process.stderr.write(`check: the package has ${size} bytes packed, more than ${MOST_PACKED}\n`)
  const readme = readFileSync(join(installed, 'README.md'), 'utf8')
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link)
  const missing = links.filter((link) => !existsSync(join(installed, link)))
  if (missing.length > 0) process.stderr.write(`check: the package lacks what README.md links: ${missing.join(', ')}\n`)
  return size <= MOST_PACKED && missing.length === 0
}

/** Packs what would be published, and tries it as an installed package: its manifest, its types, its entries, its command. */
function checkPackage() {
  rmSync(packed, { recursive: true, force: true })
  const installed = join(packed, 'node_modules', 'vgic')
  mkdirSync(installed, { recursive: true })
  if (!ran('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed])) return false
  const archive = join(packed, readdirSync(packed).find((name) => name.endsWith('.tgz')) ?? '')
  if (!ran('tar', ['-xzf', archive, '-C', installed, '--strip-components=1'])) return false
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace('.', 'vgic'))
  const script = `for (const entry of ${JSON.stringify(entries)}) await import(entry)`
  return (
    holdsItsReadme(archive, installed) &&
    tool('publint', 'run', archive, '--strict') &&
    tool('attw', archive, '--profile', 'esm-only') &&
    ran(process.execPath, ['--input-type=module', '--eval', script], packed) &&
    ran(process.execPath, [join(installed, 'bin', 'vgic.js'), '--version'], packed) &&
    startNamesWhatWorks(installed)
  )
}

/** What `vgic start` names as next, run where the package is installed: every command of it, but those that fetch or last. */
function startNamesWhatWorks(installed) {
  const program = join(installed, 'bin', 'vgic.js')
  const { stdout, status } = spawnSync(process.execPath, [program, 'start'], { cwd: packed, encoding: 'utf8' })
  const [, next = ''] = stdout.split('\nNext:\n')
  const commands = [...next.matchAll(/^ {2}(\S.*)$/gm)].map(([, command]) => command)
  const foreign = commands.filter((command) => !command.startsWith('npx vgic '))
  if (status !== 0 || commands.length < 3 || foreign.length > 0) {
    process.stderr.write(
      `check: an installed 'vgic start' ends with ${status} and names ${foreign.join(', ') || 'too little'}\n`,
    )
    return false
  }
  return commands
    .map((command) => command.split(' ').slice(2))
    .filter(([name]) => name !== 'linux' && name !== 'conform')
    .every((args) => {
      const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: packed, encoding: 'utf8' })
      if (status !== 0) process.stderr.write(`check: 'vgic ${args.join(' ')}' ends with ${status}: ${stderr}`)
      return status === 0
    })
}

const steps = {
  types: () => tool('tsc', '-p', '.'),
  lint: () => tool('biome', 'check', '--error-on-warnings', '.'),
  unit: () =>
    tool('vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${join(cache, 'unit.json')}`),
  package: checkPackage,
}

function check(names) {
  for (const name of names) {
    const step = Object.hasOwn(steps, name) ? steps[name] : undefined
    if (step === undefined) {
      process.stderr.write(`check: no step '${name}'; there are ${Object.keys(steps).join(', ')}\n`)
      return 2
    }
    process.stdout.write(`\n== ${name}\n`)
    if (!step()) {
      process.stderr.write(`check: '${name}' failed\n`)
      return 1
    }
  }
  return 0
}

const chosen = process.argv.slice(2)
process.exitCode = check(chosen.length > 0 ? chosen : Object.keys(steps))
