import { afterEach, expect, test } from 'vitest'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import type { Settings } from '../../src-sidecar/contract/settings.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { closeSidecar, collectEvents, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { endAll, start as startEngine } from '../unit/backends/draft-engine/running-engine.ts'

// Registered first, so that it comes last: the check that nothing is left must not see it.
const { start } = trackSidecars()
afterEach(endAll)

const small = { images: 1, settings: { steps: 2, width: 64, height: 64 } }
const off = { recycleAboveMb: null, recycleAfterJobs: null }

async function change(sidecar: RunningSidecar, settings: Partial<Settings>): Promise<void> {
  const before = await sidecar.get<Settings>('/api/settings')
  const body = JSON.stringify({ ...before, ...settings })
  expect((await sidecar.request('/api/settings', { method: 'PUT', body })).status).toBe(200)
}

/** Queues packs of six jobs, waits for their end, closes. @returns the restarts */
async function run(sidecar: RunningSidecar, packs: number, more: object = small) {
  const told = collectEvents(sidecar, ({ type }) => type === 'bye')
  for (let pack = 0; pack < packs; pack++) await sidecar.queue('example/tiny worlds.txt', more)
  const { total } = await waitForEmptyQueue(sidecar)
  const { notices } = await sidecar.get<Status>('/api/status')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  const recycled = (await told).flatMap((event: AppEvent) => (event.type === 'recycled' ? [event.recycled] : []))
  return { recycled, total, notices }
}

test('a backend that has run so many jobs is restarted between two of them, and the queue goes on', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 5'] })
  await change(sidecar, { ...off, recycleAfterJobs: 2 })
  const { recycled, total } = await run(sidecar, 1)
  expect(total).toBe(6)
  expect(recycled.map(({ name, why, jobs }) => [name, why, jobs])).toEqual(Array(3).fill(['Draft engine', 'jobs', 2]))
})

test('a backend that holds too much memory is restarted between two jobs, and the queue goes on', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 250 --leak-kb-per-s 60000'] })
  await change(sidecar, { ...off, recycleAboveMb: 260 })
  const { recycled, total } = await run(sidecar, 2)
  expect(total).toBe(12)
  expect(recycled.length).toBeGreaterThan(0)
  for (const { why, rssBytes } of recycled) {
    expect(why).toBe('memory')
    expect(rssBytes).toBeGreaterThan(260 * 2 ** 20)
  }
})

test('a backend that needs more than the limit from its first job on is left alone, and that is told once', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 5 --workers 2'] })
  await change(sidecar, { ...off, recycleAboveMb: 128 })
  const { recycled, total, notices } = await run(sidecar, 1)
  expect({ recycled, total }).toEqual({ recycled: [], total: 6 })
  expect(notices.filter((notice) => notice.includes('raise that limit'))).toHaveLength(1)
})

test('a server that the user runs is never restarted', async () => {
  const engine = await startEngine('--step-ms', '5')
  const sidecar = await start()
  await change(sidecar, {
    backends: [
      {
        id: 'one',
        name: '',
        enabled: true,
        kind: 'sdapi',
        url: engine.url,
        username: '',
        password: '',
        hungAfterMin: 10,
        managed: null,
      },
    ],
    recycleAboveMb: 128,
    recycleAfterJobs: 1,
  })
  const { recycled, total } = await run(sidecar, 1)
  expect({ recycled, total }).toEqual({ recycled: [], total: 6 })
  expect(engine.child.exitCode).toBeNull()
})
