import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { GenerateResult } from '../../../src-sidecar/backends/backend.ts'
import type { JobProgress } from '../../../src-sidecar/contract/job.ts'
import type { Recipe, Stage } from '../../../src-sidecar/contract/recipe.ts'
import type { History } from '../../../src-sidecar/history/history.ts'
import type { UnfinishedImages } from '../../../src-sidecar/history/unfinished-images.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { QueueProcessor } from '../../../src-sidecar/jobs/queue-processor.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { made, newDatabase, newJob, newRunner, silent, smallPng } from './queue-fixture.ts'
import { ScriptedBackend } from './scripted-backend.ts'

let database: Database
let folder: string
let store: JobStore
let history: History
let unfinished: UnfinishedImages
let backend: ScriptedBackend
let processor: QueueProcessor
let progress: JobProgress[]

beforeEach(async () => {
  ;({ database, folder } = await newDatabase())
  store = new JobStore(database)
  await begin('one')
})
afterEach(async () => {
  await end()
  database.close()
})

/** A run of the app. */
async function begin(runId: string): Promise<void> {
  backend = new ScriptedBackend()
  progress = []
  const parts = newRunner(database, folder, backend, (one) => progress.push(one))
  ;({ history, unfinished } = parts)
  const { runner, onOver, storage } = parts
  store.recover(runId, Date.now())
  await unfinished.removeLeftovers()
  processor = new QueueProcessor({ runId, store, storage, logger: silent, onJob: () => {}, onOver, atExit: () => 'cancel' })
  processor.addLane({ backend, runner, jobEnds: () => false, betweenJobs: async () => {} })
  await processor.start()
}
const end = () => processor.stop({ trigger: 'api' }, AbortSignal.abort())

const img2img = (more: object = {}): Stage => ({ as: 'img2img', denoisingStrength: 0.3, keepInput: false, ...more })
const upscale = (more: object = {}): Stage => ({ as: 'upscale', upscaler: 'Lanczos', scale: 2, keepInput: false, ...more })

function add(recipe: Partial<Recipe>): number {
  const [id] = store.add([newJob(recipe)], Date.now())
  processor.wake()
  return id!
}
const over = (id: number) => waitFor(() => (store.get(id)?.endedAtMs ? store.get(id) : false), 'the end of the job')
const work = () => (existsSync(join(folder, 'work')) ? readdirSync(join(folder, 'work')) : [])
const images = () => readdirSync(join(folder, 'images')).sort()
const done = async (seed: number, more: object = {}): Promise<GenerateResult> => {
  const image = { ...(await made(seed)), ...more }
  return { outcome: 'done', image: async () => image }
}
const asked = () => backend.requests.map(({ request: { recipe, seed } }) => `${recipe.source?.as ?? 'txt2img'} ${seed}`)

describe('the stages of a job', () => {
  test('follow one another for each image, each with the picture of the one before', async () => {
    const hires = { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 }
    const id = add({ images: 2, seed: 5, hires, stages: [img2img({ steps: 9, samplerName: 'DDIM' }), upscale()] })
    await (await backend.request(0)).answer(await done(5, { width: 128, height: 96, durationMs: 10 }))
    const { request } = await backend.request(1)
    expect(Buffer.from(request.picture!).equals(await smallPng())).toBe(true)
    expect(request.recipe).toMatchObject({
      source: { as: 'img2img', denoisingStrength: 0.3 },
      steps: 9,
      samplerName: 'DDIM',
      width: 128,
      height: 96,
    })
    expect(request.recipe).not.toHaveProperty('hires')
    expect(request.recipe).not.toHaveProperty('stages')
    backend.automatic = true
    await backend.requests[1]!.answer(await done(5, { parameters: 'a cat\nSteps: 9', durationMs: 20 }))
    expect((await over(id))?.state).toBe('completed')
    expect(asked()).toEqual(['txt2img 5', 'img2img 5', 'upscale 5', 'txt2img 6', 'img2img 6', 'upscale 6'])
    expect(work()).toEqual([])
    const { images: saved, total } = history.page(10)
    expect([total, saved.map(({ seed, stage, intermediate }) => [seed, stage, intermediate])]).toEqual([
      2,
      [
        [6, 2, false],
        [5, 2, false],
      ],
    ])
    expect(saved[1]).toMatchObject({
      durationMs: 35,
      parameters: 'a cat\nSteps: 9, Postprocess upscale by: 2, Postprocess upscaler: Lanczos',
    })
  })

  test('keep what comes before them where they are told to', async () => {
    backend.automatic = true
    const id = add({ stages: [img2img({ keepInput: true }), upscale()] })
    await over(id)
    const [image] = history.page(10).images
    expect(history.stagesOf(image!.id).map(({ stage, intermediate, fileName }) => [stage, intermediate, fileName])).toEqual([
      [0, true, 'cats-001-1000-1-txt2img.png'],
      [2, false, 'cats-001-1000.png'],
    ])
    expect(history.page(10).total).toBe(1)
    expect(images()).toHaveLength(2)
  })

  test('tell how far the whole image is', async () => {
    add({ stages: [img2img(), upscale()] })
    const request = await backend.request(0)
    request.progress({ fraction: 0.5, remainingMs: 100 })
    expect(progress.at(-1)).toMatchObject({ stage: 0, stages: ['txt2img', 'img2img', 'upscale'], remainingMs: null })
    expect(progress.at(-1)?.fraction).toBeCloseTo(1 / 6)
    await request.answer()
    await (await backend.request(1)).answer()
    const last = await backend.request(2)
    last.progress({ fraction: 0.5, remainingMs: 100 })
    expect(progress.at(-1)).toMatchObject({ stage: 2, remainingMs: 100 })
    expect(progress.at(-1)?.fraction).toBeCloseTo(5 / 6)
  })
})

