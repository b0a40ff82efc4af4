import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ImagesInHand } from '../../../src-sidecar/jobs/images-in-hand.ts'
import { JobRunner } from '../../../src-sidecar/jobs/job-runner.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { Pace } from '../../../src-sidecar/jobs/pace.ts'
import { QueueProcessor } from '../../../src-sidecar/jobs/queue-processor.ts'
import { queueTimes } from '../../../src-sidecar/jobs/queue-times.ts'
import { workOf } from '../../../src-sidecar/jobs/recipe-work.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob, newStorage, recipe, silent } from './queue-fixture.ts'
import { ScriptedBackend } from './scripted-backend.ts'

let database: Database
let store: JobStore
let pace: Pace
let processor: QueueProcessor
let backends: ScriptedBackend[]

beforeEach(async () => {
  ;({ database } = await newDatabase())
  store = new JobStore(database)
  pace = new Pace(database)
  processor = new QueueProcessor({
    runId: 'run',
    store,
    storage: newStorage(database),
    logger: silent,
    onJob: () => {},
    onOver: async () => {},
    atExit: () => 'cancel',
  })
  backends = []
})

afterEach(async () => {
  await processor.stop({ trigger: 'api' }, AbortSignal.abort())
  database.close()
})

function addBackend(id: string): ScriptedBackend {
  const backend = new ScriptedBackend(id)
  backends.push(backend)
  const saving = { saveImage: async () => null, saveStage: async () => false, saveUnrecorded: async () => {} }
  const about = { store, storage: newStorage(database), inHand: new ImagesInHand(), lastStage: async () => null }
  const runner = new JobRunner({ backend, ...about, ...saving, onProgress: () => {}, onImage: () => {} })
  processor.addLane({ backend, runner, jobEnds: () => false, betweenJobs: async () => {} })
  return backend
}
const add = (count: number, more = {}, pinnedTo: string | null = null) =>
  store.add(
    Array.from({ length: count }, () => ({ ...newJob(more), pinnedTo })),
    0,
  )
const times = (limit = 100, offset = 0) => queueTimes({ store, pace, processor }, store.pending(limit, offset), offset)
const remaining = () => times().remainingMs

describe('what is learned', () => {
  test('is the median of the latest images of a kind: one that loaded a model first does not count for long', () => {
    const seconds = [60, 10, 11, 10, 9]
    for (const s of seconds) pace.learn('one', recipe(), s * 1000)
    const each = pace.known()('one', null, '64x64', workOf(recipe()).load)! * workOf(recipe()).load
    expect(each).toBeCloseTo(10_000)
    for (let at = 0; at < 20; at++) pace.learn('one', recipe(), 3000)
    expect(new Pace(database).known()('one', null, '64x64', workOf(recipe()).load)! * workOf(recipe()).load).toBeCloseTo(3000)
  })

  test('is that of the very kind, else of the size, else of the backend by pixels and steps, else nothing', () => {
    const known = (backendId: string, model: string, shape: string) =>
      pace.known()(backendId, model, shape, workOf(recipe()).load)
    expect(known('one', 'dream', '64x64')).toBeNull()
    pace.learn('one', recipe({ width: 128 }), 8000)
    expect(known('one', 'dream', '64x64')! * workOf(recipe()).load).toBeCloseTo(4000)
    pace.learn('one', recipe(), 5000)
    expect(known('one', 'dream', '64x64')! * workOf(recipe()).load).toBeCloseTo(5000)
    pace.learn('one', recipe({ checkpoint: 'sd/Dream.ckpt' }), 7000)
    expect(known('one', 'dream', '64x64')! * workOf(recipe()).load).toBeCloseTo(7000)
    expect(known('other', 'dream', '64x64')).toBeNull()
  })

  test('is told of about as many steps where there is one: a part of the time is the same for few and many', () => {
    const few = recipe({ steps: 2 })
    const each = (made: typeof few) => pace.known()('one', null, '64x64', workOf(made).load)! * workOf(made).load
    for (let at = 0; at < 5; at++) pace.learn('one', few, 1200)
    expect(each(recipe())).toBeCloseTo(12_000)
    pace.learn('one', recipe(), 3000)
    expect(each(recipe())).toBeCloseTo(3000)
    expect(each(recipe({ steps: 22 }))).toBeCloseTo(3300)
    expect(each(few)).toBeCloseTo(1200)
  })

  test('counts all passes of an image', () => {
    const plain = workOf(recipe())
    expect(workOf(recipe({ steps: 40 }))).toEqual({ ...plain, load: plain.load * 2 })
    const hires = { scale: 2, upscaler: 'Latent', steps: 10, denoisingStrength: 0.5 }
    expect(workOf(recipe({ hires }))).toEqual({ shape: '64x64 hires 2', load: plain.load * 3 })
    const source = { as: 'img2img', path: '/a.png', denoisingStrength: 0.5 } as const
    expect(workOf(recipe({ source }))).toEqual({ shape: '64x64 img2img', load: plain.load / 2 })
    const then = [
      { as: 'upscale' as const, upscaler: 'Lanczos', scale: 2, keepInput: false },
      { as: 'img2img' as const, denoisingStrength: 0.5, steps: 10, keepInput: false },
    ]
    const kilopixels = plain.load / 20
    expect(workOf(recipe({ stages: then }))).toEqual({
      shape: '64x64 then upscale 2 then img2img',
      load: plain.load + kilopixels * 4 + kilopixels * 4 * 5,
    })
  })
})

