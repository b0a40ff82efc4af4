import type { Backend } from './backends/backend.ts'
import { BackendRecycling } from './backends/backend-recycling.ts'
import type { CoreOptions } from './core.ts'
import type { History } from './history/history.ts'
import type { ImagesInHand } from './jobs/images-in-hand.ts'
import { JobRunner } from './jobs/job-runner.ts'
import type { JobStore } from './jobs/job-store.ts'
import type { Pace } from './jobs/pace.ts'
import type { QueueProcessor } from './jobs/queue-processor.ts'
import type { Storage } from './store/storage.ts'

export interface LaneSurroundings extends CoreOptions {
  readonly jobs: JobStore
  readonly history: History
  readonly processor: QueueProcessor
  readonly pace: Pace
  readonly storage: Storage
  readonly inHand: ImagesInHand
}

/** What takes jobs to this backend and saves what comes of them. */
export function addLane(
  { jobs, history, processor, pace, storage, inHand, publish, logger, recycling, notice }: LaneSurroundings,
  backend: Backend,
): void {
  const recycler = new BackendRecycling({
    backend,
    limits: recycling,
    notice,
    onRecycled: (recycled) => {
      logger.info({ recycled }, 'the backend was restarted')
      publish({ type: 'recycled', recycled })
    },
  })
  const transaction = <T>(work: () => T) => jobs.transaction(work)
  const runner = new JobRunner({
    backend,
    store: jobs,
    storage,
    inHand,
    saveImage: (job, at, made, by, commit) =>
      history.save({ job, ...at, made, backend: by.name }, transaction, () => {
        if (!commit()) return false
        pace.learn(by.id, job.recipe, made.durationMs)
        return true
      }),
    saveStage: (job, at, made, by, commit) => history.saveStage({ job, ...at, made, backend: by.name }, transaction, commit),
    saveUnrecorded: (job, at, made, by) => history.saveUnrecorded({ job, ...at, made, backend: by.name }),
    lastStage: (job, imageIndex) => history.lastStage(job.id, imageIndex),
    onProgress: (progress) => publish({ type: 'progress', progress }),
    onImage: (image) => {
      publish({ type: 'image', image })
      recycler.look()
    },
  })
  const betweenJobs = (stopping: AbortSignal) => recycler.recycle(stopping)
  processor.addLane({ backend, runner, jobEnds: () => recycler.jobEnds(), betweenJobs })
}