describe('an interrupted job', () => {
  test.each([true, false])('goes on at the stage where it was; the picture before is kept: %s', async (keepInput) => {
    const id = add({ images: 2, seed: 5, stages: [img2img({ keepInput }), upscale({ keepInput })] })
    for (let at = 0; at < 4; at++) await (await backend.request(at)).answer()
    await backend.request(4)
    await end()
    expect(store.get(id)).toMatchObject({ state: 'queued', imagesDone: 1 })
    await begin('two')
    backend.automatic = true
    await over(id)
    expect(asked()).toEqual(['img2img 6', 'upscale 6'])
    expect(history.page(10).images.map(({ seed }) => seed)).toEqual([6, 5])
    expect(history.ofJob(id)).toHaveLength(keepInput ? 6 : 2)
    expect(work()).toEqual([])
  })

  test('begins the image anew where the picture has gone', async () => {
    const id = add({ stages: [img2img({ keepInput: true })] })
    await (await backend.request(0)).answer()
    await backend.request(1)
    await end()
    for (const name of images()) rmSync(join(folder, 'images', name))
    await begin('two')
    backend.automatic = true
    await over(id)
    expect(asked()).toEqual(['txt2img 1000', 'img2img 1000'])
    expect(history.ofJob(id).map(({ stage }) => stage)).toEqual([0, 1])
  })
})

describe('what came before', () => {
  const failed: GenerateResult = { outcome: 'rejected', problem: { code: 'backend_rejected', message: 'no such upscaler' } }

  test.each([true, false])(
    'a stage that fails becomes the image, and a retry goes on there; it was kept: %s',
    async (keepInput) => {
      const id = add({ stages: [img2img({ keepInput }), upscale({ keepInput })] })
      for (let at = 0; at < 2; at++) await (await backend.request(at)).answer()
      await (await backend.request(2)).answer(failed)
      const job = await over(id)
      expect(job?.problem?.message).toBe('Stage 3 (upscale) failed, what came before it is kept: no such upscaler')
      await waitFor(() => history.page(10).total === 1 && work().length === 0, 'the image')
      expect(history.page(10).images[0]).toMatchObject({ stage: 1, intermediate: false })
      store.retry(id)
      backend.automatic = true
      processor.wake()
      await waitFor(() => store.get(id)?.state === 'completed', 'the retry')
      expect(asked().slice(3)).toEqual(['upscale 1000'])
      expect(history.page(10).images.map(({ stage }) => stage)).toEqual([2])
    },
  )

  test('a stage that is cancelled is kept as the image', async () => {
    const id = add({ images: 3, stages: [upscale()] })
    await (await backend.request(0)).answer()
    await backend.request(1)
    await processor.cancelRunning(id)
    expect(store.get(id)).toMatchObject({ state: 'cancelled', imagesDone: 0 })
    expect(history.page(10).images).toMatchObject([{ stage: 0, imageIndex: 0 }])
    expect(work()).toEqual([])
  })
})

test('files of the work folder that no job claims go at start-up', async () => {
  add({ stages: [upscale()] })
  await (await backend.request(0)).answer()
  await backend.request(1)
  await end()
  expect(work()).toHaveLength(1)
  store.transaction(() => void database.prepare('DELETE FROM unfinished_images').run())
  await begin('two')
  expect(work()).toEqual([])
})

test('a run that lost its claim saves no stage', async () => {
  const id = add({ stages: [upscale()] })
  const request = await backend.request(0)
  store.recover('another run', Date.now())
  await request.answer()
  await waitFor(() => backend.requests.length > 1 || processor.progress.length === 0, 'the end of the lost run')
  await end()
  expect(unfinished.of(id)).toBeUndefined()
  expect(work()).toEqual([])
})
