import { defineConfig } from 'vitest/config'

// The tests that need QEMU and a cross compiler; see src/conformance/qemu.
export default defineConfig({
  test: {
    include: ['src/**/*.qemu.spec.ts'],
    pool: 'threads',
    // Each test has a QEMU at work beside it.
    fileParallelism: false,
    testTimeout: 120_000,
  },
})
