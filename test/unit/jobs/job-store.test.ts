import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Job } from '../../../src-sidecar/contract/job.ts'
import { type Fence, isEnded, JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newJob } from './queue-fixture.ts'

let database: Database
let store: JobStore

beforeEach(async () => {
  ;({ database } = await newDatabase())
  store = new JobStore(database)
})

afterEach(() => void database.close())

const fenceOf = (job: Job, runId = 'run'): Fence => ({ jobId: job.id, runId, attempt: job.attempt })
const claimed = (runId = 'run') => store.claim(runId, { backendId: 'any', elsewhere: [] }, 10)!
const pendingIds = () => store.pending(100, 0).map(({ id }) => id)

describe('adding', () => {
  test('gives the ids in order, and the jobs wait in that order', () => {
    const ids = store.add([newJob({ seed: 7, images: 3 }, 4), newJob()], 5)
    expect(pendingIds()).toEqual(ids)
    expect(store.get(ids[0]!)).toEqual({
      id: ids[0],
      packId: 'user/cats.txt',
      packName: 'cats',
      promptIndex: 4,
      state: 'queued',
      recipe: newJob({ seed: 7, images: 3 }).recipe,
      imagesDone: 0,
      pinnedTo: null,
      priority: 'normal',
      attempt: 0,
      problem: null,
      createdAtMs: 5,
      startedAtMs: null,
      endedAtMs: null,
    })
  })

  test('is all or none', () => {
    const broken = { ...newJob(), packName: null as unknown as string }
    expect(() => store.add([newJob(), broken, newJob()], 0)).toThrow()
    expect(pendingIds()).toEqual([])
  })

  test('counts what is left to do', () => {
    store.add([newJob({ images: 3 }), newJob({ images: 2 })], 0)
    expect(store.pendingTotals()).toEqual({ jobs: 2, images: 5 })
    const job = claimed()
    store.advance(fenceOf(job), 0)
    store.release(fenceOf(job), false, null, 20)
    expect(store.pendingTotals()).toEqual({ jobs: 2, images: 4 })
  })

  test('of nothing is nothing', () => {
    expect(store.add([], 0)).toEqual([])
    expect(store.pendingTotals()).toEqual({ jobs: 0, images: 0 })
  })
})

describe('claiming', () => {
  test('takes the jobs one after another, in their order, and then nothing', () => {
    const ids = store.add([newJob(), newJob(), newJob()], 0)
    const jobs = [claimed(), claimed(), claimed()]
    expect(jobs.map(({ id }) => id)).toEqual(ids)
    expect(jobs[0]).toMatchObject({ state: 'running', attempt: 1, startedAtMs: 10 })
    expect(store.claim('run', { backendId: 'any', elsewhere: [] }, 11)).toBeUndefined()
    expect(store.running().map(({ id }) => id)).toEqual(ids)
  })

  test('counts the attempts, and a job that came back keeps its place', () => {
    const [first] = store.add([newJob(), newJob()], 0)
    const job = claimed()
    store.release(fenceOf(job), false, null, 20)
    expect(pendingIds()[0]).toBe(first)
    expect(claimed()).toMatchObject({ id: first, attempt: 2 })
  })
})

