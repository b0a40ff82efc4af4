import { afterAll } from 'vitest'
import { endSurvivors, takeBaseline } from './survivors.ts'

// For vitest's `setupFiles`: a test file fails that leaves a process or a listening port behind. What it left is ended, so
// that the next one is not blamed. This hook is the first to be registered and so the last to run.
if (process.platform === 'linux') {
  const baseline = takeBaseline()
  afterAll(async () => {
    try {
      await baseline.expectNothingLeft(5000)
    } finally {
      await endSurvivors(baseline)
    }
  }, 20_000)
}
