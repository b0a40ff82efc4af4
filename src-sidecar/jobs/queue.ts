import { setImmediate } from 'node:timers/promises'
import type { z } from 'zod'
import type { Image } from '../contract/image.ts'
import {
  type MakeAgainRequest,
  makeAgainRequestSchema,
  type QueueImageRequest,
  queueImageRequestSchema,
} from '../contract/image-request.ts'
import type { Job, PendingPage, Queue } from '../contract/job.ts'
import type { queuePictureRequestSchema } from '../contract/picture-settings.ts'
import type { Cancelled, CancelRequest, Paused } from '../contract/queue-request.ts'
import type { Chosen, Recipe, RecipeDefaults } from '../contract/recipe.ts'
import { AppError } from '../errors/app-error.ts'
import type { Storage } from '../store/storage.ts'
import type { BulkCancel } from './bulk-cancel.ts'
import type { JobStore, NewJob } from './job-store.ts'
import type { Pace } from './pace.ts'
import type { QueueProcessor } from './queue-processor.ts'
import { queueTimes } from './queue-times.ts'

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
  readonly storage: Storage
  readonly onJob: (job: Job) => void
  /** Many jobs changed at once. */
  readonly onQueue: () => void
  /** The user has asked for images: before the processor wakes. */
  readonly onAsked: () => void
  readonly bulk: BulkCancel
  readonly pace: Pace
  /** Has every backend give its memory back. Does not throw. */
  readonly freeMemory: () => Promise<Paused['freed']>
  /** 0 to 2³²−1; each job without a seed of its own gets one. */
  readonly randomSeed: () => number
}

/** What a user does with the queue: add, look, pause, cancel, retry. */
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
      // They have been gone through.
      stages: settings.stages ?? [],
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

  /**
   * Jobs that begin with a picture of the user's, or, where it is null, only take its settings.
   * @param path of our copy of it
   */
  addFromPicture(path: string | null, request: z.output<typeof queuePictureRequestSchema>, defaults: RecipeDefaults): number[] {
    const { source, settings, prompt, negativePrompt, images, seed, name, pinnedTo = null } = request
    const recipe: Recipe = {
      version: 1,
      ...defaults,
      ...settings,
      prompt,
      negativePrompt,
      ...(source && path !== null && { source: { ...source, path }, stages: settings.stages ?? [] }),
      seed: seed ?? this.#options.randomSeed(),
      images,
    }
    const packName = name.replace(/\.[^.]*$/, '') || 'picture'
    const ids = this.#options.store.add([{ packId: 'picture', packName, promptIndex: 0, pinnedTo, recipe }], Date.now())
    this.#options.onQueue()
    this.#asked()
    return ids
  }

  view(limit: number, offset: number): Queue {
    const { store } = this.#options
    const { page, whole } = this.#page(limit, offset)
    return { ...page, ...whole, paused: store.paused, running: store.running(), ended: store.ended(endedShown) }
  }

  /** A part of the pending jobs. */
  pending(limit: number, offset: number): PendingPage {
    return this.#page(limit, offset).page
  }

  /** The ids of pending jobs from this place on. */
  pendingIds(limit: number, offset: number): number[] {
    return this.#options.store.pendingIds(limit, offset)
  }

  /** @throws AppError `job_not_found`, `job_state`. Resolves once the job is really no longer worked on. */
  async cancel(id: number): Promise<Job> {
    const { store, processor, bulk } = this.#options
    const pending = store.cancelPending(id, bulk.stamp(Date.now()))
    if (pending !== undefined) return this.#told(pending)
    await processor.cancelRunning(id)
    const job = this.#get(id)
    // It may have gone back to the queue in between, when its backend went away.
    const requeued = job.state === 'queued' ? store.cancelPending(id, bulk.stamp(Date.now())) : undefined
    if (requeued !== undefined) return this.#told(requeued)
    if (job.state === 'running') throw new AppError('job_state', `Job ${id} could not be cancelled now; try again.`)
    return job
  }

  /**
   * Cancels these jobs, those of a pack, or all that wait; with `running: 'cancel'` also what is being made of them. None of them
   * is begun any more from the moment of the call. Resolves once none is worked on.
   */
  async cancelMany({ ids, packId, running = 'keep' }: CancelRequest): Promise<Cancelled> {
    const { store, bulk, onQueue } = this.#options
    const stamp = bulk.stamp(Date.now())
    const isMeant = (job: Job) => ids?.includes(job.id) ?? (packId === undefined || packId === job.packId)
    const current = running === 'cancel' ? store.running().filter(isMeant) : []
    let pending = 0
    if (ids !== undefined) pending = bulk.cancel(ids, stamp)
    else if (packId !== undefined) pending = await sliced(() => bulk.cancelPack(packId, stamp))
    else {
      bulk.beginAll()
      pending = await sliced(() => bulk.cancelSome(stamp))
    }
    onQueue()
    const ended = await Promise.all(current.map(({ id }) => this.cancel(id)))
    return { cancelled: pending + ended.filter(({ state }) => state === 'cancelled').length, undo: pending > 0 ? stamp : null }
  }

  /** Puts jobs that were cancelled together back to their places. @returns how many. */
  async undoCancel(stamp: number): Promise<number> {
    const restored = await sliced(() => this.#options.bulk.restore(stamp))
    this.#options.onQueue()
    if (restored > 0) this.#asked()
    return restored
  }

  /**
   * Nothing is begun until `resume`, also after a restart. The running jobs go back to their places: with `finish` when their image
   * is made, with `free` at once, and then the backends give their memory back.
   */
  async pause(running: 'finish' | 'free'): Promise<Paused> {
    const { store, processor, onQueue, freeMemory } = this.#options
    store.setPaused(true)
    onQueue()
    if (running === 'finish') {
      processor.rest()
      return { paused: true, freed: [] }
    }
    await processor.giveBack()
    return { paused: true, freed: await freeMemory() }
  }

  /** @throws AppError `disk` or `database_broken` where still nothing can be saved */
  async resume(): Promise<void> {
    await this.#options.storage.tryAgain()
    this.#options.store.setPaused(false)
    this.#options.onQueue()
    this.#asked()
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

  #page(limit: number, offset: number): { page: PendingPage; whole: Pick<Queue, 'progress' | 'remainingMs' | 'working'> } {
    const { store, processor } = this.#options
    const pending = limit > 0 ? store.pending(limit, offset) : []
    const { pendingTimes, ...times } = queueTimes(this.#options, pending, offset)
    const page = { pending, pendingTimes, pendingTotal: store.pendingTotals().jobs }
    return { page, whole: { ...times, progress: [...processor.progress] } }
  }
}

/** Does slice after slice until one finds nothing; everything else goes on between two. @returns how many rows in all. */
async function sliced(slice: () => number): Promise<number> {
  let all = 0
  for (let rows = slice(); rows > 0; rows = slice()) {
    all += rows
    await setImmediate()
  }
  return all
}
