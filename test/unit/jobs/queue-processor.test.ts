import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { GenerateResult } from '../../../src-sidecar/backends/backend.ts'
import { knownModels } from '../../../src-sidecar/backends/known-models.ts'
import type { Job, JobProgress } from '../../../src-sidecar/contract/job.ts'
import type { Paused } from '../../../src-sidecar/contract/queue-request.ts'
import type { History } from '../../../src-sidecar/history/history.ts'
import { BulkCancel } from '../../../src-sidecar/jobs/bulk-cancel.ts'
import type { ImagesInHand } from '../../../src-sidecar/jobs/images-in-hand.ts'
import { JobRunner } from '../../../src-sidecar/jobs/job-runner.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { Pace } from '../../../src-sidecar/jobs/pace.ts'
import { JobQueue } from '../../../src-sidecar/jobs/queue.ts'
import { QueueProcessor } from '../../../src-sidecar/jobs/queue-processor.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import type { Storage } from '../../../src-sidecar/store/storage.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { made, newDatabase, newJob, newRunner, silent } from './queue-fixture.ts'
import { ScriptedBackend } from './scripted-backend.ts'

let database: Database
let images: string
let store: JobStore
let backend: ScriptedBackend
let history: History
let runner: JobRunner
let storage: Storage
let inHand: ImagesInHand
let onOver: () => Promise<void>
let processor: QueueProcessor
let queue: JobQueue
let told: string[]
/** How much was told at each call between two jobs. */
let between: number[]
let betweenFails: boolean
/** Whether each job is followed by a pause. */
let pauses: boolean
let progress: JobProgress[]
let freeMemory: () => Promise<Paused['freed']>

const never = new AbortController().signal

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  images = join(fresh.folder, 'images')
  store = new JobStore(database)
  backend = new ScriptedBackend()
  told = []
  between = []
  betweenFails = false
  pauses = false
  progress = []
  freeMemory = async () => []
  ;({ history, runner, onOver, storage, inHand } = newRunner(database, fresh.folder, backend, (one) => progress.push(one)))
  processor = newProcessor('finish')
  queue = newQueue()
  await processor.start()
})

afterEach(async () => {
  await processor.stop({ trigger: 'api' }, AbortSignal.abort())
  await storage.stop()
  database.close()
})

const newProcessor = (atExit: 'finish' | 'cancel') => {
  const onJob = (job: Job) => told.push(`${job.id} ${job.state}`)
  const fresh = new QueueProcessor({ runId: 'run', store, storage, logger: silent, onJob, onOver, atExit: () => atExit })
  const betweenJobs = async () => {
    between.push(told.length)
    expect(store.running()).toEqual([])
    if (betweenFails) throw new Error('planted')
  }
  fresh.addLane({ backend, runner, jobEnds: () => pauses, betweenJobs })
  return fresh
}
const newQueue = () =>
  new JobQueue({
    store,
    processor,
    storage,
    onJob: ({ id, state }) => told.push(`${id} ${state}`),
    onAsked: () => {},
    onQueue: () => {},
    bulk: new BulkCancel(database),
    pace: new Pace(database),
    freeMemory: () => freeMemory(),
    randomSeed: () => 1,
  })

function add(...jobs: Parameters<typeof newJob>[]): number[] {
  const ids = store.add(
    jobs.map((one) => newJob(...one)),
    Date.now(),
  )
  processor.wake()
  return ids
}
const state = (id: number) => store.get(id)?.state
const files = () => (existsSync(images) ? readdirSync(images) : [])
const gone: GenerateResult = {
  outcome: 'unavailable',
  problem: { code: 'backend_unreachable', message: 'nobody there' },
  crashed: false,
}

