import { afterEach, expect, test } from 'vitest'
import type { Image } from '../../src-sidecar/contract/image.ts'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import type { Status } from '../../src-sidecar/contract/status.ts'
import { closeSidecar, type RunningSidecar, useBackends, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { endAll, type Running, start as startEngine } from '../unit/backends/draft-engine/running-engine.ts'

// Registered first, so that it comes last: the check that nothing is left must not see it.
const { start } = trackSidecars()
afterEach(endAll)

const small = { settings: { steps: 2, width: 64, height: 64 } }
const packSize = 6

const server = (id: string, { url }: Running) => ({ id, name: id, kind: 'sdapi', url })

/** A sidecar with these servers; its queue is paused. */
async function startWith(engines: Record<string, Running>): Promise<RunningSidecar> {
  const sidecar = await start()
  await sidecar.post('/api/queue/pause')
  await useBackends(sidecar, ...Object.entries(engines).map(([id, engine]) => server(id, engine)))
  await waitFor(
    async () => (await sidecar.get<Status>('/api/status')).backends.every(({ state }) => state === 'ready'),
    'all servers',
  )
  return sidecar
}

async function queuePacks(sidecar: RunningSidecar, packs: number, more: object = small): Promise<number[]> {
  const ids: number[] = []
  for (let pack = 0; pack < packs; pack++) ids.push(...(await sidecar.queue('example/tiny worlds.txt', more)))
  return ids
}

const madeBy = (images: readonly Image[], backend: string) => images.filter((image) => image.backend === backend).length

/** Each image there once, and each one that was asked for. */
function expectOnce({ images, total }: ImagePage, ids: readonly number[], each = 1): void {
  const names = images.map(({ jobId, imageIndex }) => `${jobId}/${imageIndex}`)
  expect(new Set(names).size).toBe(total)
  expect(names.toSorted()).toEqual(ids.flatMap((id) => Array.from({ length: each }, (_, at) => `${id}/${at}`)).toSorted())
}

test('two servers of different speed share 100 jobs in proportion, and both work at once', async () => {
  const engines = { quick: await startEngine('--step-ms', '50'), slow: await startEngine('--step-ms', '150') }
  const sidecar = await startWith(engines)
  const ids = [
    ...(await queuePacks(sidecar, 16)),
    ...(await sidecar.queue('example/tiny worlds.txt', { ...small, prompts: [0, 1, 2, 3] })),
  ]
  expect(ids).toHaveLength(100)
  await sidecar.post('/api/queue/resume')
  const both = async () => (await sidecar.get<Queue>('/api/queue')).progress.map(({ backendId }) => backendId).sort()
  await waitFor(async () => (await both()).join() === 'quick,slow', 'both at work')
  const page = await waitForEmptyQueue(sidecar)
  expectOnce(page, ids)
  const shares = [madeBy(page.images, 'quick'), madeBy(page.images, 'slow')] as const
  console.log(`3 times as quick: ${shares.join(' and ')} of 100 jobs`)
  expect(shares[0] + shares[1]).toBe(100)
  // What an image takes beside its steps is the same for both, and on a busy machine as much as the steps; in turn they would make 50 each.
  expect(shares[0] / shares[1]).toBeGreaterThan(1.25)
  expect(shares[0] / shares[1]).toBeLessThan(4)
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a job that is kept for one server is made there, though the other has nothing to do', async () => {
  const engines = { one: await startEngine('--step-ms', '20'), other: await startEngine('--step-ms', '20') }
  const sidecar = await startWith(engines)
  const ids = await queuePacks(sidecar, 1, { ...small, pinnedTo: 'other' })
  const nowhere = await sidecar.queue('example/portraits.txt', { ...small, prompts: [0], pinnedTo: 'gone' })
  await sidecar.post('/api/queue/resume')
  await waitFor(async () => (await sidecar.get<Queue>('/api/queue')).pendingTotal === 1, 'the pinned ones', { ms: 20_000 })
  const page = await waitFor(
    async () => {
      const all = await sidecar.get<ImagePage>('/api/images?limit=200')
      return all.total === packSize && all
    },
    'their images',
    { ms: 20_000 },
  )
  expectOnce(page, ids)
  expect(madeBy(page.images, 'other')).toBe(packSize)
  expect((await sidecar.get<Queue>('/api/queue')).pending).toMatchObject([{ id: nowhere[0], pinnedTo: 'gone', state: 'queued' }])
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test.each(['killed', 'removed in the settings'])(
  'a server that is %s gives its job back, and the other makes the rest',
  async (how) => {
    const engines = { stays: await startEngine('--step-ms', '20'), goes: await startEngine('--step-ms', '60') }
    const sidecar = await startWith(engines)
    const ids = await queuePacks(sidecar, 2, { settings: { ...small.settings, steps: 8 }, images: 2 })
    await sidecar.post('/api/queue/resume')
    await waitFor(
      async () => (await sidecar.get<Queue>('/api/queue')).progress.some((one) => one.backendId === 'goes' && one.fraction > 0),
      'an image on the one that goes',
    )
    if (how === 'killed') engines.goes.child.kill('SIGKILL')
    else await useBackends(sidecar, server('stays', engines.stays))
    const page = await waitForEmptyQueue(sidecar)
    expectOnce(page, ids, 2)
    const { backends } = await sidecar.get<Status>('/api/status')
    expect(backends.map(({ id, state }) => `${id} ${state}`)).toEqual(
      how === 'killed' ? ['stays ready', 'goes failed'] : ['stays ready'],
    )
    expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
  },
)

test('a backend that is switched off while it works is ended, and takes no job until it is switched on', async () => {
  const engine = await startEngine('--step-ms', '20')
  const sidecar = await start()
  const draft = { id: 'draft', kind: 'draft', stepMs: 40 }
  await useBackends(sidecar, draft, server('webui', engine))
  const ids = await queuePacks(sidecar, 2)
  await waitFor(
    async () => (await sidecar.get<Queue>('/api/queue')).progress.some(({ backendId }) => backendId === 'draft'),
    'the draft engine at work',
    { ms: 20_000 },
  )
  await useBackends(sidecar, { ...draft, enabled: false }, server('webui', engine))
  expect((await sidecar.get<Status>('/api/status')).backends.map(({ id }) => id)).toEqual(['webui'])
  expectOnce(await waitForEmptyQueue(sidecar), ids)
  await useBackends(sidecar, { ...draft, enabled: true }, { ...server('webui', engine), enabled: false })
  const more = await queuePacks(sidecar, 1)
  const page = await waitForEmptyQueue(sidecar)
  expectOnce(page, [...ids, ...more])
  expect(page.images.filter(({ jobId }) => more.includes(jobId)).map(({ backend }) => backend)).toEqual(
    Array(6).fill('Draft engine'),
  )
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})

test('a sidecar that is killed while several backends work makes no saved image again at the next start', async () => {
  const engines = { one: await startEngine('--step-ms', '10'), other: await startEngine('--step-ms', '15') }
  const first = await startWith(engines)
  const ids = await queuePacks(first, 4, { ...small, images: 2 })
  await first.post('/api/queue/resume')
  const some = async () => (await first.get<ImagePage>('/api/images?limit=200')).total >= 10
  await waitFor(some, 'some images', { ms: 20_000 })
  const saved = (await first.get<ImagePage>('/api/images?limit=200')).images.map(({ path }) => path)
  first.child.kill('SIGKILL')
  await first.ended
  const second = await start({ dataDir: first.dataDir })
  const page = await waitForEmptyQueue(second)
  expectOnce(page, ids, 2)
  const paths = page.images.map(({ path }) => path)
  expect(saved.filter((path) => !paths.includes(path))).toEqual([])
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
})
