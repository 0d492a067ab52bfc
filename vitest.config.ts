import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const built = (path: string) => fileURLToPath(new URL(`dist/${path}`, import.meta.url))

export default defineConfig({
  // The package by its own name is what is published: dist/, as `npm test` has just built it.
  resolve: {
    alias: [
      { find: /^vgic$/, replacement: built('index.js') },
      { find: /^vgic\/(\w+)$/, replacement: built('$1/index.js') },
    ],
  },
  test: {
    include: ['src/**/*.spec.ts'],
    exclude: ['src/**/*.qemu.spec.ts', 'src/**/*.guest.spec.ts', 'src/**/*.long.spec.ts'],
    pool: 'threads',
    // Specs leave nothing behind: what a file imports is loaded, and compiled, once for all.
    isolate: false,
    // One less than there are processors would be one on a machine with two.
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
