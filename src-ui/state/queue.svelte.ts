import type { Job, JobProgress, Queue } from '../../src-sidecar/contract/job.ts'
import type { Api } from '../api/client.ts'
import { emptyQueue, withJob, withProgress } from './queue-changes.ts'
import { toasts } from './toasts.svelte.ts'

const pageSize = 100
const largestPage = 500
const refetchAfterMs = 400

export class QueueState {
  current = $state.raw<Queue>(emptyQueue)
  loaded = $state(false)
  /** When `current.remainingMs` was said. */
  fetchedAtMs = $state(Date.now())
  /** When the latest progress was said. */
  progressAtMs = $state(Date.now())

  job = $derived(this.current.running[0])
  progress = $derived(this.current.progress.find((one) => one.jobId === this.job?.id))
  left = $derived(this.current.pendingTotal + this.current.running.length)

  readonly #api: Api
  #shown = pageSize
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Jobs told while an answer was under way: it may be older than they are. */
  #told: Job[] = []

  constructor(api: Api) {
    this.#api = api
  }

  async fetch(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#told = []
    const queue = await this.#fetchShown()
    this.current = this.#told.reduce(withJob, queue)
    this.fetchedAtMs = Date.now()
    this.loaded = true
  }

  async #fetchShown(): Promise<Queue> {
    const queue = await this.#api.queue(Math.min(this.#shown, largestPage))
    while (queue.pending.length < Math.min(this.#shown, queue.pendingTotal)) {
      const more = await this.#api.queue(Math.min(this.#shown - queue.pending.length, largestPage), queue.pending.length)
      if (!more.pending.length) break
      queue.pending.push(...more.pending)
    }
    return queue
  }

  showMore(): Promise<void> {
    this.#shown = this.current.pending.length + 2 * pageSize
    return this.fetch()
  }

  applyJob(job: Job): void {
    this.#told.push(job)
    this.current = withJob(this.current, job)
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

  async cancelPending(): Promise<number> {
    try {
      const { cancelled } = await this.#api.cancelPending()
      await this.fetch()
      return cancelled
    } catch (error) {
      toasts.error(error)
      return 0
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
