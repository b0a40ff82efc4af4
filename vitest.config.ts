import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take minutes, the longest first: begun last, each would run alone at the end. */
const longest = ['package/package', 'sidecar/selftest', 'shutdown-no-leaks', 'sidecar/watchdog']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((name) => moduleId.includes(`${name}.`))
      return place < 0 ? longest.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    // A process for each file: the check that nothing is left counts the descendants of its own process.
    pool: 'forks',
    // More than two cores: most tests wait most of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/helpers/leave-nothing.ts'],
    globalSetup: ['test/helpers/leave-nothing-global.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Its own second is short beside two other files.
    expect: { poll: { timeout: 20_000 } },
  },
})
