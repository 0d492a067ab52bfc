// Builds dist/ when it is missing or of other source. Plain JavaScript without a dependency: it runs before anything
// is installed or built. Prints one line when it has something to do.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = join(root, 'dist', '.built')

/** Modification time in milliseconds; 0 for what does not exist. */
export function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** What dist/ is made of besides src/. */
const makers = [
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/bundle.mjs',
  'scripts/constants.mjs',
  'scripts/engine.mjs',
  'package.json',
]

/**
 * A checksum of the source below a folder and of the named files in it. Times would not do: what is unpacked, copied or checked
 * out may be older than a dist/ of other source. Tests are not part of it, as nothing is made of them.
 */
export function checksum(folder, names = makers) {
  const hash = createHash('sha256')
  const sources = filesBelow(join(folder, 'src')).filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
  for (const path of [...sources.sort(), ...names.map((name) => join(folder, name))]) {
    const content = readFileSync(path)
    hash.update(`${relative(folder, path)} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** Whether this is a checkout: an installed package has no source, and nothing to build. */
export function isCheckout() {
  return existsSync(join(root, 'src')) && existsSync(join(root, 'tsconfig.build.json'))
}

/** Whether dist/ was made of the source that has this checksum. */
const isMadeOf = (source) => existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === source

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** Removes the types that none of the package's entries leads to: they describe what nobody can import. */
function pruneTypes(fresh) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = new Set()
  const keep = (path) => {
    if (wanted.has(path)) return
    wanted.add(path)
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g))
      keep(join(dirname(path), name.replace(/\.ts$/, '.d.ts')))
  }
  for (const { types } of Object.values(exports))
    if (types !== undefined) keep(join(fresh, types.replace('./dist/', '')))
  for (const path of filesBelow(fresh)) if (path.endsWith('.d.ts') && !wanted.has(path)) rmSync(path)
}

/** Another build may do the same at this very moment; whichever comes last wins, and both are whole. */
function replaceDist(fresh) {
  for (let attempt = 0; ; attempt++) {
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    try {
      renameSync(fresh, join(root, 'dist'))
      return
    } catch (error) {
      if (attempt === 9) throw error
    }
  }
}

/**
 * Brings dist/ up to date.
 * @returns the exit status: 0, or that of a compiler that failed
 */
export function build() {
  if (!isCheckout()) return 0
  // From before: a file that changes while the compiler runs makes the next build do it again.
  const source = checksum(root)
  if (isMadeOf(source)) return 0
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) {
    process.stderr.write("vgic: not built yet, and the compiler is not installed; 'npm ci' installs it\n")
    return 2
  }
  process.stderr.write('vgic: building\n')
  // Into a folder of its own first: whoever runs the old dist/ meanwhile keeps it whole, and two builds do not mix.
  const fresh = join(root, `dist-${process.pid}`)
  try {
    for (const args of [
      [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh],
      [join(root, 'scripts', 'bundle.mjs'), fresh],
    ]) {
      const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] })
      if (status !== 0) return status ?? 2
    }
    pruneTypes(fresh)
    writeFileSync(join(fresh, '.built'), `${source}\n`)
    // Another build may have been quicker, and its programs may be loading from what it made.
    if (!isMadeOf(source)) replaceDist(fresh)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build()
