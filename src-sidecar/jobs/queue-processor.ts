import { setTimeout as delay } from 'node:timers/promises'
import type { Job, JobProgress } from '../contract/job.ts'
import type { BackendStatus } from '../contract/status.ts'
import { asError } from '../errors/app-error.ts'
import type { Component, ComponentExit, StopReason } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import type { Storage } from '../store/storage.ts'
import { JobLane, type LaneParts } from './job-lane.ts'
import type { Preview } from './job-runner.ts'
import type { JobStore } from './job-store.ts'

/** How long running images may go on when the app closes. */
export const drainMs = 10_000
/** The same where whoever held the app is gone, and may have taken the time with it. */
export const orphanDrainMs = 3000

export interface QueueProcessorOptions {
  readonly runId: string
  readonly store: JobStore
  readonly storage: Storage
  readonly logger: Logger
  readonly onJob: (job: Job) => void
  /** A job that was running is over; never rejects. */
  readonly onOver: (job: Job) => Promise<void>
  /** What a stop does to running images, where its reason does not say. */
  readonly atExit: () => 'finish' | 'cancel'
}

/** What a lane does now. */
export interface LaneWork {
  /** Of its backend. */
  readonly id: string
  readonly state: BackendStatus['state']
  /** As `modelKey` writes them; null where any may do. */
  readonly checkpoints: ReadonlySet<string> | null
  /** Jobs that it has begun; one of them may only be being saved. */
  readonly running: readonly number[]
  readonly progress: JobProgress | undefined
  /** An image is being made, and the backend not merely being started for it. */
  readonly isWorking: boolean
}

interface Running {
  readonly lane: JobLane
  readonly ended: Promise<void>
}

/** Shares the queue out: one lane for each backend, each with one job at a time, until it is stopped. */
export class QueueProcessor implements Component {
  readonly name = 'queue processor'
  readonly #options: QueueProcessorOptions
  readonly #closed = deferred<ComponentExit>()
  readonly #lanes = new Map<string, Running>()
  #started = false
  #stopped: Promise<void> | undefined

  constructor(options: QueueProcessorOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Of the images that are being made now. */
  get progress(): readonly JobProgress[] {
    return this.#all.flatMap(({ runner: { progress } }) => progress ?? [])
  }

  get work(): readonly LaneWork[] {
    return this.#all.map(({ id, backend, runner, jobIds }) => ({
      id,
      state: backend.status.state,
      checkpoints: backend.known?.checkpoints ?? null,
      running: jobIds,
      progress: runner.progress,
      isWorking: this.isAtWork(id),
    }))
  }

  /** The latest preview of a running job. */
  preview(jobId: number): Preview | undefined {
    return this.#all.find(({ runner }) => runner.progress?.jobId === jobId)?.runner.preview
  }

  /** Lanes that are there already begin; others as they are added. */
  async start(): Promise<void> {
    if (this.#stopped !== undefined) return
    this.#started = true
    for (const [id, { lane }] of this.#lanes) this.#lanes.set(id, this.#run(lane))
  }

  /** One that is added after the stop does nothing. */
  addLane(parts: LaneParts): void {
    const { runId, store, storage, logger, onJob, onOver } = this.#options
    const { backend } = parts
    const lane: JobLane = new JobLane({
      ...parts,
      runId,
      store,
      storage,
      logger,
      onJob,
      onOver,
      onGivenBack: () => {
        for (const other of this.#all) if (other !== lane) other.wakeIfIdle()
      },
      claim: () => store.claim(runId, { backendId: backend.status.id, elsewhere: this.#elsewhere(lane) }, Date.now()),
    })
    const goes = this.#started && this.#stopped === undefined
    this.#lanes.set(lane.id, goes ? this.#run(lane) : { lane, ended: Promise.resolve() })
  }

  /** Interrupts what it does: its job goes back to the queue. Resolves when nothing of it runs. */
  async removeLane(id: string): Promise<void> {
    const running = this.#lanes.get(id)
    running?.lane.interrupt()
    await running?.ended
    this.#lanes.delete(id)
    this.wake()
  }

  /** New work is there, or what was waited for may be there again. Backends that are ready come first. */
  wake(): void {
    const ready = (lane: JobLane) => Number(lane.backend.status.state === 'ready')
    for (const lane of this.#all.sort((a, b) => ready(b) - ready(a))) lane.wake()
  }

  /** Whether this backend makes an image now, and is not merely being started for it. */
  isAtWork(id: string): boolean {
    const runner = this.#lanes.get(id)?.lane.runner
    return runner?.progress !== undefined && !runner.waitsForStart
  }

  /**
   * Cancels the job if it is running. Resolves once the backend has let go of it and the row says how it ended, or nothing can be saved.
   * @returns whether it was running.
   */
  async cancelRunning(jobId: number): Promise<boolean> {
    const running = this.#all.map((lane) => lane.job(jobId)).find((job) => job !== undefined)
    running?.cancel()
    // What can't be written down is not waited for.
    await Promise.race([running?.ended, this.#options.storage.untilTrouble])
    return running !== undefined
  }

  /** Running jobs go back to the queue once their images are made. */
  rest(): void {
    for (const lane of this.#all) lane.rest()
  }

  /** Interrupts all that runs; the jobs go back to the queue. Resolves when the backends have let go of them, or nothing can be saved. */
  async giveBack(): Promise<void> {
    const given = Promise.all(this.#all.map((lane) => lane.giveBack()))
    await Promise.race([given, this.#options.storage.untilTrouble])
  }

  stop(reason: StopReason, force: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(reason, force)
    return this.#stopped
  }

  async #stop({ trigger, runningImage = this.#options.atExit() }: StopReason, force: AbortSignal): Promise<void> {
    const finish = runningImage === 'finish'
    // Nothing is lost by not waiting for a backend that takes minutes to start.
    for (const lane of this.#all) finish && !lane.runner.waitsForStart ? lane.finish() : lane.interrupt()
    const orphaned = trigger === 'stdin-eof' || trigger === 'parent-gone' || trigger === 'shell-gone'
    const graceMs = orphaned ? orphanDrainMs : drainMs
    const ended = new AbortController()
    const grace = delay(graceMs, undefined, { signal: AbortSignal.any([force, ended.signal]) }).catch(() => {})
    void grace.then(() => {
      for (const lane of this.#all) lane.interrupt()
    })
    await Promise.all([...this.#lanes.values()].map((running) => running.ended))
    ended.abort()
    this.#closed.resolve({ name: this.name })
  }

  get #all(): JobLane[] {
    return [...this.#lanes.values()].map(({ lane }) => lane)
  }

  #run(lane: JobLane): Running {
    const ended = lane.run().catch((error) => {
      this.#options.logger.error({ err: error }, 'the queue processor ended')
      this.#closed.resolve({ name: this.name, error: asError(error) })
    })
    return { lane, ended }
  }

  /** Checkpoints that this lane's backend lacks and another one has: their jobs are left to that one. */
  #elsewhere(lane: JobLane): string[] {
    const own = lane.backend.known?.checkpoints
    if (!own) return []
    const others = this.#all.filter((other) => other !== lane && other.backend.status.state !== 'failed')
    return [...new Set(others.flatMap(({ backend }) => [...(backend.known?.checkpoints ?? [])]))].filter((key) => !own.has(key))
  }
}
