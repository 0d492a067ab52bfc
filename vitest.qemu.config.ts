import { defineConfig } from 'vitest/config'

// The tests that need QEMU and a cross compiler; see src/conformance/qemu.
export default defineConfig({
  test: {
    include: ['src/**/*.qemu.spec.ts'],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 120_000,
  },
})
