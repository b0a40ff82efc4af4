import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []

afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/** A new empty folder, removed when the test file is done. */
export function tempDir(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `stablenew-${name}-`))
  made.push(folder)
  return folder
}
