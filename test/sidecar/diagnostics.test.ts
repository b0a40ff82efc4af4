import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diagnosticsSchema, type HeapSnapshot } from '../../src-sidecar/contract/diagnostics.ts'
import { closeSidecar, waitForSteps } from '../helpers/sidecar.ts'
import { engineRuns, trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start } = trackSidecars()

test('diagnostics tell memory of app and backend, who runs and what holds it', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 100 --workers 1'] })
  await sidecar.queue('example/tiny worlds.txt', { images: 3 })
  await waitForSteps(sidecar)
  const engine = await engineRuns()
  const get = async (since = 0) => diagnosticsSchema.parse(await sidecar.get(`/api/diagnostics?since=${since}`))
  const seen = await waitFor(
    async () => {
      const now = await get()
      return now.samples.length > 1 && now.samples.at(-1)?.backends[0]?.processes === 2 ? now : false
    },
    'two samples, the latter with the engine and its worker',
    { ms: 10_000 },
  )
  const last = seen.samples.at(-1)!
  console.log(`a sample takes ${seen.sampleMs.toFixed(2)} ms of the processor`)
  expect(last.app.rssBytes).toBeGreaterThan(50 * 2 ** 20)
  expect(last.app.heapUsedBytes).toBeLessThan(last.app.rssBytes)
  expect(last.backends[0]?.rssBytes).toBeGreaterThan(80 * 2 ** 20)
  expect(seen.processes[0]).toMatchObject({ pid: sidecar.child.pid, part: 'app', containment: null })
  expect(seen.processes.find(({ pid }) => pid === engine.pid)).toMatchObject({ part: 'leader', role: 'backend' })
  expect(seen.processes.map(({ part }) => part)).toEqual(expect.arrayContaining(['guard', 'member']))
  for (const { part, containment } of seen.processes) expect(containment === null).toBe(part === 'app')
  expect(seen.threads).toMatchObject([{ kind: 'loop', name: 'diagnostics' }])
  expect(Object.values(seen.handles).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
  expect(seen.leaks).toEqual([])
  for (const { atMs } of (await get(last.atMs)).samples) expect(atMs).toBeGreaterThan(last.atMs)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a heap snapshot lies in the log folder, for its owner alone; the latest three are kept', async () => {
  const sidecar = await start()
  const made: HeapSnapshot[] = []
  for (let i = 0; i < 4; i++) made.push(await sidecar.post<HeapSnapshot>('/api/diagnostics/heap-snapshot'))
  const folder = join(sidecar.dataDir, 'logs')
  const kept = readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'))
  expect(kept.map((name) => join(folder, name)).sort()).toEqual(made.slice(1).map(({ path }) => path))
  const { path, bytes, ms } = made.at(-1)!
  console.log(`${(bytes / 2 ** 20).toFixed(1)} MB in ${ms} ms`)
  expect(statSync(path).size).toBe(bytes)
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveProperty('snapshot.node_count')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
