import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { infotext } from '../../../src-sidecar/backends/infotext.ts'
import { localDate } from '../../../src-sidecar/contract/file-name.ts'
import type { Image } from '../../../src-sidecar/contract/image.ts'
import { defaultPattern, flatPattern } from '../../../src-sidecar/contract/image-name.ts'
import type { Job } from '../../../src-sidecar/contract/job.ts'
import { History } from '../../../src-sidecar/history/history.ts'
import { ImageArchive } from '../../../src-sidecar/history/image-archive.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { JobManifests } from '../../../src-sidecar/history/job-manifests.ts'
import { settingsOfPicture } from '../../../src-sidecar/history/picture-settings.ts'
import { readPngText } from '../../../src-sidecar/history/png-text.ts'
import { Thumbnails } from '../../../src-sidecar/history/thumbnails.ts'
import { UnfinishedImages } from '../../../src-sidecar/history/unfinished-images.ts'
import { JobStore, type NewJob } from '../../../src-sidecar/jobs/job-store.ts'
import type { Database } from '../../../src-sidecar/store/database.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { made, newDatabase, newJob, recipe } from '../jobs/queue-fixture.ts'

let database: Database
let root: string
let jobs: JobStore
let history: History
let changed: Image[]

beforeEach(async () => {
  const fresh = await newDatabase()
  database = fresh.database
  root = join(fresh.folder, 'images')
  jobs = new JobStore(database)
  history = newHistory(true)
  changed = []
})

afterEach(() => void database.close())

const newHistory = (foldersByDay: boolean) =>
  new History({
    archive: new ImageArchive(root),
    store: new ImageStore(database),
    unfinished: new UnfinishedImages(database, join(root, '../work')),
    pattern: foldersByDay ? defaultPattern : flatPattern,
    onChanged: (image) => void changed.push(image),
  })
const addJob = (job: NewJob = newJob()): Job => jobs.get(jobs.add([job], 0)[0]!)!
const files = () =>
  existsSync(root)
    ? readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((one) =>
        one.isFile() ? [join(one.parentPath, one.name)] : [],
      )
    : []

async function save(job: Job, index = 0, commit = () => true, into = history, more = {}) {
  return await into.save(
    { job, imageIndex: index, stage: 0, made: { ...(await made(1000 + index)), ...more }, backend: 'scripted' },
    (work) => jobs.transaction(work),
    commit,
  )
}

describe('saving', () => {
  test('writes the file with its parameters, then the row', async () => {
    const job = addJob(newJob({ images: 2, prompt: 'a cat, on a mat' }, 4))
    const image = (await save(job, 1))!
    expect(image).toMatchObject({
      jobId: job.id,
      imageIndex: 1,
      packName: 'cats',
      fileName: '005-2-a-cat-on-a-mat-1001.png',
      seed: 1001,
      checkpoint: 'model',
      backend: 'scripted',
      durationMs: 5,
      parameters: 'a cat\nSteps: 20',
      recipe: job.recipe,
      sizeBytes: statSync(image.path).size,
    })
    expect(relative(root, image.path)).toBe(join(localDate(image.createdAtMs), 'cats', image.fileName))
    expect(readPngText(readFileSync(image.path), 'parameters')).toBe(image.parameters)
    expect(history.get(image.id)).toEqual(image)
  })

  test('writes parameters of its own where the server sent none', async () => {
    const job = addJob(newJob({ prompt: '猫', negativePrompt: 'blurry', scheduler: 'Karras' }))
    const image = (await save(job, 0, () => true, history, { parameters: '', width: 512, height: 768 }))!
    const expected =
      '猫\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 1000, Size: 512x768, Model: model, Version: StableNew'
    expect(image.parameters).toBe(expected)
    expect(readPngText(readFileSync(image.path), 'parameters')).toBe(expected)
  })

  test('can put all images into one folder', async () => {
    const image = (await save(addJob(newJob({}, 11)), 0, () => true, newHistory(false)))!
    expect(relative(root, image.path)).toBe('cats-012-1000.png')
  })

  test('keeps neither file nor row where the job is no longer ours', async () => {
    const job = addJob()
    expect(await save(job, 0, () => false)).toBeNull()
    expect(files()).toEqual([])
    expect(history.page(10)).toEqual({ images: [], total: 0, totalIsLeast: false, next: null })
  })

  test('keeps neither file nor count where the row cannot be written', async () => {
    const job = addJob(newJob({ images: 2 }))
    await save(job, 0)
    const fence = { jobId: job.id, runId: 'run', attempt: jobs.claim('run', { backendId: 'any', elsewhere: [] }, 0)!.attempt }
    await expect(save(job, 0, () => jobs.advance(fence, 0))).rejects.toThrow(/UNIQUE/)
    expect(files()).toHaveLength(1)
    expect(jobs.get(job.id)?.imagesDone).toBe(0)
  })

  test('says of a disk that takes nothing what it is, and writes no row', async () => {
    mkdirSync(join(root, '..'), { recursive: true })
    writeFileSync(root, 'in the way')
    await expect(save(addJob())).rejects.toMatchObject({ code: 'disk' })
    expect(history.page(10).total).toBe(0)
  })

  test('works with any pack name and prompt', async () => {
    for (const text of ['🐈'.repeat(60), 'con', '../../up', '猫'.repeat(80), '\u202e.. ', '"<>|']) {
      const job = addJob({ ...newJob({ prompt: text, images: 1000 }, 9998), packName: text })
      for (const into of [history, newHistory(false)]) {
        const image = (await save(job, into === history ? 998 : 999, () => true, into))!
        expect(relative(root, image.path).startsWith('..')).toBe(false)
        expect(existsSync(image.path)).toBe(true)
      }
    }
  })
})

