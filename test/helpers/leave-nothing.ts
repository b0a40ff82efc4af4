import { afterAll, beforeAll } from 'vitest'
import { takeBaseline } from './survivors.ts'

// For vitest's `setupFiles`: every test file fails that leaves a process or a listening port behind.
if (process.platform === 'linux') {
  const baseline = takeBaseline()
  // Hooks of this file run outside those of the test file: what its own afterAll ends is not counted.
  beforeAll(() => {})
  afterAll(() => baseline.expectNothingLeft(5000), 8000)
}
