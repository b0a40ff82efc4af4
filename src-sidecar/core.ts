import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import { BackendRecycling } from './backends/backend-recycling.ts'
import { BackendSwitch } from './backends/backend-switch.ts'
import { ComfyuiClient } from './backends/comfyui/comfyui-client.ts'
import { DraftBackend } from './backends/draft-backend.ts'
import { ManagedBackend } from './backends/managed-backend.ts'
import { SdapiClient } from './backends/sdapi/sdapi-client.ts'
import { ServerBackend } from './backends/server-backend.ts'
import type { Folders } from './config/folders.ts'
import type { AppEvent } from './contract/events.ts'
import type { Job } from './contract/job.ts'
import type { BackendSettings, Settings } from './contract/settings.ts'
import { History } from './history/history.ts'
import { ImageArchive } from './history/image-archive.ts'
import { ImageStore } from './history/image-store.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { JobStore } from './jobs/job-store.ts'
import { JobQueue } from './jobs/queue.ts'
import { QueueProcessor } from './jobs/queue-processor.ts'
import type { Logger } from './logging/logger.ts'
import type { ContainmentLevel } from './processes/spawn-contained.ts'
import { Containment } from './processes/spawn-contained.ts'
import { type Database, openDatabase } from './store/database.ts'

export interface CoreOptions {
  readonly folders: Folders
  readonly runId: string
  readonly logger: Logger
  readonly backend: BackendSettings
  readonly publish: (event: AppEvent) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly containment: 'auto' | ContainmentLevel
  /** Further arguments of the draft engine, which make it as awkward as a real backend. */
  readonly draftArgs: readonly string[]
  readonly foldersByDay: boolean
  /** Backends outlive the app. */
  readonly serverMode: boolean
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
  readonly backend: BackendSwitch
  readonly processor: QueueProcessor
  readonly runner: JobRunner
  readonly queue: JobQueue
  readonly history: History
  /** Jobs that an older run left running, as they are now. */
  readonly recovered: readonly Job[]
  /** In force at the next image. */
  changeBackend(settings: BackendSettings): Promise<void>
  closeDatabase(): void
}

/** Opens the database and builds everything on it; starts nothing. @throws AppError as `openDatabase`. */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { folders, runId, logger, publish } = options
  const database = await openDatabase(join(folders.data, 'stablenew.db'), folders.backups)
  try {
    return await compose(options, database)
  } catch (error) {
    database.close()
    throw error
  }

  async function compose(options: CoreOptions, database: Database): Promise<Core> {
    const jobs = new JobStore(database)
    const recovered = jobs.recover(runId, Date.now())
    const archive = new ImageArchive(folders.images)
    const images = new ImageStore(database)
    const leftovers = await archive.removeLeftovers((path) => images.has(path))
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
    const backend = new BackendSwitch(options.backend, (settings) => makeBackend(settings, options, containment))
    const history = new History({ archive, store: images, foldersByDay: options.foldersByDay })
    const onJob = (job: Job) => publish({ type: 'job', job })
    const runner = new JobRunner({
      backend,
      store: jobs,
      saveImage: (job, index, made, commit) =>
        history.save(job, index, made, backend.status.name, (work) => jobs.transaction(work), commit),
      onProgress: (progress) => publish({ type: 'progress', progress }),
      onImage: (image) => publish({ type: 'image', image }),
    })
    const recycling = new BackendRecycling({
      backend,
      limits: options.recycling,
      notice: options.notice,
      onRecycled: (recycled) => {
        logger.info({ recycled }, 'the backend was restarted')
        publish({ type: 'recycled', recycled })
      },
    })
    const betweenJobs = (stopping: AbortSignal) => recycling.afterJob(stopping)
    const processor = new QueueProcessor({ runId, store: jobs, runner, logger, onJob, betweenJobs, atExit: options.atExit })
    const queue = new JobQueue({
      store: jobs,
      processor,
      runner,
      onJob,
      onQueue: () => publish({ type: 'queue' }),
      onAsked: () => backend.tryAgain(),
      imageDurationMs: () => history.recentDurationMs(),
      randomSeed: () => randomInt(2 ** 32),
    })
    const changeBackend = async (settings: BackendSettings) => {
      backend.use(settings)
      // A start that is waited for may be the very thing that was corrected.
      if (runner.progress === undefined || runner.waitsForStart) await backend.apply()
      processor.wake()
    }
    return {
      containment,
      backend,
      processor,
      runner,
      queue,
      history,
      recovered,
      changeBackend,
      closeDatabase: () => database.close(),
    }
  }
}

function makeBackend(settings: BackendSettings, options: CoreOptions, containment: Containment): Backend {
  const onStatus = (backend: Backend['status']) => options.publish({ type: 'backend', backend })
  if (settings.kind !== 'draft') {
    const client = settings.kind === 'sdapi' ? new SdapiClient(settings) : new ComfyuiClient(settings)
    const what = settings.kind === 'sdapi' ? 'WebUI' : 'ComfyUI'
    const { kind, url, managed } = settings
    if (managed === null) return new ServerBackend(settings, what, client, onStatus)
    const logFile = join(options.folders.log, `${what.toLowerCase()}.log`)
    return new ManagedBackend({ kind, url, what, client, managed, containment, logFile, onStatus, remark: options.remark })
  }
  const args = ['--step-ms', String(settings.stepMs), ...options.draftArgs]
  const logFile = join(options.folders.log, 'draft-engine.log')
  return new DraftBackend({
    containment,
    args,
    logFile,
    onStatus,
    persistent: options.serverMode,
    notice: options.notice,
    remark: options.remark,
  })
}
