import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))

/** The specs that ask how long they are to be: what `npm test` has time for, and what only this run has. */
const long = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.long.spec.ts') || (name.endsWith('.spec.ts') && asks(join(root, name))))

function asks(path: string): boolean {
  return readFileSync(path, 'utf8').includes("process.env['VGIC_STEPS']")
}

// scripts/long.mjs says how many steps, and from which seed.
export default defineConfig({
  test: {
    include: long,
    setupFiles: ['vitest.setup.ts'],
    pool: 'threads',
    maxWorkers: '100%',
    testTimeout: 1_200_000,
  },
})
