import type { Backend, GeneratedImage } from '../backends/backend.ts'
import type { Image } from '../contract/image.ts'
import type { Job, JobProgress, Problem } from '../contract/job.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Fence, JobStore } from './job-store.ts'

/** How a run of a job ended, as data; the lane writes it down. */
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

export interface JobRun {
  /** True once the backend has made all images and is free, though the last may not be saved; false where it comes to no such end. */
  readonly made: Promise<boolean>
  /** When everything is saved. */
  readonly ended: Promise<JobOutcome>
}

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

/** Runs claimed jobs on one backend, image after image, from the first that is missing. One is saved while the next is made. */
export class JobRunner {
  readonly #options: JobRunnerOptions
  #progress: JobProgress | undefined
  #preview: Preview | undefined
  /** The save that was begun last, perhaps by the job before. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: JobRunnerOptions) {
    this.#options = options
  }

  /** Of the image that is being made now. */
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
  run(job: Job, fence: Fence, signal: AbortSignal, stopping: AbortSignal): JobRun {
    const made = Promise.withResolvers<boolean>()
    const ended = this.#run(job, fence, signal, stopping, () => made.resolve(true))
      .catch((thrown) => outcomeOf(thrown))
      .finally(() => made.resolve(false))
    return { made: made.promise, ended }
  }

  async #run(job: Job, fence: Fence, signal: AbortSignal, stopping: AbortSignal, allMade: () => void): Promise<JobOutcome> {
    const inVain = new AbortController()
    const earlier = this.#tail
    let saving: Promise<JobOutcome | null> = Promise.resolve(null)
    try {
      for (let imageIndex = job.imagesDone; imageIndex < job.recipe.images; imageIndex++) {
        if (stopping.aborted) return (await saving) ?? { how: 'interrupted' }
        const result = await this.#makeImage(job, imageIndex, AbortSignal.any([signal, inVain.signal]))
        // One image is being saved at most, so that a crash costs two: that one and the one that is being made.
        await earlier
        const before = await saving
        if (before !== null) return before
        if ('how' in result) return result
        saving = this.#save(job, fence, imageIndex, result.image)
        this.#tail = saving
        void saving.then((problem) => problem && inVain.abort())
      }
    } finally {
      this.#forget(job)
    }
    allMade()
    return (await saving) ?? { how: 'completed' }
  }

  async #makeImage(
    job: Job,
    imageIndex: number,
    signal: AbortSignal,
  ): Promise<JobOutcome | { readonly image: () => Promise<GeneratedImage> }> {
    const { backend } = this.#options
    if (signal.aborted) return { how: 'interrupted' }
    const began = performance.now()
    const about = { jobId: job.id, backendId: backend.status.id, imageIndex }
    const { steps } = job.recipe
    this.#preview = undefined
    this.#report({ ...about, step: 0, steps, fraction: 0, elapsedMs: 0, remainingMs: null, previewVersion: 0 })
    const seed = (job.recipe.seed + imageIndex) % 2 ** 32
    const result = await backend.generate(
      { recipe: job.recipe, seed },
      ({ preview, ...progress }) => {
        if (preview !== null) this.#preview = { version: (this.#preview?.version ?? 0) + 1, bytes: preview }
        const elapsedMs = Math.round(performance.now() - began)
        this.#report({ ...about, elapsedMs, previewVersion: this.#preview?.version ?? 0, ...progress })
      },
      signal,
    )
    if (result.outcome === 'interrupted') return { how: 'interrupted' }
    if (result.outcome === 'rejected') return { how: 'failed', problem: result.problem }
    if (result.outcome === 'unavailable') return { how: 'unavailable', problem: result.problem, crashed: result.crashed }
    return result
  }

  /** @returns null when it is saved. Never rejects. */
  async #save(job: Job, fence: Fence, imageIndex: number, image: () => Promise<GeneratedImage>): Promise<JobOutcome | null> {
    const { store, saveImage, onImage } = this.#options
    try {
      // The next request goes out first.
      await new Promise((resolve) => setImmediate(resolve))
      const saved = await saveImage(job, imageIndex, await image(), () => store.advance(fence, imageIndex))
      if (saved === null) return { how: 'lost' }
      onImage(saved)
      return null
    } catch (thrown) {
      return outcomeOf(thrown)
    }
  }

  /** The next job may have begun. */
  #forget(job: Job): void {
    if (this.#progress?.jobId !== job.id) return
    this.#progress = undefined
    this.#preview = undefined
  }

  #report(progress: JobProgress): void {
    this.#progress = progress
    this.#options.onProgress(progress)
  }
}

function outcomeOf(thrown: unknown): JobOutcome {
  const error = asError(thrown)
  if (isOfDisk(error)) return { how: 'unsaved', problem: { code: 'disk', message: error.message } }
  const code = error instanceof AppError ? error.code : 'internal'
  return { how: 'failed', problem: { code, message: error.message } }
}

/** The image's file or its row could not be written: not the job's fault. */
function isOfDisk(error: Error): boolean {
  if (error instanceof AppError) return error.code === 'disk'
  return /^SQLITE_(FULL|IOERR|READONLY)/.test((error as { code?: string }).code ?? '')
}
