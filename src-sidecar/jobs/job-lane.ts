import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from '../backends/backend.ts'
import type { Job } from '../contract/job.ts'
import type { Logger } from '../logging/logger.ts'
import type { Storage } from '../store/storage.ts'
import type { JobOutcome, JobRunner } from './job-runner.ts'
import type { Fence, JobStore } from './job-store.ts'

const firstRetryMs = 1000
const lastRetryMs = 30_000

/** A backend, and what runs jobs on it. */
export interface LaneParts {
  readonly backend: Backend
  readonly runner: JobRunner
  /** Called once a job's images are made: whether `betweenJobs` has work to do. Quick, for the backend waits. */
  readonly jobEnds: () => boolean
  /** Work for when no job of this lane runs. */
  readonly betweenJobs: (stopping: AbortSignal) => Promise<void>
}

export interface LaneOptions extends LaneParts {
  readonly runId: string
  readonly store: JobStore
  readonly storage: Storage
  readonly logger: Logger
  readonly onJob: (job: Job) => void
  /** A job is over, and its row says so; never rejects. The job counts as this lane's until then. */
  readonly onOver: (job: Job) => Promise<void>
  /** A job went back to the queue: another lane may do it. */
  readonly onGivenBack: () => void
  /** Takes the next job that this backend may do; undefined where there is none. */
  readonly claim: () => Job | undefined
}

interface Current {
  readonly abort: AbortController
  /** Lets the image that is being made finish, and none begin. */
  readonly rest: AbortController
  readonly ended: Promise<void>
  cancelled: boolean
}

/**
 * Runs jobs of the queue on one backend, one after another. The next one begins as soon as the backend is free: what the last one
 * made is saved meanwhile, so that the backend never waits for the disk.
 * States: idle (waits for `wake`) → running → idle …, backing off while the backend is not there, and waiting while nothing can be saved.
 */
