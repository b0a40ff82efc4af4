import type { Backend, GeneratedImage } from '../backends/backend.ts'
import type { Image } from '../contract/image.ts'
import type { Job, JobProgress, Problem } from '../contract/job.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Fence, JobStore } from './job-store.ts'

/** How a run of a job ended, as data; the queue processor writes it down. */
export type JobOutcome =
  | { readonly how: 'completed' }
  | { readonly how: 'interrupted' }
  | { readonly how: 'failed'; readonly problem: Problem }
  /** The backend is not there: the job goes back to the queue, which waits. */
  | { readonly how: 'unavailable'; readonly problem: Problem; readonly crashed: boolean }
  /** The disk does not take it: the job goes back to the queue, which waits. */
  | { readonly how: 'unsaved'; readonly problem: Problem }
  /** Another run has taken the job over. */
  | { readonly how: 'lost' }

export interface JobRunnerOptions {
  readonly backend: Backend
  readonly store: JobStore
  /** Writes the image and its row; `commit` is part of the row's transaction. Null where `commit` said no. */
  readonly saveImage: (job: Job, imageIndex: number, made: GeneratedImage, commit: () => boolean) => Promise<Image | null>
  readonly onProgress: (progress: JobProgress) => void
  readonly onImage: (image: Image) => void
}

export interface Preview {
  readonly version: number
  readonly bytes: Uint8Array
}

/** Runs one claimed job, image after image, from the first that is missing. */
export class JobRunner {
  readonly #options: JobRunnerOptions
  #progress: JobProgress | undefined
  #preview: Preview | undefined

  constructor(options: JobRunnerOptions) {
    this.#options = options
  }

  /** Of the job that is running now. */
  get progress(): JobProgress | undefined {
    return this.#progress
  }

  /** Whether the running job's backend is only being started: no image is being made yet. */
  get waitsForStart(): boolean {
    return this.#progress !== undefined && this.#options.backend.status.state === 'starting'
  }

  get preview(): Preview | undefined {
    return this.#preview
  }

  /**
   * Never throws. When `signal` aborts, the backend is interrupted, and finished images stay.
   * @param stopping lets the image that is being made finish, and none begin.
   */
  async run(job: Job, fence: Fence, signal: AbortSignal, stopping: AbortSignal): Promise<JobOutcome> {
    try {
      for (let imageIndex = job.imagesDone; imageIndex < job.recipe.images; imageIndex++) {
        if (stopping.aborted) return { how: 'interrupted' }
        const outcome = await this.#makeImage(job, fence, imageIndex, signal)
        if (outcome !== null) return outcome
      }
      return { how: 'completed' }
    } catch (thrown) {
      const error = asError(thrown)
      if (isOfDisk(error)) return { how: 'unsaved', problem: { code: 'disk', message: error.message } }
      return { how: 'failed', problem: { code: 'internal', message: error.message } }
    } finally {
      this.#progress = undefined
      this.#preview = undefined
    }
  }

  /** @returns null when the image is saved and the next may come. */
  async #makeImage(job: Job, fence: Fence, imageIndex: number, signal: AbortSignal): Promise<JobOutcome | null> {
    const { backend, store, saveImage, onImage } = this.#options
    if (signal.aborted) return { how: 'interrupted' }
    const began = performance.now()
    this.#report({
      jobId: job.id,
      imageIndex,
      step: 0,
      steps: job.recipe.steps,
      fraction: 0,
      elapsedMs: 0,
      remainingMs: null,
      previewVersion: 0,
    })
    const seed = (job.recipe.seed + imageIndex) % 2 ** 32
    const result = await backend.generate(
      { recipe: job.recipe, seed },
      ({ preview, ...progress }) => {
        if (preview !== null) this.#preview = { version: (this.#preview?.version ?? 0) + 1, bytes: preview }
        const elapsedMs = Math.round(performance.now() - began)
        this.#report({ jobId: job.id, imageIndex, elapsedMs, previewVersion: this.#preview?.version ?? 0, ...progress })
      },
      signal,
    )
    if (result.outcome === 'interrupted') return { how: 'interrupted' }
    if (result.outcome === 'rejected') return { how: 'failed', problem: result.problem }
    if (result.outcome === 'unavailable') return { how: 'unavailable', problem: result.problem, crashed: result.crashed }
    const image = await saveImage(job, imageIndex, result.image, () => store.advance(fence, imageIndex))
    if (image === null) return { how: 'lost' }
    onImage(image)
    return null
  }

  #report(progress: JobProgress): void {
    this.#progress = progress
    this.#options.onProgress(progress)
  }
}

/** The image's file or its row could not be written: not the job's fault. */
function isOfDisk(error: Error): boolean {
  if (error instanceof AppError) return error.code === 'disk'
  return /^SQLITE_(FULL|IOERR|READONLY)/.test((error as { code?: string }).code ?? '')
}
