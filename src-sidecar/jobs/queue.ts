import type { Image } from '../contract/image.ts'
import {
  type MakeAgainRequest,
  makeAgainRequestSchema,
  type QueueImageRequest,
  queueImageRequestSchema,
} from '../contract/image-request.ts'
import type { Job, Queue } from '../contract/job.ts'
import type { Chosen, Recipe, RecipeDefaults } from '../contract/recipe.ts'
import { AppError } from '../errors/app-error.ts'
import type { JobStore, NewJob } from './job-store.ts'
import type { QueueProcessor } from './queue-processor.ts'

const endedShown = 30
/** Rows that are written at once: some 15 ms in which nothing else is answered. */
const rowsAtOnce = 1000

/** A prompt as it is to be made, and what of the defaults it changes. */
export interface PromptToQueue {
  readonly promptIndex: number
  readonly prompt: string
  readonly negativePrompt: string
  readonly chosen: Chosen
  readonly settings: Partial<RecipeDefaults>
  /** First seed; undefined: any. */
  readonly seed: number | undefined
}

export interface Batch {
  readonly packId: string
  readonly packName: string
  readonly prompts: readonly PromptToQueue[]
  /** Of each prompt. */
  readonly images: number
  /** The only backend that may do it. */
  readonly pinnedTo?: string | null
  /** Called with each slice of rows, in the transaction that writes them. @param start of the slice among the prompts */
  readonly onRows?: (jobIds: readonly number[], start: number) => void
}

export interface QueueOptions {
  readonly store: JobStore
  readonly processor: QueueProcessor
  readonly onJob: (job: Job) => void
  /** Many jobs changed at once. */
  readonly onQueue: () => void
  /** The user has asked for images: before the processor wakes. */
  readonly onAsked: () => void
  /** Mean time of the latest images, in milliseconds. */
  readonly imageDurationMs: () => number | null
  /** 0 to 2³²−1; each job without a seed of its own gets one. */
  readonly randomSeed: () => number
}

/** What a user does with the queue: add, look, cancel, retry. */
export class JobQueue {
  readonly #options: QueueOptions

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /**
   * One job for each prompt. They are written in slices, so that the event loop goes on; where that fails, those that were
   * written are cancelled.
   * @param pause between two slices; it may throw to give up
   */
  async add(
    { packId, packName, prompts, images, pinnedTo = null, onRows }: Batch,
    defaults: RecipeDefaults,
    pause: () => Promise<void>,
  ): Promise<number[]> {
    const { store, randomSeed } = this.#options
    const toJob = ({ promptIndex, prompt, negativePrompt, chosen, settings, seed }: PromptToQueue): NewJob => {
      const made = { ...defaults, ...settings, prompt, negativePrompt, seed: seed ?? randomSeed(), images }
      const recipe: Recipe = { version: 1, ...made, ...(Object.keys(chosen).length > 0 && { chosen }) }
      return { packId, packName, promptIndex, pinnedTo, recipe }
    }
    const ids: number[] = []
    try {
      for (let start = 0; start < prompts.length; start += rowsAtOnce) {
        if (start > 0) await pause()
        const jobs = prompts.slice(start, start + rowsAtOnce).map(toJob)
        const added = store.transaction(() => {
          const jobIds = store.add(jobs, Date.now())
          onRows?.(jobIds, start)
          return jobIds
        })
        ids.push(...added)
      }
    } catch (error) {
      store.transaction(() => ids.forEach((id) => void store.cancelPending(id, Date.now())))
      throw error
    } finally {
      this.#options.onQueue()
    }
    this.#asked()
    return ids
  }

