import type { Job, JobProgress, Queue } from '../../src-sidecar/contract/job.ts'
import type { CancelRequest, PauseRequest } from '../../src-sidecar/contract/queue-request.ts'
import type { Api } from '../api/client.ts'
import { now } from './now.svelte.ts'
import { PendingList, told } from './pending-list.svelte.ts'
import { emptyQueue, withJob, withProgress } from './queue-changes.ts'
import { toasts } from './toasts.svelte.ts'

const refetchAfterMs = 400

/** What runs, what has ended, and what is left; what waits is in `list`. */
export class QueueState {
  current = $state.raw<Queue>(emptyQueue)
  loaded = $state(false)
  /** When `current.remainingMs` was said. */
  fetchedAtMs = $state(Date.now())
  /** When the latest progress was said. */
  progressAtMs = $state(Date.now())
  /** From the wish to free the GPU until it is free. */
  freeing = $state(false)

  job = $derived(this.current.running[0])
  progress = $derived(this.current.progress.find((one) => one.jobId === this.job?.id))
  left = $derived(this.current.pendingTotal + this.current.running.length)
  /** Whether the time left goes down: while nothing is made it does not. */
  working = $derived(this.current.working && this.current.progress.length > 0)
  remainingMs = $derived.by(() => {
    const { remainingMs } = this.current
    if (remainingMs === null) return null
    return Math.max(0, remainingMs - (this.working ? now.ms - this.fetchedAtMs : 0))
  })

  readonly list: PendingList
  readonly #api: Api
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Jobs told while an answer was under way: it may be older than they are. */
  #told: Job[] = []

  constructor(api: Api) {
    this.#api = api
    this.list = new PendingList(api)
  }

  async fetch(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#told = []
    const queue = await this.#api.queue(0)
    this.current = this.#told.reduce(withJob, queue)
    this.fetchedAtMs = Date.now()
    await this.list.refresh(queue.pendingTotal)
    this.loaded = true
  }

  applyJob(job: Job): void {
    this.#told.push(job)
    this.current = withJob(this.current, job)
    this.list.apply(job)
    this.fetchSoon()
  }

  applyProgress(progress: JobProgress): void {
    this.progressAtMs = Date.now()
    this.current = withProgress(this.current, progress)
  }

  fetchSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.fetch().catch(() => {}) // A lost sidecar is the connection's to notice.
    }, refetchAfterMs)
  }

  cancel(id: number): Promise<boolean> {
    return this.#change(() => this.#api.cancelJob(id))
  }

  retry(id: number): Promise<boolean> {
    return this.#change(() => this.#api.retryJob(id))
  }

  /** The same once more, with another seed, at the end of the queue. */
  async again(id: number): Promise<void> {
    try {
      await this.#api.duplicateJobs([id], true)
      toasts.show({ kind: 'done', title: '1 job queued' })
    } catch (error) {
      toasts.error(error)
    }
  }

  async pause(running: PauseRequest['running']): Promise<void> {
    this.freeing = running === 'free'
    try {
      const { freed } = await this.#api.pauseQueue({ running })
      const problem = freed.find((one) => one.problem !== null)?.problem
      if (problem) toasts.show({ kind: 'error', title: 'Not all memory was given back', detail: problem })
      else if (freed.some((one) => one.freed)) toasts.show({ kind: 'done', title: 'The GPU is free' })
    } catch (error) {
      toasts.error(error)
    }
    this.freeing = false
  }

  async resume(): Promise<void> {
    await this.#api.resumeQueue().catch((error) => toasts.error(error))
  }

  async cancelMany(request: CancelRequest): Promise<void> {
    try {
      told(this.#api, await this.#api.cancelJobs(request))
      await this.fetch()
    } catch (error) {
      toasts.error(error)
    }
  }

  async #change(action: () => Promise<Job>): Promise<boolean> {
    try {
      this.applyJob(await action())
      return true
    } catch (error) {
      toasts.error(error)
      this.fetchSoon()
      return false
    }
  }
}
