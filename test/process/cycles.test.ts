import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { takeBaseline } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'

const program = fileURLToPath(new URL('../fixtures/programs/cycles.ts', import.meta.url))

describe.skipIf(process.platform !== 'linux')('200 starts and ends of a contained process', () => {
  it('leave the sidecar as it was: descriptors, threads, zombies, handles, memory', { timeout: 120_000 }, async () => {
    const baseline = takeBaseline()
    const args = ['--expose-gc', '--no-warnings', program, tempDir('data'), 'auto', '200']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    console.log(stdout)
    const { before, after } = JSON.parse(stdout)
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
    expect(after.threads).toBeLessThanOrEqual(before.threads)
    expect(after.children).toBe(0)
    expect(after.resources).toBeLessThanOrEqual(before.resources)
    expect(after.heapKb - before.heapKb).toBeLessThan(512)
    await baseline.expectNothingLeft()
  })
})