describe('the fence', () => {
  const outsiders: [string, (fence: Fence) => Fence][] = [
    ['an older attempt', (fence) => ({ ...fence, attempt: fence.attempt - 1 })],
    ['another run', (fence) => ({ ...fence, runId: 'older run' })],
    ['another job', (fence) => ({ ...fence, jobId: fence.jobId + 1 })],
  ]

  test.each(outsiders)('%s can neither advance, finish nor release a job', (_, change) => {
    store.add([newJob({ images: 2 })], 0)
    store.release(fenceOf(claimed()), false, null, 11)
    const job = claimed()
    const fence = change(fenceOf(job))
    expect(store.advance(fence, 0)).toBe(false)
    for (const how of ['complete', 'fail', 'cancelRunning'] as const) expect(store.finish(fence, how, null, 20)).toBeUndefined()
    expect(store.release(fence, true, null, 20)).toBeUndefined()
    expect(store.get(job.id)).toEqual(job)
  })

  test('an image counts once, and only the one that is due', () => {
    store.add([newJob({ images: 3 })], 0)
    const job = claimed()
    const fence = fenceOf(job)
    expect(store.advance(fence, 1)).toBe(false)
    expect(store.advance(fence, 0)).toBe(true)
    expect(store.advance(fence, 0)).toBe(false)
    expect(store.advance(fence, 1)).toBe(true)
    expect(store.get(job.id)?.imagesDone).toBe(2)
  })

  test('who has ended a job can do no more with it', () => {
    store.add([newJob()], 0)
    const fence = fenceOf(claimed())
    expect(store.finish(fence, 'complete', null, 20)).toMatchObject({ state: 'completed', endedAtMs: 20, problem: null })
    expect(store.finish(fence, 'fail', { code: 'internal', message: 'late' }, 21)).toBeUndefined()
    expect(store.advance(fence, 0)).toBe(false)
    expect(store.release(fence, false, null, 21)).toBeUndefined()
  })

  test('a job that waits or has ended is not finished, whatever the fence', () => {
    const [id] = store.add([newJob()], 0)
    expect(store.finish({ jobId: id!, runId: 'run', attempt: 0 }, 'complete', null, 20)).toBeUndefined()
    expect(store.get(id!)?.state).toBe('queued')
  })
})

test('how a job ended is kept', () => {
  store.add([newJob(), newJob(), newJob()], 0)
  const problem = { code: 'backend_rejected', message: 'no such sampler' } as const
  store.finish(fenceOf(claimed()), 'fail', problem, 20)
  store.finish(fenceOf(claimed()), 'cancelRunning', null, 30)
  store.finish(fenceOf(claimed()), 'complete', null, 40)
  expect(store.ended(10).map(({ state, problem }) => [state, problem])).toEqual([
    ['completed', null],
    ['cancelled', null],
    ['failed', problem],
  ])
  expect(store.ended(1)).toHaveLength(1)
})

describe('recovery after a crash', () => {
  test('puts what was running back to its place, with its finished images', () => {
    const [id] = store.add([newJob({ images: 5 }), newJob()], 0)
    const job = claimed('older run')
    store.advance(fenceOf(job, 'older run'), 0)
    store.advance(fenceOf(job, 'older run'), 1)
    expect(store.recover('new run', 100)).toEqual([expect.objectContaining({ id, state: 'queued', imagesDone: 2 })])
    expect(claimed('new run')).toMatchObject({ id, attempt: 2, imagesDone: 2 })
    expect(store.advance(fenceOf(job, 'older run'), 2)).toBe(false)
  })

  test('leaves the running jobs of this run, and what waits or has ended', () => {
    store.add([newJob(), newJob(), newJob()], 0)
    store.finish(fenceOf(claimed()), 'complete', null, 20)
    const job = claimed()
    expect(store.recover('run', 100)).toEqual([])
    expect(store.get(job.id)).toEqual(job)
    expect(pendingIds()).toHaveLength(1)
  })

  test('finds a job that a crash left between two states', () => {
    const [id] = store.add([newJob()], 0)
    database.prepare(`UPDATE jobs SET state = 'interrupted' WHERE id = ?`).run(id)
    store.recover('new run', 100)
    expect(store.get(id!)?.state).toBe('queued')
  })

  test('does not count against a job of a run that ended well, and could not write that down', () => {
    const [id] = store.add([newJob()], 0)
    for (let run = 0; run < 4; run++) {
      claimed(`run ${run}`)
      expect(store.recover(`after ${run}`, 100, false)).toEqual([expect.objectContaining({ id, state: 'queued' })])
    }
  })

  test('keeps a job out of the queue that took the app down three times, and says so', () => {
    const [id] = store.add([newJob({ images: 4 }), newJob()], 0)
    for (const run of ['one', 'two']) {
      store.advance(fenceOf(claimed(run), run), run === 'one' ? 0 : 1)
      expect(store.recover(`after ${run}`, 100)[0]).toMatchObject({ id, state: 'queued' })
    }
    claimed('three')
    expect(store.recover('four', 200)).toEqual([
      expect.objectContaining({
        id,
        state: 'quarantined',
        imagesDone: 2,
        endedAtMs: 200,
        problem: { code: expect.any(String), message: expect.stringContaining('3 times') },
      }),
    ])
    expect(claimed('four').id).not.toBe(id)
  })

  test('crashes of the backend count with those of the app, releases without a crash do not', () => {
    const [id] = store.add([newJob()], 0)
    for (let at = 0; at < 5; at++) expect(store.release(fenceOf(claimed()), false, null, 20)?.state).toBe('queued')
    const problem = { code: 'backend_unreachable', message: 'gone' } as const
    expect(store.release(fenceOf(claimed()), true, problem, 20)).toMatchObject({ state: 'queued', problem })
    expect(store.release(fenceOf(claimed()), true, problem, 20)?.state).toBe('queued')
    claimed('crashed run')
    expect(store.recover('new run', 30)[0]).toMatchObject({ id, state: 'quarantined' })
  })
})

