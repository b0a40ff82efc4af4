import { expect, onTestFinished, test } from 'vitest'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Cancelled, Paused } from '../../src-sidecar/contract/queue-request.ts'
import { closeSidecar, type RunningSidecar, startSidecar, waitForEmptyQueue, waitForSteps } from '../helpers/sidecar.ts'
import { waitFor } from '../helpers/wait-for.ts'

const pack = 'example/portraits.txt'
const small = { width: 64, height: 64, steps: 4 }

async function started(args: readonly string[] = [], dataDir?: string): Promise<RunningSidecar> {
  const sidecar = await startSidecar({ args, ...(dataDir !== undefined && { dataDir }) })
  onTestFinished(async () => {
    sidecar.child.kill('SIGKILL')
    await sidecar.ended
  })
  return sidecar
}
const view = (sidecar: RunningSidecar, query = '') => sidecar.get<Queue>(`/api/queue${query}`)
const order = async (sidecar: RunningSidecar) => (await view(sidecar)).pending.map(({ id }) => id)

test('order, priorities and edits are there after a kill, and so are the pause and what was learned of the time', async () => {
  const first = await started()
  await first.queue(pack, { prompts: [0], settings: small })
  await waitForEmptyQueue(first)
  await first.post('/api/queue/pause')
  const [a, b, c, d] = await first.queue(pack, { settings: small })
  await first.post('/api/queue/move', { ids: [d, c], target: { before: a } })
  await first.post('/api/queue/priority', { ids: [b], priority: 'high' })
  await first.post('/api/queue/edit', { ids: [a], change: { steps: 9, images: 2 } })
  const { undo } = await first.post<Cancelled>('/api/queue/cancel', { ids: [c] })
  first.child.kill('SIGKILL')
  await first.ended

  const second = await started([], first.dataDir)
  const { paused, pending, remainingMs, working, pendingTimes } = await view(second)
  expect([paused, working]).toEqual([true, false])
  expect(pending.slice(0, 3).map(({ id, priority }) => [id, priority])).toEqual([
    [b, 'high'],
    [d, 'normal'],
    [a, 'normal'],
  ])
  expect(pending[2]?.recipe).toMatchObject({ steps: 9, images: 2 })
  expect(remainingMs).toBeGreaterThan(0)
  expect(pendingTimes.at(-1)?.endsInMs).toBeCloseTo(remainingMs!, -1)
  expect(await second.post('/api/queue/undo-cancel', { undo })).toEqual({ changed: 1 })
  expect((await order(second)).slice(0, 4)).toEqual([b, c, d, a])
  expect((await closeSidecar(second)).code).toBe(0)
})

test('a pause frees the GPU at once: the running job is back in its place, and goes on when it is resumed', async () => {
  const sidecar = await started(['--draft-args', '--step-ms 200'])
  const [id] = await sidecar.queue(pack, { prompts: [0, 1], settings: { ...small, steps: 100 } })
  await waitForSteps(sidecar)
  const late = await sidecar.request('/api/queue/edit', {
    method: 'POST',
    body: JSON.stringify({ ids: [id], change: { steps: 5 } }),
  })
  expect([late.status, await late.json()]).toEqual([409, { code: 'job_state', message: expect.any(String) }])
  const { freed } = await sidecar.post<Paused>('/api/queue/pause', { running: 'free' })
  expect(freed).toEqual([{ backendId: expect.any(String), freed: expect.any(Boolean), problem: null }])
  expect(await view(sidecar)).toMatchObject({ paused: true, running: [], progress: [] })
  expect((await order(sidecar))[0]).toBe(id)
  expect(await sidecar.post('/api/queue/edit', { ids: [id], change: { steps: 1 } })).toEqual({ changed: 1 })
  await sidecar.post('/api/queue/resume')
  await waitFor(async () => (await view(sidecar)).ended.some((job) => job.id === id && job.state === 'completed'), 'its end', {
    ms: 20_000,
  })
  expect(await sidecar.post('/api/queue/cancel', { running: 'cancel' })).toMatchObject({ cancelled: 1 })
  expect(await view(sidecar)).toMatchObject({ running: [], pendingTotal: 0 })
  expect((await closeSidecar(sidecar)).code).toBe(0)
})
