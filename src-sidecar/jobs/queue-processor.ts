import { setTimeout as delay } from 'node:timers/promises'
import type { Job } from '../contract/job.ts'
import { asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import type { JobOutcome, JobRunner } from './job-runner.ts'
import type { Fence, JobStore } from './job-store.ts'

/** How long the running image may go on when the app closes. */
export const drainMs = 10_000
/** The same where whoever held the app is gone, and may have taken the time with it. */
export const orphanDrainMs = 3000
const firstRetryMs = 1000
const lastRetryMs = 30_000

export interface QueueProcessorOptions {
  readonly runId: string
  readonly store: JobStore
  readonly runner: JobRunner
  readonly logger: Logger
  readonly onJob: (job: Job) => void
  /** Work for when a job has ended and none runs. */
  readonly betweenJobs: (stopping: AbortSignal) => Promise<void>
  /** What a stop does to the running image, where its reason does not say. */
  readonly atExit: () => 'finish' | 'cancel'
}

/**
 * Runs the queue, one job after another, until it is stopped.
 * States: idle (waits for `wake`) → running → idle …, and backing off while the backend or the disk is not there.
 */
export class QueueProcessor implements Component {
  readonly name = 'queue processor'
  readonly #options: QueueProcessorOptions
  readonly #closed = deferred<ComponentExit>()
  readonly #stopping = new AbortController()
  #current: { job: Job; abort: AbortController; cancelled: boolean } | undefined
  #wake = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #retryMs = firstRetryMs

  constructor(options: QueueProcessorOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#loop = this.#run().then(
      () => this.#closed.resolve({ name: this.name }),
      (error) => {
        this.#options.logger.error({ err: error }, 'the queue processor ended')
        this.#closed.resolve({ name: this.name, error: asError(error) })
      },
    )
  }

  /** New work is there, or what it waited for may be there again. */
  wake(): void {
    this.#wake.resolve()
  }

  /**
   * Cancels the job if it is the running one. Resolves once the backend has let go of it and the row says how it ended.
   * @returns whether it was the running one.
   */
  async cancelRunning(jobId: number): Promise<boolean> {
    const current = this.#current
    if (current?.job.id !== jobId) return false
    current.cancelled = true
    current.abort.abort()
    while (this.#current === current) await this.#jobEnded.promise
    return true
  }

  #jobEnded = Promise.withResolvers<void>()

  stop(reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(reason, force)
    return this.#stopped
  }

  async #stop({ trigger, runningImage = this.#options.atExit() }: StopReason, force: AbortSignal): Promise<void> {
    this.#stopping.abort()
    this.wake()
    if (this.#loop === undefined) this.#closed.resolve({ name: this.name })
    // Nothing is lost by not waiting for a backend that takes minutes to start.
    const finish = runningImage === 'finish' && !this.#options.runner.waitsForStart
    if (!finish) this.#current?.abort.abort()
    const orphaned = trigger === 'stdin-eof' || trigger === 'parent-gone' || trigger === 'shell-gone'
    const graceMs = !finish ? 0 : orphaned ? orphanDrainMs : drainMs
    const ended = new AbortController()
    const grace = delay(graceMs, undefined, { signal: AbortSignal.any([force, ended.signal]) }).catch(() => {})
    void grace.then(() => this.#current?.abort.abort())
    await this.#loop
    ended.abort()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#wake = Promise.withResolvers()
      const job = await this.#written(() => this.#options.store.claim(this.#options.runId, Date.now()))
      if (job === undefined) await this.#wake.promise
      else await this.#runJob(job)
    }
  }

  async #runJob(job: Job): Promise<void> {
    const { runner, logger, onJob, runId } = this.#options
    const fence: Fence = { jobId: job.id, runId, attempt: job.attempt }
    const current = { job, abort: new AbortController(), cancelled: false }
    this.#current = current
    onJob(job)
    logger.info({ jobId: job.id, attempt: job.attempt, pack: job.packName }, 'job started')
    const outcome = await runner.run(job, fence, current.abort.signal, this.#stopping.signal)
    const after = await this.#written(() => this.#settle(fence, outcome, current.cancelled))
    logger.info({ jobId: job.id, outcome, state: after?.state }, 'job ended')
    this.#current = undefined
    this.#jobEnded.resolve()
    this.#jobEnded = Promise.withResolvers()
    if (after !== undefined) onJob(after)
    if (!this.#stopping.signal.aborted) await this.#betweenJobs()
    if (outcome.how === 'unavailable' || outcome.how === 'unsaved') await this.#backOff()
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
      case 'interrupted':
        return cancelled ? store.finish(fence, 'cancelRunning', null, now) : store.release(fence, false, null, now)
      case 'unavailable':
        return cancelled
          ? store.finish(fence, 'cancelRunning', null, now)
          : store.release(fence, outcome.crashed, outcome.problem, now)
      case 'unsaved':
        return cancelled ? store.finish(fence, 'cancelRunning', null, now) : store.release(fence, false, outcome.problem, now)
      case 'lost':
        return undefined
    }
  }

  /** What the database does not take now (a full disk) is tried again; undefined where the app closes first. */
  async #written<T>(work: () => T): Promise<T | undefined> {
    for (;;) {
      try {
        return work()
      } catch (error) {
        this.#options.logger.error({ err: error }, 'the queue could not be written down')
        if (this.#stopping.signal.aborted) return undefined
        await this.#backOff()
      }
    }
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
