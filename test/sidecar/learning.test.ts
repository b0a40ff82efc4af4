import { expect, test } from 'vitest'
import type { LastShutdown } from '../../src-sidecar/contract/last-shutdown.ts'
import type { Experiment, Review } from '../../src-sidecar/contract/learning.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start } = trackSidecars()

const review = (sidecar: RunningSidecar) => sidecar.get<Review>('/api/experiments/1/review')

test('an experiment survives a kill in the middle of its images and its review: no answer is lost, and it goes on', async () => {
  const first = await start()
  await first.post<Experiment>('/api/experiments', {
    variable: 'cfgScale',
    values: [4, 9],
    source: { from: 'text', prompt: 'a lighthouse' },
    images: 4,
    settings: { steps: 4, width: 64, height: 64 },
  })
  const { items } = await waitFor(async () => {
    const now = await review(first)
    return now.progress.ready >= 2 && now
  }, 'two images')
  for (const { place } of items.slice(0, 2)) await first.post(`/api/experiments/1/answers`, { place, answer: 4 })
  first.child.kill('SIGKILL')
  await first.ended

  const second = await start({ dataDir: first.dataDir })
  expect((await review(second)).progress).toMatchObject({ total: 8, answered: 2 })
  expect((await waitForEmptyQueue(second)).total).toBe(8)
  const after = await review(second)
  expect(after).toMatchObject({ progress: { answered: 2, ready: 6 }, jobsOpen: 0 })
  expect(after.items.map(({ place }) => place)).not.toContain(items[0]!.place)

  const picture = await second.request(`/api/experiments/1/pictures/${after.items[0]!.pictures[0]}`)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png'])
  expect((await second.request('/api/experiments/1/pictures/99-a')).status).toBe(404)
  expect((await closeSidecar(second)).code).toBe(0)

  // The end of it is a step of every shutdown.
  const third = await start({ dataDir: first.dataDir })
  const { lastShutdown } = await third.get<Status & { lastShutdown: LastShutdown }>('/api/status')
  expect(JSON.stringify(lastShutdown)).toContain('learning')
  expect((await closeSidecar(third)).code).toBe(0)
})
