import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { ImagePage } from '../../src-sidecar/contract/image-search.ts'
import type { Queue } from '../../src-sidecar/contract/job.ts'
import { closeSidecar, type RunningSidecar, waitForEmptyQueue } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { trackSidecars } from '../helpers/tracked-sidecars.ts'
import { waitFor } from '../helpers/wait-for.ts'

const { start, baseline } = trackSidecars()

interface Request {
  readonly time: string
  readonly path: string
  readonly seed: number | null
}

/** What the engine was asked for, as `txt2img 7`. */
const asked = (log: string): { what: string; atMs: number }[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line): Request => JSON.parse(line))
    .filter(({ seed }) => seed !== null)
    .map(({ path, seed, time }) => ({ what: `${path.split('/').at(-1)} ${seed}`, atMs: Date.parse(time) }))

const count = (all: readonly { what: string }[], wanted: string) => all.filter(({ what }) => what === wanted).length
/** The seed of what lies between two stages of job 1, file and row. */
function seedBetweenStages({ dataDir }: RunningSidecar): number | undefined {
  const database = new Sqlite(join(dataDir, 'stablenew.db'), { readonly: true })
  try {
    return database.prepare('SELECT seed FROM unfinished_images WHERE job_id = 1').pluck().get() as number | undefined
  } finally {
    database.close()
  }
}

const workOf = ({ dataDir }: RunningSidecar) => readdirSync(join(dataDir, 'work'))

test('a job that is killed at image 3 of 8 in its second stage ends with 8 images, none twice, and none that was saved is made again', async () => {
  const log = join(tempDir('stages'), 'requests.log')
  const args = (stepMs: number) => ['--draft-args', `--step-ms ${stepMs} --request-log ${log}`]
  const first = await start({ args: args(100) })
  const settings = { steps: 4, width: 64, height: 64, stages: [{ as: 'img2img', denoisingStrength: 1 }] }
  await first.queue('example/portraits.txt', { prompts: [0], images: 8, seed: 1, settings })
  await waitFor(
    async () => {
      const [progress] = (await first.get<Queue>('/api/queue')).progress
      return progress?.imageIndex === 2 && progress.stage === 1 && seedBetweenStages(first) === 3
    },
    'image 3 in its second stage',
    { ms: 40_000, everyMs: 10 },
  )
  first.child.kill('SIGKILL')
  await first.ended
  await baseline.expectNothingLeft()
  const before = asked(log)
  expect(workOf(first)).toContain('1-2-0.png')
  expect(before.at(-1)?.what).toBe('img2img 3')

  const second = await start({ dataDir: first.dataDir, args: args(1) })
  const { images, total } = await waitForEmptyQueue(second)
  expect(total).toBe(8)
  expect(images.map(({ seed, stage }) => [seed, stage])).toEqual([8, 7, 6, 5, 4, 3, 2, 1].map((seed) => [seed, 1]))
  expect(new Set(images.map(({ path }) => path)).size).toBe(8)
  const all = asked(log)
  for (const { seed, createdAtMs } of images) {
    const saved = all.filter(({ what, atMs }) => what.endsWith(` ${seed}`) && atMs > createdAtMs)
    expect(saved, `image ${seed} was made again`).toEqual([])
    // What the first stage had made was there.
    expect(count(all, `txt2img ${seed}`), `first stage of image ${seed}`).toBe(1)
  }
  expect(count(all, 'img2img 3')).toBe(2)
  expect(all).toHaveLength(17)
  expect(workOf(second)).toEqual([])
  expect(await closeSidecar(second)).toMatchObject({ code: 0 })
})

test('a stage that the server lacks fails the job with the reason, and what came before is in the gallery', async () => {
  const sidecar = await start({ args: ['--draft-args', '--step-ms 1'] })
  const settings = {
    steps: 2,
    width: 64,
    height: 64,
    stages: [
      { as: 'upscale', upscaler: 'Lanczos', keepInput: true },
      { as: 'adetailer', passes: [{ model: 'face_yolov8n.pt' }] },
    ],
  }
  await sidecar.queue('example/portraits.txt', { prompts: [0], settings })
  await waitForEmptyQueue(sidecar)
  // What the last stage has made comes into the gallery once the job is over.
  const { images } = await waitFor(async () => {
    const page = await sidecar.get<ImagePage>('/api/images')
    return page.total > 0 && page
  }, 'the image of the second stage')
  expect(images).toMatchObject([{ stage: 1, intermediate: false, width: 128 }])
  const [job] = (await sidecar.get<Queue>('/api/queue')).ended
  expect(job).toMatchObject({ state: 'failed', problem: { message: expect.stringContaining('Stage 3 (adetailer) failed') } })
  expect(job?.problem?.message).toContain('This server has no ADetailer')
  const stages = await sidecar.get<{ stage: number }[]>(`/api/images/${images[0]!.id}/stages`)
  expect(stages.map(({ stage }) => stage)).toEqual([0, 1])
  expect(await closeSidecar(sidecar)).toMatchObject({ code: 0 })
})