describe('cancelling what waits', () => {
  test('ends it, and leaves what runs', () => {
    const [first, second] = store.add([newJob(), newJob()], 0)
    claimed()
    expect(store.cancelPending(first!, 20)).toBeUndefined()
    expect(store.cancelPending(second!, 20)).toMatchObject({ state: 'cancelled', endedAtMs: 20 })
    expect(store.cancelPending(second!, 21)).toBeUndefined()
    expect(store.cancelPending(999, 21)).toBeUndefined()
    expect(store.get(first!)?.state).toBe('running')
  })
})

describe('a retry', () => {
  test('puts an ended job at the end of the queue, its images kept and its problem forgotten', () => {
    const [first, second] = store.add([newJob({ images: 3 }), newJob()], 0)
    const job = claimed()
    store.advance(fenceOf(job), 0)
    store.finish(fenceOf(job), 'fail', { code: 'internal', message: 'broken' }, 20)
    expect(store.retry(first!)).toMatchObject({ state: 'queued', imagesDone: 1, problem: null, endedAtMs: null })
    expect(pendingIds()).toEqual([second, first])
    expect(store.ended(10)).toEqual([])
  })

  test('gives a quarantined job three more attempts', () => {
    const [id] = store.add([newJob()], 0)
    for (let at = 0; at < 3; at++) store.release(fenceOf(claimed()), true, null, 20)
    expect(store.get(id!)?.state).toBe('quarantined')
    store.retry(id!)
    for (let at = 0; at < 2; at++) expect(store.release(fenceOf(claimed()), true, null, 20)?.state).toBe('queued')
  })

  test('is refused to a job that waits, runs or is completed', () => {
    const [id] = store.add([newJob()], 0)
    expect(store.retry(id!)).toBeUndefined()
    const fence = fenceOf(claimed())
    expect(store.retry(id!)).toBeUndefined()
    store.finish(fence, 'complete', null, 20)
    expect(store.retry(id!)).toBeUndefined()
  })
})

test('an ended job is one that does nothing more by itself', () => {
  expect((['queued', 'running', 'interrupted'] as const).some(isEnded)).toBe(false)
  expect((['completed', 'failed', 'cancelled', 'quarantined'] as const).every(isEnded)).toBe(true)
})

test('a transaction that fails leaves nothing', () => {
  expect(() =>
    store.transaction(() => {
      store.add([newJob()], 0)
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(pendingIds()).toEqual([])
})