describe('a job', () => {
  test('is run to its end, image after image, with seeds that count up', async () => {
    backend.automatic = true
    const [id] = add([{ images: 3, seed: 2 ** 32 - 2 }])
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect(backend.requests.map(({ request }) => request.seed)).toEqual([2 ** 32 - 2, 2 ** 32 - 1, 0])
    expect(store.get(id!)?.imagesDone).toBe(3)
    expect(files()).toHaveLength(3)
    expect(history.page(10).images.map(({ imageIndex }) => imageIndex)).toEqual([2, 1, 0])
    expect(told).toEqual([`${id} running`, `${id} completed`])
  })

  test('follows the one before it, one at a time', async () => {
    pauses = true
    const ids = add([], [], [])
    for (const [number, id] of ids.entries()) {
      const request = await backend.request(number)
      expect(store.running().map((job) => job.id)).toEqual([id])
      await request.answer()
    }
    await waitFor(() => state(ids[2]!) === 'completed', 'the end')
    expect(told).toEqual(ids.flatMap((id) => [`${id} running`, `${id} completed`]))
    await waitFor(() => between.length === 3, 'the last pause')
    expect(between).toEqual([2, 4, 6])
  })

  test('is run also when the work between two jobs fails', async () => {
    betweenFails = true
    pauses = true
    backend.automatic = true
    const ids = add([], [])
    await waitFor(() => ids.every((id) => state(id) === 'completed'), 'both')
  })

  test('that comes while the queue is idle is begun at once', async () => {
    backend.automatic = true
    const [first] = add([])
    await waitFor(() => state(first!) === 'completed', 'the first')
    const [second] = add([])
    await waitFor(() => state(second!) === 'completed', 'the second')
  })

  test('that the backend rejects fails with its reason, and the next is run', async () => {
    const [first, second] = add([{ images: 2 }], [])
    const problem = { code: 'backend_rejected', message: 'no such sampler' } as const
    await (await backend.request(0)).answer()
    await (await backend.request(1)).answer({ outcome: 'rejected', problem })
    await (await backend.request(2)).answer()
    await waitFor(() => state(second!) === 'completed', 'the second')
    expect(store.get(first!)).toMatchObject({ state: 'failed', problem, imagesDone: 1 })
  })

  test('tells its progress and its preview, and neither is left when it is over', async () => {
    const [id] = add([{ images: 2 }])
    const first = await backend.request(0)
    first.progress({ step: 5, fraction: 0.25, remainingMs: 900 })
    first.progress({ step: 6, fraction: 0.3, preview: Buffer.from('one') })
    expect(runner.progress).toMatchObject({ jobId: id, imageIndex: 0, step: 6, fraction: 0.3, previewVersion: 1 })
    expect(Buffer.from(runner.preview!.bytes).toString()).toBe('one')
    await first.answer()
    await (await backend.request(1)).answer()
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect(progress.map(({ imageIndex, step }) => [imageIndex, step])).toEqual([
      [0, 0],
      [0, 5],
      [0, 6],
      [1, 0],
    ])
    expect([runner.progress, runner.preview]).toEqual([undefined, undefined])
  })

  test('that another run has taken over leaves no image', async () => {
    const [id] = add([])
    const request = await backend.request(0)
    database.prepare(`UPDATE jobs SET run_id = 'other', attempt = 9 WHERE id = ?`).run(id)
    await request.answer()
    const [next] = add([])
    await backend.request(1)
    await waitFor(() => files().length === 0, 'no file')
    expect(store.get(id!)).toMatchObject({ state: 'running', attempt: 9, imagesDone: 0 })
    expect(state(next!)).toBe('running')
  })
})