describe('the file', () => {
  test.each([
    ['png', 'png', '.png'],
    ['jpeg', 'jpeg', '.jpg'],
    ['webp', 'webp', '.webp'],
  ] as const)('is a %s where the recipe says so, with its settings in it', async (fileFormat, format, extension) => {
    const job = addJob(newJob({ prompt: 'a 猫', fileFormat, fileQuality: 80 }))
    const image = (await save(job, 0, () => true, history, { parameters: '' }))!
    expect(image.fileName.endsWith(extension)).toBe(true)
    expect((await sharp(image.path).metadata()).format).toBe(format)
    expect(settingsOfPicture(readFileSync(image.path))).toMatchObject({ prompt: 'a 猫', seed: 1000, settings: { steps: 20 } })
    expect(image.sizeBytes).toBe(statSync(image.path).size)
  })

  test('of a lower quality is smaller', async () => {
    const noise = await sharp({
      create: { width: 64, height: 64, channels: 3, background: '#000', noise: { type: 'gaussian', mean: 128, sigma: 60 } },
    })
      .png()
      .toBuffer()
    const sizes = []
    for (const fileQuality of [20, 95])
      sizes.push(
        (await save(addJob(newJob({ fileFormat: 'jpeg', fileQuality })), 0, () => true, history, { png: noise }))!.sizeBytes,
      )
    expect(sizes[0]).toBeLessThan(sizes[1]!)
  })

  test('of a JPEG with a prompt that its EXIF can not hold is written without', async () => {
    const job = addJob(newJob({ prompt: 'cat '.repeat(20_000), fileFormat: 'jpeg' }))
    const image = (await save(job, 0, () => true, history, { parameters: '' }))!
    expect(image.parameters.length).toBeGreaterThan(80_000)
    expect(settingsOfPicture(readFileSync(image.path))).toBeNull()
  })

  test('has the name that the recipe says', async () => {
    const job = addJob(newJob({ filePattern: '[model]/[seed] of [pack]', images: 2 }))
    const image = (await save(job, 1))!
    expect(relative(root, image.path)).toBe(join('model', '1001-of-cats.png'))
  })
})

test('a job that is over has a manifest, written again after a retry, and at the next start where a crash came before', async () => {
  const folder = join(root, '../manifests')
  const manifests = new JobManifests(folder, (jobId) => history.ofJob(jobId))
  const job = addJob(newJob({ images: 2 }))
  await save(job, 0)
  await manifests.write({ ...job, state: 'failed', problem: { code: 'backend_rejected', message: 'no' }, endedAtMs: 1 })
  const read = () => JSON.parse(readFileSync(manifests.pathOf(job), 'utf8'))
  expect(read()).toMatchObject({
    state: 'failed',
    problem: { message: 'no' },
    images: [{ image: 1, seed: 1000, stage: 'txt2img' }],
  })
  const image = (await save(job, 1))!
  await manifests.writeMissing([job])
  expect(read().images).toHaveLength(1)
  rmSync(manifests.pathOf(job))
  await manifests.writeMissing([job])
  expect(read()).toMatchObject({ recipe: job.recipe, images: [{}, { file: image.path, parameters: image.parameters }] })
})

