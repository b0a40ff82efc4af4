import { type Baseline, endSurvivors, takeBaseline } from './survivors.ts'

let baseline: Baseline | undefined

// For vitest's `globalSetup`: the whole run fails that leaves a process behind, also one whose test file was killed. (The watchdog is vitest's own, and outlives
// this hook.)
export function setup(): void {
  if (process.platform === 'linux') baseline = takeBaseline(({ name }) => name !== 'vitest-watchdog')
}

export async function teardown(): Promise<void> {
  if (!baseline) return
  try {
    await baseline.expectNothingLeft(10_000)
  } finally {
    await endSurvivors(baseline)
  }
}