describe('the time left', () => {
  test('is not known before a backend has made an image', () => {
    addBackend('one')
    expect(remaining()).toBe(0)
    add(1)
    expect(times()).toEqual({ remainingMs: null, working: false, pendingTimes: [{ workMs: null, endsInMs: null }] })
  })

  test('is the work of all images, and each job ends after those before it', () => {
    addBackend('one')
    pace.learn('one', recipe(), 1000)
    add(1, { images: 3 })
    add(1, { steps: 40 })
    expect(times()).toEqual({
      remainingMs: 5000,
      working: false,
      pendingTimes: [
        { workMs: 3000, endsInMs: 3000 },
        { workMs: 2000, endsInMs: 5000 },
      ],
    })
  })

  test('is shared by several backends as fast as they are', () => {
    addBackend('fast')
    addBackend('slow')
    pace.learn('fast', recipe(), 1000)
    pace.learn('slow', recipe(), 3000)
    add(40)
    expect(remaining()).toBe(30_000)
    // What only the slow one may do keeps it from the rest.
    add(10, {}, 'slow')
    expect(remaining()).toBe(37_500)
    add(50, {}, 'slow')
    expect(remaining()).toBe(180_000)
  })

  test('leaves out what is pinned to a backend that is not there, and backends that are not', () => {
    addBackend('one')
    const other = addBackend('other')
    pace.learn('one', recipe(), 1000)
    pace.learn('other', recipe(), 1000)
    add(10)
    add(7, {}, 'nobody')
    expect(remaining()).toBe(5000)
    other.status = { ...other.status, state: 'failed' }
    expect(remaining()).toBe(10_000)
    expect(times().pendingTimes.at(-1)).toEqual({ workMs: null, endsInMs: null })
  })

  test('of a page far down counts those before it', () => {
    addBackend('one')
    pace.learn('one', recipe(), 1000)
    add(300)
    expect(times(2, 200).pendingTimes).toEqual([
      { workMs: 1000, endsInMs: 201_000 },
      { workMs: 1000, endsInMs: 202_000 },
    ])
  })

  test('counts what is left of the running job, and goes down only while an image is made', async () => {
    const one = addBackend('one')
    pace.learn('one', recipe(), 1000)
    add(1, { images: 3 })
    add(1)
    await processor.start()
    const request = await one.request(0)
    request.progress({ fraction: 0.25 })
    expect(times()).toMatchObject({ remainingMs: 3750, working: true })
    request.progress({ fraction: 0.5, remainingMs: 100 })
    expect(remaining()).toBe(3100)
    one.status = { ...one.status, state: 'starting' }
    expect(times().working).toBe(false)
  })
})
