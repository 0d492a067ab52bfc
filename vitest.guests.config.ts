import { defineConfig } from 'vitest/config'

// The tests that boot real guests out of Debian's packages, which scripts/guests.mjs fetches first.
export default defineConfig({
  test: {
    include: ['src/**/*.guest.spec.ts'],
    pool: 'threads',
    // Each test has a vgic at work beside it.
    maxWorkers: 2,
    testTimeout: 600_000,
  },
})
