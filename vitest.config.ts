import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts'],
    exclude: ['src/**/*.qemu.spec.ts'],
    pool: 'threads',
    testTimeout: 120_000,
  },
})
