// Writes the JavaScript of dist/: each entry a file at its source's place, what entries share in one chunk a floor, so that a
// floor's own constants and functions are local to it when they are compiled. Types are not made here.
//
//   node scripts/bundle.mjs DIRECTORY

import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { constantFunctions } from './constants.mjs'
import { prebuiltEngine } from './engine.mjs'

const source = fileURLToPath(new URL('../src', import.meta.url))
const fromSource = (path) => relative(source, path).split(sep).join('/')

/** The package's entries, and what its commands and scripts load by name. */
export const entries = [
  'index.ts',
  'mmio/index.ts',
  'devices/index.ts',
  'trace/index.ts',
  'conformance/index.ts',
  'machine/index.ts',
  'coverage.ts',
  'cli/process.ts',
  'cli/debian.ts',
  'conformance/fuzz/run.ts',
  'conformance/qemu/build.ts',
]

/**
 * What each shared chunk holds, lower floors first: a chunk takes what its modules import along, unless a chunk before has it.
 * mmio and gic are one, as every access passes through both, and a name from another chunk is looked up at each use.
 */
const chunks = {
  'gic/shared': ['mmio', 'gic'],
  'devices/shared': ['devices'],
  'aarch64/shared': ['aarch64'],
  'trace/shared': ['trace'],
  'machine/shared': ['machine'],
  'conformance/shared': ['conformance/vectors', 'conformance/[^/]*$'],
}

const groups = Object.entries(chunks).map(([name, parts], i) => {
  const pattern = new RegExp(`^(${parts.map((part) => (part.includes('$') ? part : `${part}/`)).join('|')})`)
  return { name, test: (id) => pattern.test(fromSource(id)), priority: 100 - i }
})

async function bundle(directory) {
  const build = await rolldown({
    input: Object.fromEntries(entries.map((path) => [path.replace(/\.ts$/, ''), join(source, path)])),
    platform: 'node',
    external: [/^node:/],
    plugins: [await prebuiltEngine(), constantFunctions],
    logLevel: 'warn',
  })
  await build.write({
    dir: directory,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: ({ name, facadeModuleId, moduleIds }) => {
      if (groups.some((group) => group.name === name)) return '[name].js'
      const ours = [facadeModuleId, ...moduleIds.toReversed()].find((id) => id?.startsWith(source))
      return ours === undefined ? '[name].js' : `${fromSource(ours).replace(/\.ts$/, '')}.js`
    },
    codeSplitting: { groups },
  })
  await build.close()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2] ?? 'dist')
