import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Baseline, endSurvivors, takeBaseline } from './survivors.ts'

let baseline: Baseline | undefined
let runFolder: string | undefined

declare module 'vitest' {
  interface ProvidedContext {
    /** For what the test files of one run share; other users may look into it. Removed at its end. */
    runFolder: string
  }
}

// For vitest's `globalSetup`: the whole run fails that leaves a process behind, also one whose test file was killed. (The watchdog is vitest's own, and outlives
// this hook.)
export function setup(project: TestProject): void {
  runFolder = mkdtempSync(join(tmpdir(), 'stablenew-run-'))
  chmodSync(runFolder, 0o755)
  project.provide('runFolder', runFolder)
  if (process.platform === 'linux') baseline = takeBaseline(({ name }) => name !== 'vitest-watchdog')
}

export async function teardown(): Promise<void> {
  if (runFolder) rmSync(runFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  if (!baseline) return
  try {
    await baseline.expectNothingLeft(10_000)
  } finally {
    await endSurvivors(baseline)
  }
}
