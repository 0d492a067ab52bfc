import { defineConfig } from 'vitest/config'

// Random runs that are worth more steps than `npm test` has time for; scripts/long.mjs says how many, and from which seed.
export default defineConfig({
  test: {
    include: ['src/**/*.long.spec.ts', 'src/gic/v[23]/{oracle,snapshot}.spec.ts', 'src/gic/*/explain-random.spec.ts'],
    pool: 'threads',
    maxWorkers: '100%',
    testTimeout: 1_200_000,
  },
})