describe('several backends', () => {
  let other: ScriptedBackend
  beforeEach(() => {
    other = new ScriptedBackend('other')
    const saveImage = async () => null
    const parts = {
      store,
      saveImage,
      saveStage: async () => false,
      saveUnrecorded: async () => {},
      storage,
      inHand,
      lastStage: async () => null,
      onProgress: () => {},
      onImage: () => {},
    }
    processor.addLane({
      backend: other,
      runner: new JobRunner({ ...parts, backend: other }),
      jobEnds: () => false,
      betweenJobs: async () => {},
    })
  })
  const known = (...names: string[]) =>
    knownModels({ checkpoints: names, vaes: [], samplers: [], schedulers: [], upscalers: [], loras: [], embeddings: [] })

  test('each run a job at the same time', async () => {
    const ids = add([], [])
    await backend.request(0)
    await other.request(0)
    expect(store.running().map(({ id }) => id)).toEqual(ids)
    expect(processor.progress.map(({ backendId }) => backendId).sort()).toEqual(['other', 'scripted'])
  })

  test('a job is left to the one that has its checkpoint', async () => {
    backend.known = known('sd/Dream.safetensors')
    other.known = known('photo.ckpt [0123abcd]')
    const [first] = add([{ checkpoint: 'Photo.safetensors' }])
    await other.request(0)
    expect(backend.requests).toEqual([])
    const [second, nobody] = add([{ checkpoint: 'dream' }], [{ checkpoint: 'nobody has it' }])
    await (await backend.request(0)).answer()
    await waitFor(() => state(second!) === 'completed', 'the second')
    // Whoever gets it says what is missing.
    await backend.request(1)
    expect([state(first!), state(nobody!)]).toEqual(['running', 'running'])
  })

  test('a job whose checkpoint only a backend has that is not there waits for nobody', async () => {
    backend.known = known('dream')
    other.known = known('photo')
    other.status = { ...other.status, state: 'failed' }
    other.isThere = false
    add([{ checkpoint: 'photo' }])
    await Promise.race([backend.request(0), other.request(0)])
  })

  test('one that is not there takes no further job until it is', async () => {
    const [first] = add([])
    const lost = await Promise.race([backend.request(0), other.request(0)])
    const at = backend.requests.includes(lost) ? backend : other
    const rest = at === backend ? other : backend
    at.isThere = false
    await lost.answer(gone)
    const again = await rest.request(0)
    expect(store.get(first!)).toMatchObject({ state: 'running', attempt: 2 })
    const [second] = add([])
    await waitFor(() => state(second!) === 'queued', 'the second in the queue')
    expect(at.requests).toHaveLength(1)
    at.isThere = true
    processor.wake()
    await at.request(1)
    await again.answer()
  })

  test('one that is removed gives its job back', async () => {
    const ids = add([], [])
    await backend.request(0)
    const request = await other.request(0)
    await processor.removeLane('other')
    expect(request.signal.aborted).toBe(true)
    expect(ids.map(state).sort()).toEqual(['queued', 'running'])
  })
})

describe('cancelling', () => {
  test('the running job interrupts the backend, keeps finished images, and goes on with the next', async () => {
    const [id, next] = add([{ images: 3 }], [])
    await (await backend.request(0)).answer()
    const second = await backend.request(1)
    expect(await queue.cancel(id!)).toMatchObject({ state: 'cancelled', imagesDone: 1 })
    expect(second.signal.aborted).toBe(true)
    expect(files()).toHaveLength(1)
    await (await backend.request(2)).answer()
    await waitFor(() => state(next!) === 'completed', 'the next')
  })

  test('a pending job takes it out of the queue', async () => {
    const [first, second] = add([], [])
    const request = await backend.request(0)
    expect((await queue.cancel(second!)).state).toBe('cancelled')
    await request.answer()
    await waitFor(() => state(first!) === 'completed', 'the first')
    expect(backend.requests).toHaveLength(1)
  })

  test('a job that waits for its backend cancels it', async () => {
    const [id] = add([])
    await (await backend.request(0)).answer(gone)
    await waitFor(() => state(id!) === 'queued', 'the job to come back')
    expect((await queue.cancel(id!)).state).toBe('cancelled')
  })

  test('a job that has ended changes nothing', async () => {
    backend.automatic = true
    const [id] = add([])
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect((await queue.cancel(id!)).state).toBe('completed')
    await expect(queue.cancel(999)).rejects.toMatchObject({ code: 'job_not_found' })
  })
})

