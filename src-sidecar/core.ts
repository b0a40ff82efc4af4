import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { BackendPool } from './backends/backend-pool.ts'
import { makeBackend } from './compose-backend.ts'
import { freeAll } from './compose-backends.ts'
import { addLane } from './compose-lane.ts'
import type { Folders } from './config/folders.ts'
import type { AppEvent } from './contract/events.ts'
import type { Image } from './contract/image.ts'
import type { Job } from './contract/job.ts'
import type { BackendSettings, Settings } from './contract/settings.ts'
import { DroppedPictures } from './history/dropped-pictures.ts'
import { FolderExporter } from './history/folder-exporter.ts'
import { History } from './history/history.ts'
import { ImageArchive } from './history/image-archive.ts'
import { ImageStore } from './history/image-store.ts'
import { ImageImporter } from './history/import/image-importer.ts'
import { ImportStore } from './history/import/import-store.ts'
import { JobManifests } from './history/job-manifests.ts'
import { ImageFiles } from './history/missing/image-files.ts'
import { MissingFiles } from './history/missing/missing-files.ts'
import { picturesOfRecipes } from './history/picture-references.ts'
import { IndexCatchUp } from './history/search/index-catch-up.ts'
import { SavedSearches } from './history/search/saved-searches.ts'
import { Thumbnails } from './history/thumbnails.ts'
import { UnfinishedImages } from './history/unfinished-images.ts'
import { UnusedPictures } from './history/unused-pictures.ts'
import { BulkCancel } from './jobs/bulk-cancel.ts'
import { ImagesInHand } from './jobs/images-in-hand.ts'
import { isEnded, JobStore } from './jobs/job-store.ts'
import { Pace } from './jobs/pace.ts'
import { JobQueue } from './jobs/queue.ts'
import { QueueEdits } from './jobs/queue-edits.ts'
import { QueueProcessor } from './jobs/queue-processor.ts'
import { LearningStore } from './learning/learning-store.ts'
import type { Logger } from './logging/logger.ts'
import type { ContainmentLevel } from './processes/spawn-contained.ts'
import { Containment } from './processes/spawn-contained.ts'
import { DailyBackup } from './store/daily-backup.ts'
import { type Database, probeDatabase } from './store/database.ts'
import { LowSpace } from './store/low-space.ts'
import { openOrRestoreDatabase, restoredNotice } from './store/restore-database.ts'
import { Storage } from './store/storage.ts'
import { WriteDeadline } from './store/write-deadline.ts'

/** Jobs whose manifest, or unsaved image, is looked for at start-up: more than all backends can have at work. */
const lastEnded = 40

export interface CoreOptions {
  readonly folders: Folders
  readonly runId: string
  readonly logger: Logger
  readonly backends: readonly BackendSettings[]
  readonly publish: (event: AppEvent) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly containment: 'auto' | ContainmentLevel
  /** Further arguments of the draft engine, which make it as awkward as a real backend. */
  readonly draftArgs: readonly string[]
  /** For the names of image files, where a recipe has none. */
  readonly filePattern: string
  /** For a file about each job that is over. */
  readonly manifestsFolder: string
  /** Backends outlive the app. */
  readonly serverMode: boolean
  /** The last run did not end well: the whole database is looked through first. */
  readonly checkDatabase: boolean
  readonly notice: (message: string) => void
  /** For the report of the shutdown: worth knowing, but not unclean. */
  readonly remark: (text: string) => void
  /** When a backend of ours is restarted. */
  readonly recycling: () => Pick<Settings, 'recycleAboveMb' | 'recycleAfterJobs'>
  /** What a stop does to the running image, where its reason does not say. */
  readonly atExit: () => 'finish' | 'cancel'
}

/** What makes images: containment, backend, queue, runner, history. The app puts a window on it, the CLI a progress bar. */
export interface Core {
  readonly containment: Containment
  readonly backends: BackendPool
  readonly processor: QueueProcessor
  readonly storage: Storage
  readonly lowSpace: LowSpace
  /** What is made and could not be saved. */
  readonly inHand: ImagesInHand
  readonly queue: JobQueue
  readonly queueEdits: QueueEdits
  readonly history: History
  readonly learningStore: LearningStore
  readonly savedSearches: SavedSearches
  readonly indexCatchUp: IndexCatchUp
  readonly importer: ImageImporter
  readonly exporter: FolderExporter
  readonly pictures: DroppedPictures
  readonly thumbnails: Thumbnails
  readonly unusedPictures: UnusedPictures
  readonly missingFiles: MissingFiles
  readonly dailyBackup: DailyBackup
  /** Jobs that an older run left running, as they are now. */
  readonly recovered: readonly Job[]
  /** Jobs of which it had made what it could not save. */
  readonly unsaved: readonly Job[]
  /** In force at the next image; what a removed backend does goes back to the queue. */
  changeBackends(settings: readonly BackendSettings[]): Promise<void>
  closeDatabase(): void
}