describe('the pages', () => {
  test('come newest first and end', async () => {
    const job = addJob(newJob({ images: 5 }))
    for (let at = 0; at < 5; at++) await save(job, at)
    const first = history.page(2)
    const second = history.page(2, first.next!)
    const third = history.page(2, second.next!)
    expect([first, second, third].map(({ images }) => images.map(({ imageIndex }) => imageIndex))).toEqual([[4, 3], [2, 1], [0]])
    expect([first.total, third.next]).toEqual([5, null])
    expect(history.page(5).next).toBeNull()
  })

  test('of what is not there is an error', () => {
    expect(() => history.get(1)).toThrowError(expect.objectContaining({ code: 'image_not_found' }))
  })
})

describe('a rating', () => {
  test('is kept, told and can be taken back', async () => {
    const image = (await save(addJob()))!
    expect(image).toMatchObject({ rating: null, ratedAtMs: null, tags: [] })
    const rated = history.rate(image.id, 4)
    expect(rated).toMatchObject({ rating: 4, ratedAtMs: expect.any(Number) })
    expect(history.rate(image.id, null)).toEqual(image)
    expect(changed).toEqual([rated, image])
  })

  test('other than 1 to 5 is refused by the database too', async () => {
    const image = (await save(addJob()))!
    for (const rating of [0, 6]) expect(() => history.rate(image.id, rating)).toThrow(/CHECK/)
    expect(history.get(image.id).rating).toBeNull()
  })

  test('of an image that is not there is an error', () => {
    expect(() => history.rate(7, 1)).toThrowError(expect.objectContaining({ code: 'image_not_found' }))
    expect(() => history.setTags(7, ['a'])).toThrowError(expect.objectContaining({ code: 'image_not_found' }))
  })
})

test('tags stand in the place of those before, each once, in the order of the alphabet', async () => {
  const image = (await save(addJob()))!
  expect(history.setTags(image.id, ['print', 'blue', 'print']).tags).toEqual(['blue', 'print'])
  expect(history.setTags(image.id, ['cover']).tags).toEqual(['cover'])
  expect(history.page(1).images[0]?.tags).toEqual(['cover'])
})

test('an infotext leaves out what there is not', () => {
  expect(infotext(recipe(), { seed: 1, width: 64, height: 64, checkpoint: '' })).toBe(
    'a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64, Version: StableNew',
  )
})

describe('a thumbnail', () => {
  test('is made once, small, and kept', async () => {
    const folder = tempDir('thumbnails')
    const thumbnails = new Thumbnails(folder)
    const png = await sharp({ create: { width: 1200, height: 600, channels: 3, background: '#36a' } })
      .png()
      .toBuffer()
    const image = (await save(addJob(), 0, () => true, history, { png }))!
    const paths = await Promise.all([thumbnails.pathOf(image), thumbnails.pathOf(image), thumbnails.pathOf(image)])
    expect(new Set(paths).size).toBe(1)
    expect(await sharp(paths[0]).metadata()).toMatchObject({ format: 'webp', width: 384, height: 192 })
    rmSync(image.path)
    expect(await thumbnails.pathOf(image)).toBe(paths[0])
    expect(readdirSync(folder)).toHaveLength(1)
  })

  test.skipIf(process.platform !== 'linux')('does not keep the file of the image open, whatever its format', async () => {
    const thumbnails = new Thumbnails(tempDir('thumbnails'))
    for (const fileFormat of ['png', 'jpeg', 'webp'] as const) {
      const image = (await save(addJob(newJob({ fileFormat }))))!
      await thumbnails.pathOf(image)
      const open = readdirSync('/proc/self/fd').map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`)
        } catch {
          return ''
        }
      })
      expect(open).not.toContain(image.path)
    }
  })

  test.each<[string, (path: string) => void]>([
    ['is gone', (path) => rmSync(path)],
    ['is no picture', (path) => writeFileSync(path, 'text')],
  ])('of an image that %s is an error and leaves nothing', async (_, spoil) => {
    const folder = tempDir('thumbnails')
    const image = (await save(addJob()))!
    spoil(image.path)
    await expect(new Thumbnails(folder).pathOf(image)).rejects.toMatchObject({ code: 'image_not_found' })
    expect(readdirSync(folder)).toEqual([])
  })
})