describe('a pause', () => {
  test('lets the running image finish; the job goes back to its place, and on from there', async () => {
    const [id, next] = add([{ images: 3 }], [])
    const request = await backend.request(0)
    expect(await queue.pause('finish')).toEqual({ paused: true, freed: [] })
    expect(request.signal.aborted).toBe(false)
    await request.answer()
    await waitFor(() => state(id!) === 'queued', 'the job to come back')
    expect(store.get(id!)?.imagesDone).toBe(1)
    expect(store.pendingIds(10, 0)).toEqual([id, next])
    await queue.resume()
    expect((await backend.request(1)).request.seed).toBe(1001)
    expect(state(id!)).toBe('running')
  })

  test('that frees the GPU interrupts the image, and asks for the memory once the backend has let go', async () => {
    const [id] = add([{ images: 2 }])
    await (await backend.request(0)).answer()
    const request = await backend.request(1)
    const freed = [{ backendId: 'scripted', freed: true, problem: null }]
    freeMemory = async () => {
      expect([runner.progress, state(id!)]).toEqual([undefined, 'queued'])
      return freed
    }
    expect(await queue.pause('free')).toEqual({ paused: true, freed })
    expect(request.signal.aborted).toBe(true)
    expect(store.get(id!)).toMatchObject({ imagesDone: 1, problem: null })
    processor.wake()
    await new Promise((resolve) => setImmediate(resolve))
    expect(backend.requests).toHaveLength(2)
  })
})

describe('cancelling many', () => {
  test('takes all that wait, and the running one where that is asked for', async () => {
    const ids = add([], [], [])
    await backend.request(0)
    expect(await queue.cancelMany({})).toMatchObject({ cancelled: 2 })
    expect(ids.map(state)).toEqual(['running', 'cancelled', 'cancelled'])
    expect(await queue.cancelMany({ running: 'cancel' })).toEqual({ cancelled: 1, undo: null })
    expect(state(ids[0]!)).toBe('cancelled')
  })

  test('is undone: those that waited run after all', async () => {
    const ids = add([], [], [])
    const request = await backend.request(0)
    const { undo } = await queue.cancelMany({ ids: ids.slice(1) })
    await request.answer()
    await waitFor(() => state(ids[0]!) === 'completed', 'the first')
    expect(await queue.undoCancel(undo!)).toBe(2)
    await backend.request(1)
    expect(state(ids[1]!)).toBe('running')
  })
})

describe('when the backend is not there', () => {
  test('the job goes back, keeps its images, and says why; a wake tries again at once', async () => {
    const [id] = add([{ images: 2 }])
    await (await backend.request(0)).answer()
    await (await backend.request(1)).answer(gone)
    const back = await waitFor(() => (state(id!) === 'queued' ? store.get(id!) : null), 'the job to come back')
    expect(back).toMatchObject({ imagesDone: 1, problem: { code: 'backend_unreachable', message: 'nobody there' } })
    const began = performance.now()
    processor.wake()
    const again = await backend.request(2)
    expect(performance.now() - began).toBeLessThan(500)
    expect(again.request.seed).toBe(1001)
    await again.answer()
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect(store.get(id!)).toMatchObject({ imagesDone: 2, problem: null })
  })

  test('it is tried again by itself, not in a hurry', async () => {
    const [id] = add([])
    const began = performance.now()
    await (await backend.request(0)).answer(gone)
    const again = await backend.request(1)
    expect(performance.now() - began).toBeGreaterThan(900)
    await again.answer()
    await waitFor(() => state(id!) === 'completed', 'the end')
  })

  test('and went down with the same job three times, the job is quarantined and the next is run', async () => {
    const [id, next] = add([], [])
    for (let at = 0; at < 3; at++) {
      await (await backend.request(at)).answer({ ...gone, crashed: true })
      await waitFor(() => state(id!) !== 'running', 'the job to come back')
      processor.wake()
    }
    expect(state(id!)).toBe('quarantined')
    await (await backend.request(3)).answer()
    await waitFor(() => state(next!) === 'completed', 'the next')
  })
})

