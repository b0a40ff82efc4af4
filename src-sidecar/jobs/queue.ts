import type { Image } from '../contract/image.ts'
import { type QueueImageRequest, queueImageRequestSchema } from '../contract/image-request.ts'
import type { Job, Queue } from '../contract/job.ts'
import type { Pack, QueuePackRequest } from '../contract/pack.ts'
import { queuePackRequestSchema } from '../contract/pack.ts'
import type { Recipe, RecipeDefaults } from '../contract/recipe.ts'
import { AppError } from '../errors/app-error.ts'
import type { JobStore, NewJob } from './job-store.ts'
import type { QueueProcessor } from './queue-processor.ts'

const endedShown = 30

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

  /** One job for each prompt. @throws AppError `pack_broken`, `bad_request` (no such prompt). */
  add(pack: Pack, request: QueuePackRequest, defaults: RecipeDefaults): number[] {
    const { prompts, images, settings, seed, pinnedTo = null } = queuePackRequestSchema.parse(request)
    if (pack.problem !== null) throw brokenPack(pack)
    const chosen = (prompts ?? pack.prompts.map(({ index }) => index)).map((index) => {
      const prompt = pack.prompts[index]
      if (prompt === undefined) {
        throw new AppError(
          'bad_request',
          `The pack "${pack.name}" has ${pack.prompts.length} prompts; there is none with index ${index}.`,
        )
      }
      return prompt
    })
    const jobs = chosen.map(
      (prompt): NewJob => ({
        packId: pack.id,
        packName: pack.name,
        promptIndex: prompt.index,
        pinnedTo,
        recipe: {
          version: 1,
          ...defaults,
          ...settings,
          prompt: prompt.prompt,
          negativePrompt: prompt.negativePrompt,
          seed: seed ?? this.#options.randomSeed(),
          images,
        },
      }),
    )
    const ids = this.#options.store.add(jobs, Date.now())
    this.#options.onQueue()
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
    const { packId, packName, promptIndex } = made
    const ids = this.#options.store.add([{ packId, packName, promptIndex, pinnedTo, recipe: next }], Date.now())
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

export const brokenPack = ({ name, path, problem }: Pack): AppError => {
  const where = problem?.line ? `${path}, line ${problem.line}` : path
  return new AppError('pack_broken', `The pack "${name}" can't be used: ${where}: ${problem?.message}`)
}
