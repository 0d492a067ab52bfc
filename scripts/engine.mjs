// Emits the CPU's engine of the default features once, for the bundle: emitting it at each start takes most of that. It runs the
// source as it is bundled, so what is published is what the source would emit.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const source = fileURLToPath(new URL('../src/aarch64', import.meta.url))
const place = join(source, 'engine', 'prebuilt.ts')

/** The plugin that puts the engine in the place of the one that the source does not have. */
export async function prebuiltEngine() {
  const folder = mkdtempSync(fileURLToPath(new URL('../dist-engine-', import.meta.url)))
  try {
    const input = { engine: join(source, 'engine/engine.ts'), prebuilt: place, row: join(source, 'isa/row.ts') }
    const build = await rolldown({ input, platform: 'node', logLevel: 'warn' })
    await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' })
    await build.close()
    const load = (name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href)
    const { generate } = await load('engine')
    const { pack } = await load('prebuilt')
    const { features } = await load('row')
    const { key, bytes, dispatch } = generate(new Set(features))
    const text = JSON.stringify(pack(key, bytes, dispatch))
    return {
      name: 'prebuilt-engine',
      // The one line that changes keeps its place, so the source map stays right without a word of this.
      transform: (code, id) =>
        id === place ? { code: code.replace('undefined as Prebuilt | undefined', () => text), map: null } : undefined,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
