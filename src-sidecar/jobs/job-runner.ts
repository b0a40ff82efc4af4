import type { Backend, GeneratedImage } from '../backends/backend.ts'
import { withUpscale } from '../backends/infotext.ts'
import type { Image } from '../contract/image.ts'
import type { Job, JobProgress, Problem } from '../contract/job.ts'
import { stageNames, stageRecipe } from '../contract/stages.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Storage } from '../store/storage.ts'
import { storageFault } from '../store/storage-fault.ts'
import type { ImageInHand, ImagesInHand } from './images-in-hand.ts'
import type { Fence, JobStore } from './job-store.ts'

/** How a run of a job ended, as data; the lane writes it down. */
export type JobOutcome =
  | { readonly how: 'completed' }
  | { readonly how: 'interrupted' }
  | { readonly how: 'failed'; readonly problem: Problem }
  /** The backend is not there: the job goes back to the queue, which waits. */
  | { readonly how: 'unavailable'; readonly problem: Problem; readonly crashed: boolean }
  /** Disk or database don't take it: the job goes back to the queue, which waits, and the image stays in hand. */
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
  readonly storage: Storage
  readonly inHand: ImagesInHand
  /** Writes the image and its row; `commit` is part of the row's transaction. Null where `commit` said no. */
  readonly saveImage: (job: Job, at: StageAt, made: GeneratedImage, by: MadeBy, commit: () => boolean) => Promise<Image | null>
  /** The same with what a stage before the last has made. */
  readonly saveStage: (job: Job, at: StageAt, made: GeneratedImage, by: MadeBy, commit: () => boolean) => Promise<boolean>
  /** The file alone: the database is damaged, and its successor finds it. */
  readonly saveUnrecorded: (job: Job, at: StageAt, made: GeneratedImage, by: MadeBy) => Promise<void>
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

export type MadeBy = ImageInHand['by']

export interface MadeStage {
  readonly stage: number
  readonly made: GeneratedImage
}

/** A picture that the backend has made. */
interface Unsaved {
  readonly at: StageAt
  readonly by: MadeBy
  /** Reads it; as often as one likes. */
  readonly made: () => Promise<GeneratedImage>
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
    const { storage, inHand, backend } = this.#options
    const inVain = new AbortController()
    const earlier = this.#tail
    const last = stageNames(job.recipe).length - 1
    let saving: Promise<JobOutcome | null> = Promise.resolve(null)
    const save = (one: Unsaved): void => {
      saving = this.#save(job, fence, one, one.at.stage === last)
      this.#tail = saving
      // What the disk alone has not taken stays in hand, and so does the next one.
      void saving.then((problem) => problem && problem.how !== 'unsaved' && inVain.abort())
    }
    try {
      for (let imageIndex = job.imagesDone; imageIndex < job.recipe.images; imageIndex++) {
        const isFirst = imageIndex === job.imagesDone
        let before = isFirst && last > 0 ? await this.#options.lastStage(job, imageIndex) : null
        // The job may have had more stages then.
        if (before && before.stage >= last) before = null
        for (let stage = before ? before.stage + 1 : 0; stage <= last; stage++) {
          if (stopping.aborted || storage.trouble !== null) return (await saving) ?? { how: 'interrupted' }
          const at = { imageIndex, stage }
          const held = inHand.take(job, at)
          const result = held
            ? { image: async () => held.made }
            : await this.#make(job, at, before, AbortSignal.any([signal, inVain.signal]))
          // One image is being saved at most, so that a crash costs two: that one and the one that is being made.
          await earlier
          const problem = await saving
          if ('how' in result) return problem ?? result
          const { id, name } = backend.status
          const made = once(held ? result.image : joined(job, at, before, result.image))
          const one = { at, by: held?.by ?? { id, name }, made }
          if (problem !== null) {
            if (problem.how === 'unsaved') await this.#keep(job, one)
            return problem
          }
          if (stage < last) before = { stage, made: await one.made() }
          save(one)
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
  async #save(job: Job, fence: Fence, one: Unsaved, isLast: boolean): Promise<JobOutcome | null> {
    // The next request goes out first.
    await new Promise((resolve) => setImmediate(resolve))
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        return await (isLast ? this.#saveImage(job, fence, one) : this.#saveStage(job, fence, one))
      } catch (thrown) {
        if (await this.#options.storage.report(thrown)) {
          await this.#keep(job, one)
          return { how: 'unsaved', problem: { code: 'disk', message: asError(thrown).message } }
        }
        // Its folder takes files: perhaps it does so again, and else it is this one's own fault.
        if (isRepeated || storageFault(thrown) === undefined) return outcomeOf(thrown)
      }
    }
  }

  /** What could not be saved is not lost. */
  async #keep(job: Job, { at, by, made }: Unsaved): Promise<void> {
    const { storage, inHand, saveUnrecorded } = this.#options
    try {
      const image = await made()
      if (storage.trouble?.kind === 'damaged') await saveUnrecorded(job, at, image, by)
      else inHand.put(job, { jobId: job.id, ...at, made: image, by })
    } catch {
      // It is made again.
    }
  }

  async #saveImage(job: Job, fence: Fence, { at, by, made }: Unsaved): Promise<JobOutcome | null> {
    const { store, saveImage, onImage } = this.#options
    const saved = await saveImage(job, at, await made(), by, () => store.advance(fence, at.imageIndex))
    if (saved === null) return { how: 'lost' }
    onImage(saved)
    return null
  }

  async #saveStage(job: Job, fence: Fence, { at, by, made }: Unsaved): Promise<JobOutcome | null> {
    const { store, saveStage } = this.#options
    return (await saveStage(job, at, await made(), by, () => store.holds(fence, at.imageIndex))) ? null : { how: 'lost' }
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
  return { how: 'failed', problem: { code: error instanceof AppError ? error.code : 'internal', message: error.message } }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}
