import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    // A process for each file: the check that nothing is left counts the descendants of its own process.
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['test/helpers/leave-nothing.ts'],
    globalSetup: ['test/helpers/leave-nothing-global.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