describe('when the disk is not there', () => {
  test('the job goes back with what it has, and is finished once the disk is back', async () => {
    const [id] = add([{ images: 2 }])
    await (await backend.request(0)).answer()
    const second = await backend.request(1)
    await waitFor(() => store.get(id!)?.imagesDone === 1, 'the first image')
    rmSync(images, { recursive: true })
    writeFileSync(images, 'no folder')
    await second.answer()
    const back = await waitFor(() => (state(id!) === 'queued' ? store.get(id!) : null), 'the job to come back')
    expect(back).toMatchObject({ imagesDone: 1, problem: { code: 'disk' } })
    rmSync(images)
    mkdirSync(images)
    backend.automatic = true
    processor.wake()
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect(files()).toHaveLength(1)
  })

  test('what was made is not made again: it waits in memory, with what was being made meanwhile', async () => {
    const [id] = add([{ images: 3 }])
    rmSync(images, { recursive: true, force: true })
    writeFileSync(images, 'no folder')
    await (await backend.request(0)).answer()
    const second = await backend.request(1)
    await waitFor(() => inHand.all.length === 1, 'the first in hand')
    await second.answer()
    await waitFor(() => state(id!) === 'queued', 'the job to come back')
    expect(inHand.all.map(({ imageIndex }) => imageIndex)).toEqual([0, 1])
    expect(storage.trouble).toMatchObject({ kind: 'gone', inHand: 2 })
    rmSync(images)
    mkdirSync(images)
    await queue.resume()
    await (await backend.request(2)).answer()
    await waitFor(() => state(id!) === 'completed', 'the end')
    expect(backend.requests.map(({ request }) => request.seed)).toEqual([1000, 1001, 1002])
    expect(history.page(10).images.map(({ seed }) => seed)).toEqual([1002, 1001, 1000])
    expect(inHand.all).toEqual([])
  })

  test('what waits in memory for a job that is cancelled, or makes another picture now, is forgotten', async () => {
    const [first, second] = add([], [])
    rmSync(images, { recursive: true, force: true })
    writeFileSync(images, 'no folder')
    await (await backend.request(0)).answer()
    await (await backend.request(1)).answer()
    await waitFor(() => inHand.all.length === 2 && state(second!) === 'queued', 'both in hand')
    await queue.cancel(first!)
    database.prepare(`UPDATE jobs SET recipe = json_set(recipe, '$.prompt', 'a dog') WHERE id = ?`).run(second)
    rmSync(images)
    mkdirSync(images)
    await queue.resume()
    const again = await backend.request(2)
    expect(again.request.recipe.prompt).toBe('a dog')
    await again.answer()
    await waitFor(() => state(second!) === 'completed', 'the second')
    expect(state(first!)).toBe('cancelled')
    inHand.forgetEnded((id) => id === first)
    expect([inHand.all, files().length]).toEqual([[], 1])
  })

  test('a folder below that can’t be made is waited for as well', async () => {
    const [first, second] = add([{ filePattern: 'taken/[seed]' }], [])
    mkdirSync(images, { recursive: true })
    writeFileSync(join(images, 'taken'), 'a file')
    backend.automatic = true
    await (await backend.request(0)).answer()
    await waitFor(() => state(first!) === 'queued', 'the first to wait')
    expect(storage.trouble?.kind).toBe('gone')
    rmSync(join(images, 'taken'))
    processor.wake()
    await waitFor(() => state(second!) === 'completed' && state(first!) === 'completed', 'both')
  })

  test('a full database keeps the job and the queue goes on, without an image that has no row', async () => {
    const [id] = add([{ images: 1, prompt: 'long '.repeat(2000) }])
    const request = await backend.request(0)
    const pages = database.pragma('page_count', { simple: true }) as number
    database.pragma(`max_page_count = ${pages}`)
    await request.answer({ outcome: 'done', image: async () => ({ ...(await made()), parameters: 'p'.repeat(20_000) }) })
    await waitFor(() => state(id!) !== 'running', 'the job to come back')
    expect(store.get(id!)).toMatchObject({ state: 'queued', problem: { code: 'disk' } })
    expect(files()).toEqual([])
    database.pragma('max_page_count = 1000000')
    backend.automatic = true
    processor.wake()
    await waitFor(() => state(id!) === 'completed', 'the end')
  })
})

