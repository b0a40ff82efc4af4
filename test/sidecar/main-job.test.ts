import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, expect, test } from 'vitest'
import type { Job, Queue } from '../../src-sidecar/contract/job.ts'
import type { Packs } from '../../src-sidecar/contract/pack.ts'
import { readPngText } from '../../src-sidecar/history/png-text.ts'
import {
  closeSidecar,
  collectEvents,
  type RunningSidecar,
  startSidecar,
  useBackends,
  waitForEmptyQueue,
  waitForJob,
  waitForSteps,
} from '../helpers/sidecar.ts'
import { takeBaseline } from '../helpers/survivors.ts'
import { waitFor } from '../helpers/wait-for.ts'

const baseline = takeBaseline()
let sidecar: RunningSidecar | undefined

afterEach(async () => {
  if (sidecar?.child.exitCode === null) sidecar.child.kill('SIGKILL')
  await sidecar?.ended
  await baseline.expectNothingLeft()
})

test('a queued pack becomes one image a prompt, each with its parameters in the PNG and in the history', async () => {
  sidecar = await startSidecar()
  const seen = collectEvents(sidecar, (event) => event.type === 'job' && event.job.id === 4 && event.job.state === 'completed')
  const ids = await sidecar.queue('example/portraits.txt', { settings: { steps: 8 } })
  expect(ids).toEqual([1, 2, 3, 4])
  const events = await seen
  const { images, total } = await waitForEmptyQueue(sidecar)

  expect(total).toBe(4)
  for (const image of images) {
    const png = readFileSync(image.path)
    expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 512, height: 512 })
    const parameters = readPngText(png, 'parameters')
    expect(parameters).toBe(image.parameters)
    expect(parameters).toContain(image.recipe.prompt)
    expect(parameters).toContain(`Seed: ${image.seed}`)
    expect(parameters).toContain('Steps: 8')
  }
  expect(events[0]?.type).toBe('hello')
  const fractions = events.flatMap((event) =>
    event.type === 'progress' && event.progress.jobId === 2 ? [event.progress.fraction] : [],
  )
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
  expect(events.filter((event) => event.type === 'image')).toHaveLength(4)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a preview of the running image can be fetched while it is made', async () => {
  sidecar = await startSidecar({ args: ['--draft-args', '--step-ms 120'] })
  const [id] = await sidecar.queue('example/portraits.txt', { prompts: [0] })
  const preview = await waitFor(
    async () => {
      const answer = await sidecar!.request(`/api/jobs/${id}/preview`)
      return answer.status === 200 && Buffer.from(await answer.arrayBuffer())
    },
    'a preview',
    { ms: 20_000 },
  )
  expect((await sharp(preview).metadata()).width).toBeGreaterThan(0)
  await sidecar.post(`/api/jobs/${id}/cancel`)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a cancelled pending job never runs, a cancelled running job stops at once, and the queue goes on', async () => {
  sidecar = await startSidecar({ args: ['--draft-args', '--step-ms 100'] })
  const [first, second, third] = await sidecar.queue('example/landscapes.txt', { prompts: [0, 1, 2], settings: { steps: 100 } })
  await waitForSteps(sidecar)
  expect(await sidecar.post<Job>(`/api/jobs/${second}/cancel`)).toMatchObject({ state: 'cancelled', attempt: 0 })
  const before = performance.now()
  expect(await sidecar.post<Job>(`/api/jobs/${first}/cancel`)).toMatchObject({ state: 'cancelled', attempt: 1 })
  expect(performance.now() - before).toBeLessThan(5000)
  await waitForJob(sidecar, third!, 'running')
  const { jobIds } = { jobIds: await sidecar.queue('example/portraits.txt', { settings: { steps: 1 } }) }
  await sidecar.post(`/api/jobs/${third}/cancel`)
  for (const id of jobIds) await waitForJob(sidecar, id, 'completed')
  expect((await waitForEmptyQueue(sidecar)).total).toBe(jobIds.length)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('all pending jobs can be cancelled, and a cancelled one can be put back', async () => {
  sidecar = await startSidecar({ args: ['--draft-args', '--step-ms 100'] })
  const ids = await sidecar.queue('example/tiny worlds.txt', { settings: { steps: 30 } })
  await waitForJob(sidecar, ids[0]!, 'running')
  expect(await sidecar.post('/api/queue/cancel-pending')).toMatchObject({ cancelled: ids.length - 1 })
  expect(await sidecar.post<Job>(`/api/jobs/${ids[3]}/retry`)).toMatchObject({ state: 'queued' })
  await sidecar.post(`/api/jobs/${ids[0]}/cancel`)
  await waitForJob(sidecar, ids[3]!, 'completed')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a new pack shows up by itself, and a broken one shows its error and line and harms nothing else', async () => {
  sidecar = await startSidecar()
  const noticed = collectEvents(sidecar, (event) => event.type === 'packs')
  await waitFor(async () => (await sidecar!.get<Packs>('/api/packs')).packs.length === 3, 'the examples')
  const folder = (await sidecar.get<Packs>('/api/packs')).userFolder
  writeFileSync(join(folder, 'mine.txt'), 'a cat\nneg: dog\n')
  await noticed
  writeFileSync(join(folder, 'broken.txt'), 'fine\n\nneg: only negative\n')
  const { packs } = await sidecar.get<Packs>('/api/packs')
  expect(packs.find(({ id }) => id === 'user/mine.txt')).toMatchObject({ promptCount: 1, problem: null })
  expect(packs.find(({ id }) => id === 'user/broken.txt')).toMatchObject({ promptCount: 0, problem: { line: 3 } })
  const refused = await sidecar.request('/api/queue', { method: 'POST', body: JSON.stringify({ packId: 'user/broken.txt' }) })
  expect(refused.status).toBe(422)
  expect(await refused.json()).toMatchObject({ code: 'pack_broken', message: expect.stringContaining('line 3') })
  expect((await sidecar.queue('user/mine.txt', { settings: { steps: 1 } })).length).toBe(1)
  expect((await waitForEmptyQueue(sidecar)).total).toBe(1)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a WebUI that is not there leaves the jobs in the queue, says why, and another backend then makes them', async () => {
  sidecar = await startSidecar()
  await useBackends(sidecar, { kind: 'sdapi', url: 'http://127.0.0.1:1' })
  const [id] = await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  const queue = await waitFor(
    async () => {
      const queue = await sidecar!.get<Queue>('/api/queue')
      return queue.pending[0]?.problem ? queue : false
    },
    'the reason at the job',
    { ms: 10_000 },
  )
  expect(queue.pending[0]).toMatchObject({ id, state: 'queued', problem: { code: 'backend_unreachable' } })
  await useBackends(sidecar, { kind: 'draft', stepMs: 0 })
  await waitForJob(sidecar, id!, 'completed')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a paused queue begins nothing, also after a restart, and goes on when it is resumed', async () => {
  sidecar = await startSidecar()
  await sidecar.post('/api/queue/pause')
  const [id] = await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 1 } })
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  sidecar = await startSidecar({ dataDir: sidecar.dataDir })
  expect(await sidecar.get<Queue>('/api/queue')).toMatchObject({ paused: true, pendingTotal: 1, running: [] })
  await sidecar.post('/api/queue/resume')
  await waitForJob(sidecar, id!, 'completed')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('with the setting "cancel" the running image is stopped at Exit and its job goes on at the next start', async () => {
  sidecar = await startSidecar({ args: ['--draft-args', '--step-ms 500'] })
  const settings = await sidecar.get<object>('/api/settings')
  const changed = JSON.stringify({ ...settings, runningImageAtExit: 'cancel' })
  expect((await sidecar.request('/api/settings', { method: 'PUT', body: changed })).status).toBe(200)
  const [id] = await sidecar.queue('example/portraits.txt', { prompts: [0], settings: { steps: 20 } })
  await waitForSteps(sidecar)
  const before = performance.now()
  const { code, at } = await closeSidecar(sidecar)
  expect(code).toBe(0)
  expect(at - before).toBeLessThan(4000)
  sidecar = await startSidecar({ dataDir: sidecar.dataDir, args: ['--draft-args', '--step-ms 0'] })
  await waitForJob(sidecar, id!, 'completed')
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
