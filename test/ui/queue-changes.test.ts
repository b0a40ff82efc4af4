import { expect, test } from 'vitest'
import type { Job, JobProgress, JobState, Queue } from '../../src-sidecar/contract/job.ts'
import { emptyQueue, jobFraction, withJob, withProgress } from '../../src-ui/state/queue-changes.ts'

function job(id: number, state: JobState = 'queued', imagesDone = 0, images = 1): Job {
  const recipe = {
    version: 1 as const,
    prompt: `prompt ${id}`,
    negativePrompt: '',
    samplerName: 'Euler a',
    scheduler: 'Automatic',
    steps: 20,
    cfgScale: 7,
    seed: id,
    width: 512,
    height: 512,
    images,
  }
  return {
    id,
    packId: 'user/a.txt',
    packName: 'a',
    promptIndex: 0,
    state,
    recipe,
    imagesDone,
    pinnedTo: null,
    priority: 'normal',
    attempt: 1,
    problem: null,
    createdAtMs: 0,
    startedAtMs: null,
    endedAtMs: null,
  }
}

const progress = (jobId: number, fraction: number, imageIndex = 0): JobProgress => ({
  jobId,
  backendId: 'one',
  imageIndex,
  stage: 0,
  stages: ['txt2img'],
  step: 10,
  steps: 20,
  fraction,
  elapsedMs: 0,
  remainingMs: null,
  previewVersion: 0,
})

const ids = (jobs: Job[]) => jobs.map((one) => one.id)
const queued: Queue = { ...emptyQueue, pendingTotal: 3 }

test('a pending job that starts leaves the pending ones', () => {
  const queue = withJob(queued, job(1, 'running'))
  expect(ids(queue.running)).toEqual([1])
  expect(queue.pendingTotal).toBe(2)
})

test('a job that ends is the newest of the ended ones and takes its progress along', () => {
  const running = withProgress(withJob(queued, job(1, 'running')), progress(1, 0.5))
  const queue = withJob({ ...running, ended: [job(9, 'completed')] }, job(1, 'completed', 1))
  expect(queue.running).toEqual([])
  expect(queue.progress).toEqual([])
  expect(ids(queue.ended)).toEqual([1, 9])
})

test('a running job that comes back is pending again', () => {
  const queue = withJob({ ...queued, running: [job(7, 'running')] }, job(7))
  expect(queue.running).toEqual([])
  expect(queue.pendingTotal).toBe(4)
})

test('a retried job leaves the ended ones and counts as pending', () => {
  const queue = withJob({ ...queued, ended: [job(7, 'failed')] }, job(7, 'queued'))
  expect(queue.ended).toEqual([])
  expect(queue.pendingTotal).toBe(4)
})

test('the same job told twice changes nothing more', () => {
  const once = withJob(queued, job(1, 'running'))
  expect(withJob(once, job(1, 'running'))).toEqual(once)
})

test('neither the old queue nor its lists are changed', () => {
  const before = structuredClone(queued)
  withJob(queued, job(1, 'running'))
  expect(queued).toEqual(before)
})

test('the fraction of a job counts its finished images and the part of the current one', () => {
  const half = job(1, 'running', 1, 4)
  expect(jobFraction(half, progress(1, 0.5, 1))).toBe(0.375)
  expect(jobFraction(half, undefined)).toBe(0.25)
})

test('progress of an image that is already counted is not counted twice', () => {
  expect(jobFraction(job(1, 'running', 2, 4), progress(1, 0.98, 1))).toBe(0.5)
})

test('a backend that goes on with the next job makes nothing of the one before, which is only being saved', () => {
  const both = { ...queued, running: [job(1, 'running'), job(2, 'running')] }
  const queue = withProgress(withProgress(both, progress(1, 0.9)), progress(2, 0.1))
  expect(queue.progress.map(({ jobId }) => jobId)).toEqual([2])
})
