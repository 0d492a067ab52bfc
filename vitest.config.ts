import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

export default defineConfig({
  // The package by its own name, as its users import it, is its source here.
  resolve: {
    alias: [
      { find: /^vgic$/, replacement: source('index.ts') },
      { find: /^vgic\/machine$/, replacement: source('machine/index.ts') },
    ],
  },
  test: {
    include: ['src/**/*.spec.ts'],
    exclude: ['src/**/*.qemu.spec.ts', 'src/**/*.guest.spec.ts'],
    pool: 'threads',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
