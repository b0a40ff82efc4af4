import type { Recycled } from '../contract/diagnostics.ts'
import type { Settings } from '../contract/settings.ts'
import { treeRssBytes } from '../processes/tree-memory.ts'
import type { Backend } from './backend.ts'

export interface BackendRecyclingOptions {
  readonly backend: Backend
  /** As they are now. */
  readonly limits: () => Pick<Settings, 'recycleAboveMb' | 'recycleAfterJobs'>
  readonly onRecycled: (recycled: Recycled) => void
  readonly notice: (message: string) => void
}

const mb = 2 ** 20

/**
 * Restarts a backend of ours between two jobs, when it has run so many jobs or holds too much memory. Never one that needs
 * that much from its first job on: it would do nothing but start.
 */
export class BackendRecycling {
  readonly #options: BackendRecyclingOptions
  /** Of the process that runs now. */
  #id: string | undefined
  #jobs = 0
  #firstBytes = 0
  #toldMb: number | undefined

  constructor(options: BackendRecyclingOptions) {
    this.#options = options
  }

  /** To be called when a job has ended and before the next is begun. @param force ends the old process at once */
  async afterJob(force: AbortSignal): Promise<void> {
    const { backend, onRecycled } = this.#options
    const running = backend.process
    if (running === null) return
    const { name } = backend.status
    const rssBytes = treeRssBytes(running.identity.pid)
    if (running.spawnId !== this.#id) {
      this.#id = running.spawnId
      this.#jobs = 0
      this.#firstBytes = rssBytes
    }
    const jobs = ++this.#jobs
    const why = this.#dueFor(rssBytes, name)
    if (why === null) return
    await backend.recycle(force)
    onRecycled({ name, why, rssBytes, jobs, atMs: Date.now() })
  }

  #dueFor(rssBytes: number, name: string): Recycled['why'] | null {
    const { recycleAboveMb, recycleAfterJobs } = this.#options.limits()
    if (recycleAboveMb !== null && rssBytes > recycleAboveMb * mb) {
      if (this.#firstBytes <= recycleAboveMb * mb) return 'memory'
      this.#tell(recycleAboveMb, name)
    }
    return recycleAfterJobs !== null && this.#jobs >= recycleAfterJobs ? 'jobs' : null
  }

  #tell(limitMb: number, name: string): void {
    if (this.#toldMb === limitMb) return
    this.#toldMb = limitMb
    const needs = `${name} needs ${Math.round(this.#firstBytes / mb)} MB for its first job alone`
    this.#options.notice(`${needs}, more than the ${limitMb} MB at which it is to be restarted: raise that limit in Settings.`)
  }
}