  /** Jobs that begin with an image of the history; the rest is as that one was made. */
  addFromImage(image: Image, request: QueueImageRequest): number[] {
    const { source, settings, prompt, negativePrompt, images, seed, pinnedTo = null } = queueImageRequestSchema.parse(request)
    const { recipe } = image
    const made = this.#get(image.jobId)
    const next: Recipe = {
      ...recipe,
      // What was made in two passes is as large as the second.
      width: image.width,
      height: image.height,
      ...settings,
      prompt: prompt ?? recipe.prompt,
      negativePrompt: negativePrompt ?? recipe.negativePrompt,
      source: { ...source, path: image.path },
      seed: seed ?? this.#options.randomSeed(),
      images,
    }
    return this.#addLike(made, image.packName, next, pinnedTo)
  }

  /** A job that makes an image again, or variations of it with other seeds or settings. */
  addAgain(image: Image, request: MakeAgainRequest): number[] {
    const { seed, settings, images, ...prompts } = makeAgainRequestSchema.parse(request)
    const recipe = {
      ...image.recipe,
      ...settings,
      ...prompts,
      images,
      seed: seed === 'same' ? image.seed : this.#options.randomSeed(),
    }
    return this.#addLike(this.#get(image.jobId), image.packName, recipe, null)
  }

  #addLike({ packId, promptIndex }: Job, packName: string, recipe: Recipe, pinnedTo: string | null): number[] {
    const ids = this.#options.store.add([{ packId, packName, promptIndex, pinnedTo, recipe }], Date.now())
    this.#options.onQueue()
    this.#asked()
    return ids
  }

  view(limit: number, offset: number): Queue {
    const { store, processor } = this.#options
    const totals = store.pendingTotals()
    return {
      paused: store.paused,
      running: store.running(),
      progress: [...processor.progress],
      pending: store.pending(limit, offset),
      pendingTotal: totals.jobs,
      ended: store.ended(endedShown),
      remainingMs: this.#remainingMs(totals.images),
    }
  }

  /** @throws AppError `job_not_found`, `job_state`. Resolves once the job is really no longer worked on. */
  async cancel(id: number): Promise<Job> {
    const { store, processor } = this.#options
    const pending = store.cancelPending(id, Date.now())
    if (pending !== undefined) return this.#told(pending)
    await processor.cancelRunning(id)
    const job = this.#get(id)
    // It may have gone back to the queue in between, when its backend went away.
    const requeued = job.state === 'queued' ? store.cancelPending(id, Date.now()) : undefined
    if (requeued !== undefined) return this.#told(requeued)
    if (job.state === 'running') throw new AppError('job_state', `Job ${id} could not be cancelled now; try again.`)
    return job
  }

  setPaused(paused: boolean): void {
    this.#options.store.setPaused(paused)
    this.#options.onQueue()
    this.#asked()
  }

  /** @returns how many. */
  cancelAllPending(): number {
    const cancelled = this.#options.store.cancelAllPending(Date.now())
    this.#options.onQueue()
    return cancelled
  }

  /** @throws AppError `job_not_found`, `job_state`. */
  retry(id: number): Job {
    const job = this.#options.store.retry(id)
    if (job === undefined)
      throw new AppError(
        'job_state',
        `Job ${id} is ${this.#get(id).state}: only a failed, cancelled or quarantined job can be retried.`,
      )
    this.#asked()
    return this.#told(job)
  }

  #asked(): void {
    this.#options.onAsked()
    this.#options.processor.wake()
  }

  #get(id: number): Job {
    const job = this.#options.store.get(id)
    if (job === undefined) throw new AppError('job_not_found', `There is no job ${id}.`)
    return job
  }

  #told(job: Job): Job {
    this.#options.onJob(job)
    return job
  }

  #remainingMs(pendingImages: number): number | null {
    const each = this.#options.imageDurationMs()
    if (each === null) return null
    const running = this.#options.processor.progress
    const left = running.map(({ remainingMs, fraction }) => remainingMs ?? each * (1 - fraction))
    // Backends work side by side.
    return Math.round((left.reduce((sum, ms) => sum + ms, 0) + pendingImages * each) / Math.max(1, left.length))
  }
}