export class JobLane {
  readonly #options: LaneOptions
  readonly #stopping = new AbortController()
  /** The same as a promise. */
  readonly #finished = Promise.withResolvers<void>()
  /** The one that is being made, and perhaps one that is being saved. */
  readonly #current = new Map<number, Current>()
  #wake = Promise.withResolvers<void>()
  #retryMs = firstRetryMs
  /** The backend was not there when it was last needed. */
  #gone = false
  /** Waits for work and for nothing else. */
  #idle = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get id(): string {
    return this.#options.backend.status.id
  }

  get backend(): Backend {
    return this.#options.backend
  }

  get runner(): JobRunner {
    return this.#options.runner
  }

  /** New work is there, or what it waited for may be there again. */
  wake(): void {
    if (this.#options.storage.trouble !== null) void this.#options.storage.look()
    this.#wake.resolve()
  }

  /** The same, but does not cut short what waits for its backend or the disk. */
  wakeIfIdle(): void {
    if (this.#idle) this.#wake.resolve()
  }

  /** @returns the job with this number, while it is this lane's; `cancel` it and wait for `ended`. */
  job(id: number): { cancel(): void; ended: Promise<void> } | undefined {
    const current = this.#current.get(id)
    if (current === undefined) return undefined
    const cancel = () => {
      current.cancelled = true
      current.abort.abort()
    }
    return { cancel, ended: current.ended }
  }

  get jobIds(): number[] {
    return [...this.#current.keys()]
  }

  /** The running job goes back to the queue once its image is made. */
  rest(): void {
    for (const { rest } of this.#current.values()) rest.abort()
  }

  /** Interrupts the running job, which goes back to the queue. Resolves when the backend has let go of it. */
  async giveBack(): Promise<void> {
    for (const { abort } of this.#current.values()) abort.abort()
    await Promise.all([...this.#current.values()].map(({ ended }) => ended))
  }

  /** Begins no image any more; `run` resolves when the one that is being made is saved. */
  finish(): void {
    this.#stopping.abort()
    this.#finished.resolve()
    this.rest()
    this.#wake.resolve()
  }

  /** Begins none, and interrupts the one that is being made. */
  interrupt(): void {
    this.finish()
    for (const { abort } of this.#current.values()) abort.abort()
  }

  /** Until `finish` or `interrupt`. @throws what should not happen */
  async run(): Promise<void> {
    const { backend, claim, jobEnds, storage } = this.#options
    /** The job before, whose last image is being saved. */
    let saving: Promise<JobOutcome> | undefined
    while (!this.#stopping.signal.aborted) {
      this.#wake = Promise.withResolvers()
      if (storage.trouble !== null) {
        if (saving !== undefined) await saving
        saving = undefined
        await this.#untilWell()
        continue
      }
      if (this.#gone && !(await backend.reach(this.#stopping.signal))) {
        await this.#backOff()
        continue
      }
      const job = await this.#written(claim)
      if (job === undefined) {
        if (saving === undefined) await this.#untilWork()
        else await this.#pause([await saving])
        saving = undefined
        continue
      }
      const { made, ended } = this.#begin(job)
      const isFree = await made
      const before = saving && (await saving)
      saving = ended
      const isDue = jobEnds()
      if (isFree && before?.how !== 'unsaved' && !isDue) continue
      saving = undefined
      const outcomes = before ? [before, await ended] : [await ended]
      if (isDue && !this.#stopping.signal.aborted) await this.#betweenJobs()
      await this.#pause(outcomes)
    }
    await saving
  }

  async #untilWork(): Promise<void> {
    this.#idle = true
    await this.#wake.promise
    this.#idle = false
  }

  #begin(job: Job): { made: Promise<boolean>; ended: Promise<JobOutcome> } {
    const { runner, runId, logger, onJob, onOver, onGivenBack } = this.#options
    const fence: Fence = { jobId: job.id, runId, attempt: job.attempt }
    const abort = new AbortController()
    const rest = new AbortController()
    if (this.#stopping.signal.aborted) rest.abort()
    const run = runner.run(job, fence, abort.signal, rest.signal)
    const over = Promise.withResolvers<void>()
    const current: Current = { abort, rest, ended: over.promise, cancelled: false }
    this.#current.set(job.id, current)
    onJob(job)
    logger.info({ jobId: job.id, attempt: job.attempt, pack: job.packName, backend: this.id }, 'job started')
    const ended = run.ended.then(async (outcome) => {
      const after = await this.#written(() => this.#settle(fence, outcome, current.cancelled))
      logger.info({ jobId: job.id, outcome, state: after?.state }, 'job ended')
      if (after !== undefined && after.endedAtMs !== null) await onOver(after)
      this.#current.delete(job.id)
      over.resolve()
      if (after !== undefined) onJob(after)
      if (after?.state === 'queued') onGivenBack()
      return outcome
    })
    return { made: run.made, ended }
  }

  /** Nothing runs and nothing is being saved: waits where that is called for. */
  async #pause(outcomes: readonly JobOutcome[]): Promise<void> {
    this.#gone = outcomes.some(({ how }) => how === 'unavailable')
    if (this.#gone) await this.#backOff()
    else this.#retryMs = firstRetryMs
  }

  /** What goes wrong there must not end the queue. */
  async #betweenJobs(): Promise<void> {
    try {
      await this.#options.betweenJobs(this.#stopping.signal)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the work between two jobs failed')
    }
  }

  #settle(fence: Fence, outcome: JobOutcome, cancelled: boolean): Job | undefined {
    const { store } = this.#options
    const now = Date.now()
    switch (outcome.how) {
      case 'completed':
        return store.finish(fence, 'complete', null, now)
      case 'failed':
        return store.finish(fence, 'fail', outcome.problem, now)
      case 'lost':
        return undefined
      default: {
        if (cancelled) return store.finish(fence, 'cancelRunning', null, now)
        const crashed = outcome.how === 'unavailable' && outcome.crashed
        return store.release(fence, crashed, outcome.how === 'interrupted' ? null : outcome.problem, now)
      }
    }
  }

  /** What the database does not take now (a full disk) is tried again; undefined where the app closes first. */
  async #written<T>(work: () => T): Promise<T | undefined> {
    const { storage, logger } = this.#options
    for (;;) {
      try {
        return work()
      } catch (error) {
        const waits = await storage.report(error)
        if (!waits) logger.error({ err: error }, 'the queue could not be written down')
        if (this.#stopping.signal.aborted) return undefined
        await (waits ? this.#untilWell() : this.#backOff())
      }
    }
  }

  /** Until it can be saved again, or the app closes. */
  async #untilWell(): Promise<void> {
    await Promise.race([this.#options.storage.untilWell, this.#finished.promise])
  }

  /** Waits before the next try, longer each time; `wake` (a retry, a changed setting, a new job) cuts it short. */
  async #backOff(): Promise<void> {
    this.#wake = Promise.withResolvers()
    if (this.#stopping.signal.aborted) return
    const over = new AbortController()
    await Promise.race([delay(this.#retryMs, undefined, { signal: over.signal }).catch(() => {}), this.#wake.promise])
    over.abort()
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs)
  }
}