describe('when the database takes nothing', () => {
  test('the queue lives on: what ended is written down once it can be', async () => {
    const [id, next] = add([], [])
    const problem = { code: 'backend_rejected', message: 'no such sampler' } as const
    const request = await backend.request(0)
    database.pragma('query_only = 1')
    await request.answer({ outcome: 'rejected', problem })
    await waitFor(() => runner.progress === undefined, 'the end of the run')
    expect(state(id!)).toBe('running')
    database.pragma('query_only = 0')
    processor.wake()
    await waitFor(() => state(id!) === 'failed', 'the first job')
    await (await backend.request(1)).answer()
    await waitFor(() => state(next!) === 'completed', 'the next')
  })

  test('the queue lives on: a job that could not be claimed is claimed later', async () => {
    const [id] = store.add([newJob()], 0)
    database.pragma('query_only = 1')
    processor.wake()
    await new Promise((resolve) => setImmediate(resolve))
    database.pragma('query_only = 0')
    processor.wake()
    await (await backend.request(0)).answer()
    await waitFor(() => state(id!) === 'completed', 'the end')
  })

  test('a stop ends all the same', async () => {
    const [id] = add([])
    const request = await backend.request(0)
    database.pragma('query_only = 1')
    await request.answer()
    await waitFor(() => runner.progress === undefined, 'the end of the run')
    await processor.stop({ trigger: 'api' }, never)
    database.pragma('query_only = 0')
    expect(state(id!)).toBe('running')
    expect(store.recover('next run', 0)).toEqual([expect.objectContaining({ id, state: 'queued' })])
  })
})

describe('a stop', () => {
  test('lets the running image finish and no other begin', async () => {
    const [id, next] = add([{ images: 3 }], [])
    const request = await backend.request(0)
    const stopped = processor.stop({ trigger: 'window-close' }, never)
    expect(request.signal.aborted).toBe(false)
    await request.answer()
    await Promise.race([stopped, backend.request(1)])
    expect(backend.requests).toHaveLength(1)
    await stopped
    expect(store.get(id!)).toMatchObject({ state: 'queued', imagesDone: 1 })
    expect(state(next!)).toBe('queued')
    expect(await processor.closed).toEqual({ name: 'queue processor' })
  })

  test('with force interrupts at once; the job waits in the queue', async () => {
    const [id] = add([{ images: 3 }])
    const request = await backend.request(0)
    await processor.stop({ trigger: 'api' }, AbortSignal.abort())
    expect(request.signal.aborted).toBe(true)
    expect(store.get(id!)).toMatchObject({ state: 'queued', imagesDone: 0, problem: null })
  })

  test('that is forced later interrupts then', async () => {
    const [id] = add([])
    const request = await backend.request(0)
    const force = new AbortController()
    const stopped = processor.stop({ trigger: 'SIGTERM' }, force.signal)
    expect(request.signal.aborted).toBe(false)
    force.abort()
    await stopped
    expect(state(id!)).toBe('queued')
  })

  test('interrupts at once where the settings say so', async () => {
    await processor.stop({ trigger: 'api' }, never)
    processor = newProcessor('cancel')
    await processor.start()
    const [id] = add([])
    await backend.request(0)
    await processor.stop({ trigger: 'api' }, never)
    expect(state(id!)).toBe('queued')
  })

  test('does not wait for a backend that is still starting: no image is being made', async () => {
    backend.status = { ...backend.status, state: 'starting' }
    const [id] = add([])
    await backend.request(0)
    const began = performance.now()
    await processor.stop({ trigger: 'window-close' }, never)
    expect(performance.now() - began).toBeLessThan(2000)
    expect(state(id!)).toBe('queued')
  })

  test.each(['idle', 'before the start', 'twice'])('ends %s', async (when) => {
    if (when === 'before the start') processor = newProcessor('finish')
    if (when === 'twice') void processor.stop({ trigger: 'api' }, never)
    await processor.stop({ trigger: 'api' }, never)
    await processor.start()
    expect(await processor.closed).toEqual({ name: 'queue processor' })
    const [id] = add([])
    expect(state(id!)).toBe('queued')
  })

  test('ends at once while it waits for the backend', async () => {
    const [id] = add([])
    await (await backend.request(0)).answer(gone)
    await waitFor(() => state(id!) === 'queued', 'the job to come back')
    const began = performance.now()
    await processor.stop({ trigger: 'api' }, never)
    expect(performance.now() - began).toBeLessThan(500)
  })
})