/** Opens the database and builds everything on it; starts nothing. @throws AppError as `openDatabase`. */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { folders, runId, logger, publish } = options
  const path = join(folders.data, 'stablenew.db')
  const how = { check: options.checkDatabase, nowMs: Date.now() }
  const { database, restored } = await openOrRestoreDatabase(path, folders.backups, how)
  try {
    if (restored !== null) options.notice(restoredNotice(restored))
    return await compose(options, database)
  } catch (error) {
    database.close()
    throw error
  }

  async function compose(options: CoreOptions, database: Database): Promise<Core> {
    const jobs = new JobStore(database)
    const recovered = jobs.recover(runId, Date.now(), options.checkDatabase)
    const unsaved = jobs.pending(lastEnded, 0).filter(({ problem }) => problem?.code === 'disk')
    const bulk = new BulkCancel(database)
    bulk.recover(Date.now())
    const pace = new Pace(database)
    const randomSeed = () => randomInt(2 ** 32)
    const storage: Storage = new Storage({
      databasePath: path,
      probeDatabase: () => probeDatabase(database, Date.now()),
      deadline: new WriteDeadline(),
      logger,
      onTrouble: (trouble) => {
        if (trouble === null) inHand.forgetEnded((id) => isEnded(jobs.get(id)?.state ?? 'cancelled'))
        publish({ type: 'storage', storage: trouble })
      },
    })
    const inHand = new ImagesInHand((count) => storage.setInHand(count))
    const archive = new ImageArchive(folders.images, storage.within)
    const images = new ImageStore(database)
    const unfinished = new UnfinishedImages(database, join(folders.data, 'work'), storage.within)
    const leftovers = (await archive.removeLeftovers((path) => images.has(path))) + (await unfinished.removeLeftovers())
    if (recovered.length + leftovers > 0)
      logger.warn({ jobs: recovered.map(({ id }) => id), leftovers }, 'the last run did not end well')

    const containment = new Containment({
      dataDir: folders.data,
      runToken: runId,
      level: options.containment,
      env: options.env,
      serverMode: options.serverMode,
      logger,
    })
    const backends: BackendPool = new BackendPool(options.backends, (settings) =>
      makeBackend(settings, options, containment, () => publish({ type: 'backends', backends: [...backends.statuses] })),
    )
    const onChanged = (image: Image) => publish({ type: 'image-changed', image })
    const imports = new ImportStore(database)
    // What was made since the backup is read back from its files.
    if (restored !== null) imports.begin(folders.images, Date.now())
    const history = new History({ archive, store: images, unfinished, pattern: options.filePattern, onChanged })
    const onJob = (job: Job) => publish({ type: 'job', job })
    const transaction = <T>(work: () => T) => jobs.transaction(work)
    const keepUnfinished = async () => {
      try {
        const kept = await history.keepUnfinished(transaction, (id) => jobs.get(id))
        for (const image of kept) publish({ type: 'image', image })
      } catch (error) {
        logger.error({ err: error }, 'what a job had made between two stages could not be kept')
      }
    }
    await keepUnfinished()
    const manifests = new JobManifests(options.manifestsFolder, (jobId) => history.ofJob(jobId))
    const written = (work: Promise<void>) =>
      work.catch((error) => logger.error({ err: error }, 'the manifest of a job could not be written'))
    await written(manifests.writeMissing(jobs.ended(lastEnded)))
    const onOver = async (job: Job) => {
      await keepUnfinished()
      await written(manifests.write(job))
    }
    const processor = new QueueProcessor({ runId, store: jobs, storage, logger, onJob, onOver, atExit: options.atExit })
    const lanes = { ...options, jobs, history, processor, pace, storage, inHand }
    for (const backend of backends.all) addLane(lanes, backend)
    const queue = new JobQueue({
      store: jobs,
      processor,
      storage,
      onJob,
      onQueue: () => publish({ type: 'queue' }),
      onAsked: () => backends.tryAgain(),
      bulk,
      pace,
      freeMemory: () => freeAll(backends),
      randomSeed,
    })
    const queueEdits = new QueueEdits({
      database,
      store: jobs,
      onQueue: () => publish({ type: 'queue' }),
      wake: () => processor.wake(),
      randomSeed,
    })
    const change = async (settings: readonly BackendSettings[]) => {
      const { added, changed, removed } = backends.change(settings)
      for (const backend of removed) {
        await processor.removeLane(backend.status.id)
        await backends.drop(backend)
      }
      // A start that is waited for may be the very thing that was corrected.
      const idle = changed.filter((backend) => !processor.isAtWork(backend.status.id))
      await Promise.all(idle.map((backend) => backend.apply()))
      for (const backend of added) {
        await backend.start(new AbortController().signal)
        addLane(lanes, backend)
      }
      publish({ type: 'backends', backends: [...backends.statuses] })
      processor.wake()
    }
    const thumbnails = new Thumbnails(join(folders.cache, 'thumbnails'))
    const pictures = new DroppedPictures(join(folders.data, 'pictures'))
    let changing = Promise.resolve()
    return {
      containment,
      backends,
      processor,
      storage,
      lowSpace: new LowSpace({ folders: [folders.images, folders.data], notice: options.notice }),
      inHand,
      queue,
      queueEdits,
      history,
      learningStore: new LearningStore(database),
      savedSearches: new SavedSearches(database),
      indexCatchUp: new IndexCatchUp(images, logger, (error) => void storage.report(error)),
      recovered,
      unsaved,
      changeBackends(settings) {
        changing = changing.catch(() => {}).then(() => change(settings))
        return changing
      },
      importer: new ImageImporter({
        images,
        imports,
        logger,
        onProgress: (state) => publish({ type: 'import', import: state }),
      }),
      pictures,
      thumbnails,
      unusedPictures: new UnusedPictures({ pictures, used: () => picturesOfRecipes(database), logger }),
      exporter: new FolderExporter({ history, logger, onProgress: (state) => publish({ type: 'export', export: state }) }),
      missingFiles: new MissingFiles({
        files: new ImageFiles(database, images),
        logger,
        publish,
        forgetThumbnails: (images) => thumbnails.forget(images),
      }),
      dailyBackup: new DailyBackup({
        database,
        path,
        folder: folders.backups,
        logger,
        notice: options.notice,
        isDamaged: () => storage.trouble?.kind === 'damaged',
      }),
      closeDatabase: () => database.close(),
    }
  }
}
