import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const built = (path: string) => fileURLToPath(new URL(`dist/${path}`, import.meta.url))

// What a compiler has seen of other specs decides what these find.
const alone = ['src/mmio/allocation.spec.ts']

export default defineConfig({
  // The package by its own name is what is published: dist/, as `npm test` has just built it.
  resolve: {
    alias: [
      { find: /^vgic$/, replacement: built('index.js') },
      { find: /^vgic\/(\w+)$/, replacement: built('$1/index.js') },
    ],
  },
  test: {
    setupFiles: ['vitest.setup.ts'],
    pool: 'threads',
    // One less than there are processors would be one on a machine with two.
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.spec.ts'],
          exclude: ['src/**/*.qemu.spec.ts', 'src/**/*.guest.spec.ts', 'src/**/*.long.spec.ts', ...alone],
          // Specs leave nothing behind: what a file imports is loaded, and compiled, once for all.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
