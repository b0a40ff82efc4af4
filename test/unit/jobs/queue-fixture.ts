import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import sharp from 'sharp'
import type { Backend, GeneratedImage } from '../../../src-sidecar/backends/backend.ts'
import { flatPattern } from '../../../src-sidecar/contract/image-name.ts'
import type { JobProgress } from '../../../src-sidecar/contract/job.ts'
import type { Recipe } from '../../../src-sidecar/contract/recipe.ts'
import { History } from '../../../src-sidecar/history/history.ts'
import { ImageArchive } from '../../../src-sidecar/history/image-archive.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { UnfinishedImages } from '../../../src-sidecar/history/unfinished-images.ts'
import { ImagesInHand } from '../../../src-sidecar/jobs/images-in-hand.ts'
import { JobRunner } from '../../../src-sidecar/jobs/job-runner.ts'
import { JobStore, type NewJob } from '../../../src-sidecar/jobs/job-store.ts'
import { type Database, openDatabase, probeDatabase } from '../../../src-sidecar/store/database.ts'
import { Storage, type StorageOptions } from '../../../src-sidecar/store/storage.ts'
import { WriteDeadline } from '../../../src-sidecar/store/write-deadline.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

export const silent = pino({ level: 'silent' })

export const recipe = (more: Partial<Recipe> = {}): Recipe => ({
  version: 1,
  prompt: 'a cat',
  negativePrompt: '',
  samplerName: 'Euler a',
  scheduler: 'Automatic',
  steps: 20,
  cfgScale: 7,
  seed: 1000,
  width: 64,
  height: 64,
  images: 1,
  ...more,
})

export const newJob = (more: Partial<Recipe> = {}, promptIndex = 0): NewJob => ({
  packId: 'user/cats.txt',
  packName: 'cats',
  promptIndex,
  recipe: recipe(more),
  pinnedTo: null,
})

export async function newDatabase(): Promise<{ database: Database; folder: string; path: string }> {
  const folder = tempDir('queue')
  mkdirSync(join(folder, 'backups'))
  const path = join(folder, 'stablenew.db')
  return { database: await openDatabase(path, join(folder, 'backups')), folder, path }
}

export const newStorage = (database: Database, more: Partial<StorageOptions> = {}): Storage =>
  new Storage({
    databasePath: database.name,
    probeDatabase: () => probeDatabase(database, 0),
    deadline: new WriteDeadline(),
    logger: silent,
    onTrouble: () => {},
    // Tests look by themselves.
    probeEveryMs: 3_600_000,
    ...more,
  })

/** A history below `folder`, a runner that saves into it, and what is done when a job is over. */
export function newRunner(
  database: Database,
  folder: string,
  backend: Backend,
  onProgress: (one: JobProgress) => void,
  storage = newStorage(database),
) {
  const store = new JobStore(database)
  const unfinished = new UnfinishedImages(database, join(folder, 'work'), storage.within)
  const archive = new ImageArchive(join(folder, 'images'), storage.within)
  const history = new History({ archive, store: new ImageStore(database), unfinished, pattern: flatPattern })
  const transaction = <T>(work: () => T) => store.transaction(work)
  const inHand = new ImagesInHand((images) => storage.setInHand(images))
  const runner = new JobRunner({
    backend,
    store,
    storage,
    inHand,
    saveImage: (job, at, made, by, commit) => history.save({ job, ...at, made, backend: by.name }, transaction, commit),
    saveStage: (job, at, made, by, commit) => history.saveStage({ job, ...at, made, backend: by.name }, transaction, commit),
    saveUnrecorded: (job, at, made, by) => history.saveUnrecorded({ job, ...at, made, backend: by.name }),
    lastStage: (job, imageIndex) => history.lastStage(job.id, imageIndex),
    onProgress,
    onImage: () => {},
  })
  const onOver = async () => void (await history.keepUnfinished(transaction, (id) => store.get(id)))
  return { history, unfinished, runner, onOver, storage, inHand }
}

let png: Promise<Buffer> | undefined
export const smallPng = (): Promise<Buffer> =>
  (png ??= sharp({ create: { width: 8, height: 8, channels: 3, background: '#3a6' } })
    .png()
    .toBuffer())

export const made = async (seed = 1000): Promise<GeneratedImage> => ({
  png: await smallPng(),
  width: 8,
  height: 8,
  seed,
  checkpoint: 'model',
  parameters: 'a cat\nSteps: 20',
  durationMs: 5,
})
