import type { Backend, GeneratedImage } from '../backends/backend.ts'
import { withUpscale } from '../backends/infotext.ts'
import type { Image } from '../contract/image.ts'
import type { Job, JobProgress, Problem } from '../contract/job.ts'
import { stageNames, stageRecipe } from '../contract/stages.ts'
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
  readonly saveImage: (job: Job, at: StageAt, made: GeneratedImage, commit: () => boolean) => Promise<Image | null>
  /** The same with what a stage before the last has made. */
  readonly saveStage: (job: Job, at: StageAt, made: GeneratedImage, commit: () => boolean) => Promise<boolean>
  /** The last stage of this image that an interrupted run has saved; null where it begins. */
  readonly lastStage: (job: Job, imageIndex: number) => Promise<MadeStage | null>
  readonly onProgress: (progress: JobProgress) => void
  readonly onImage: (image: Image) => void
}

/** A place in a job: image after image, and of each image stage after stage; both from 0. */
export interface StageAt {
  readonly imageIndex: number
  readonly stage: number
}

export interface MadeStage {
  readonly stage: number
  readonly made: GeneratedImage
}

export interface Preview {
  readonly version: number
  readonly bytes: Uint8Array
}

/**
 * Runs claimed jobs on one backend, image after image and stage after stage, from the first that is missing. One is saved while the
 * next is made.
 */
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
    const last = stageNames(job.recipe).length - 1
    let saving: Promise<JobOutcome | null> = Promise.resolve(null)
    const save = (work: () => Promise<JobOutcome | null>): void => {
      saving = this.#save(work)
      this.#tail = saving
      void saving.then((problem) => problem && inVain.abort())
    }
    try {
      for (let imageIndex = job.imagesDone; imageIndex < job.recipe.images; imageIndex++) {
        const isFirst = imageIndex === job.imagesDone
        let before = isFirst && last > 0 ? await this.#options.lastStage(job, imageIndex) : null
        // The job may have had more stages then.
        if (before && before.stage >= last) before = null
        for (let stage = before ? before.stage + 1 : 0; stage <= last; stage++) {
          if (stopping.aborted) return (await saving) ?? { how: 'interrupted' }
          const at = { imageIndex, stage }
          const result = await this.#make(job, at, before, AbortSignal.any([signal, inVain.signal]))
          // One image is being saved at most, so that a crash costs two: that one and the one that is being made.
          await earlier
          const problem = await saving
          if (problem !== null) return problem
          if ('how' in result) return result
          const made = joined(job, at, before, result.image)
          if (stage === last) save(() => this.#saveImage(job, fence, at, made))
          else {
            const stageMade = await made()
            before = { stage, made: stageMade }
            save(() => this.#saveStage(job, fence, at, stageMade))
          }
        }
      }
    } finally {
      this.#forget(job)
    }
    allMade()
    return (await saving) ?? { how: 'completed' }
  }

  async #make(
    job: Job,
    { imageIndex, stage }: StageAt,
    before: MadeStage | null,
    signal: AbortSignal,
  ): Promise<JobOutcome | { readonly image: () => Promise<GeneratedImage> }> {
    const { backend } = this.#options
    if (signal.aborted) return { how: 'interrupted' }
    const began = performance.now()
    const stages = stageNames(job.recipe)
    const recipe = before ? stageRecipe(job.recipe, stage, before.made) : job.recipe
    const about = { jobId: job.id, backendId: backend.status.id, imageIndex, stage, stages }
    const soFar = stage / stages.length
    this.#preview = undefined
    const { steps } = recipe
    this.#report({ ...about, step: 0, steps, fraction: soFar, elapsedMs: 0, remainingMs: null, previewVersion: 0 })
    const seed = (job.recipe.seed + imageIndex) % 2 ** 32
    const result = await backend.generate(
      { recipe, seed, picture: before?.made.png },
      ({ preview, fraction, remainingMs, ...progress }) => {
        if (preview !== null) this.#preview = { version: (this.#preview?.version ?? 0) + 1, bytes: preview }
        const elapsedMs = Math.round(performance.now() - began)
        this.#report({
          ...about,
          elapsedMs,
          previewVersion: this.#preview?.version ?? 0,
          ...progress,
          fraction: soFar + fraction / stages.length,
          // Nobody knows how long the stages after it take.
          remainingMs: stage === stages.length - 1 ? remainingMs : null,
        })
      },
      signal,
    )
    if (result.outcome === 'interrupted') return { how: 'interrupted' }
    if (result.outcome === 'rejected') return { how: 'failed', problem: ofStage(result.problem, stages, stage) }
    if (result.outcome === 'unavailable') return { how: 'unavailable', problem: result.problem, crashed: result.crashed }
    return result
  }

  /** @returns null when it is saved. Never rejects. */
  async #save(work: () => Promise<JobOutcome | null>): Promise<JobOutcome | null> {
    try {
      // The next request goes out first.
      await new Promise((resolve) => setImmediate(resolve))
      return await work()
    } catch (thrown) {
      return outcomeOf(thrown)
    }
  }

  async #saveImage(job: Job, fence: Fence, at: StageAt, made: () => Promise<GeneratedImage>): Promise<JobOutcome | null> {
    const { store, saveImage, onImage } = this.#options
    const saved = await saveImage(job, at, await made(), () => store.advance(fence, at.imageIndex))
    if (saved === null) return { how: 'lost' }
    onImage(saved)
    return null
  }

  async #saveStage(job: Job, fence: Fence, at: StageAt, made: GeneratedImage): Promise<JobOutcome | null> {
    const { store, saveStage } = this.#options
    return (await saveStage(job, at, made, () => store.holds(fence, at.imageIndex))) ? null : { how: 'lost' }
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

/** A picture with the time of the stages before; one that was only made larger keeps the text of what was. */
function joined(
  { recipe }: Job,
  { stage }: StageAt,
  before: MadeStage | null,
  image: () => Promise<GeneratedImage>,
): () => Promise<GeneratedImage> {
  if (before === null) return image
  return async () => {
    const made = await image()
    const how = recipe.stages?.[stage - 1]
    const text = before.made.parameters
    const parameters = how?.as === 'upscale' && text !== '' ? withUpscale(text, how) : made.parameters
    const checkpoint = made.checkpoint || before.made.checkpoint
    return { ...made, checkpoint, parameters, durationMs: before.made.durationMs + made.durationMs }
  }
}

const ofStage = (problem: Problem, stages: readonly string[], stage: number): Problem =>
  stage === 0
    ? problem
    : { ...problem, message: `Stage ${stage + 1} (${stages[stage]}) failed, what came before it is kept: ${problem.message}` }

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
