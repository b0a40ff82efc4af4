import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Experiment, ExperimentRequest, Review } from '../../../src-sidecar/contract/learning.ts'
import { experimentRequestSchema } from '../../../src-sidecar/contract/learning.ts'
import { defaultSettings } from '../../../src-sidecar/contract/settings.ts'
import { ImageStore } from '../../../src-sidecar/history/image-store.ts'
import { BulkCancel } from '../../../src-sidecar/jobs/bulk-cancel.ts'
import { JobStore } from '../../../src-sidecar/jobs/job-store.ts'
import { Pace } from '../../../src-sidecar/jobs/pace.ts'
import { JobQueue } from '../../../src-sidecar/jobs/queue.ts'
import { QueueProcessor } from '../../../src-sidecar/jobs/queue-processor.ts'
import { Learning } from '../../../src-sidecar/learning/learning.ts'
import { LearningStore } from '../../../src-sidecar/learning/learning-store.ts'
import { PackLibrary } from '../../../src-sidecar/packs/pack-library.ts'
import { type Database, openDatabase } from '../../../src-sidecar/store/database.ts'
import { newDatabase, newStorage, silent } from '../jobs/queue-fixture.ts'

export const noPause = async (): Promise<void> => {}

/** Learning on a real database and a real queue, which nothing works on: images are put there by hand. */
export async function newLearning(opened?: { database: Database; folder: string; path: string }) {
  const { database, folder, path } = opened ?? (await newDatabase())
  const packsFolder = join(folder, 'packs')
  mkdirSync(packsFolder, { recursive: true })
  writeFileSync(join(packsFolder, 'owls.txt'), 'an owl\nneg: a cat\n\na {red|blue} hat\n')
  const jobs = new JobStore(database)
  const images = new ImageStore(database)
  const storage = newStorage(database)
  const processor = new QueueProcessor({
    runId: 'run',
    store: jobs,
    storage,
    logger: silent,
    onJob: () => {},
    onOver: async () => {},
    atExit: () => 'finish',
  })
  const queue = new JobQueue({
    store: jobs,
    processor,
    storage,
    onJob: () => {},
    onQueue: () => {},
    onAsked: () => {},
    bulk: new BulkCancel(database),
    pace: new Pace(database),
    freeMemory: async () => [],
    randomSeed: () => 1,
  })
  const packs = new PackLibrary(join(folder, 'none'), packsFolder, () => {})
  const learning = new Learning({ store: new LearningStore(database), queue, packs, exportFolder: join(folder, 'exports') })

  const create = (request: ExperimentRequest): Promise<Experiment> =>
    learning.experiments.create(experimentRequestSchema.parse(request), defaultSettings.recipe, noPause)

  /** The next `count` images of the queue's pending jobs, or all. @param model as the backend names it */
  const makeImages = (count = Number.POSITIVE_INFINITY, model = 'dream'): number[] => {
    const made: number[] = []
    for (const { id, recipe } of jobs.pending(10_000, 0))
      for (let imageIndex = 0; imageIndex < recipe.images && made.length < count; imageIndex++) {
        const checkpoint = recipe.checkpoint ?? model
        const about = {
          width: 64,
          height: 64,
          sizeBytes: 1,
          backend: 'b',
          durationMs: 1,
          parameters: '',
          createdAtMs: 1,
          stage: 0,
          intermediate: false,
        }
        const file = `/images/${id}-${imageIndex}.png`
        try {
          made.push(images.add({ ...about, jobId: id, imageIndex, path: file, seed: recipe.seed + imageIndex, checkpoint }).id)
        } catch {
          // It is there already.
        }
      }
    return made
  }

  /** Judges all that is ready as `taste` has it, which is given the paths of the pictures. */
  const reviewAll = (id: number, taste: (paths: string[]) => 1 | 2 | 3 | 4 | 5 | 'left' | 'right' | 'equal'): Review => {
    for (;;) {
      const review = learning.experiments.review(id)
      const [item] = review.items
      if (item === undefined) return review
      const paths = item.pictures.map((key) => learning.experiments.picture(id, key))
      learning.experiments.answer(id, { place: item.place, answer: taste(paths) })
    }
  }
  const reopen = async () => {
    database.close()
    return await newLearning({ database: await openDatabase(path, join(folder, 'backups')), folder, path })
  }
  return { learning, jobs, images, queue, database, create, makeImages, reviewAll, reopen }
}
