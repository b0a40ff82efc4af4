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
 * that much from its first image on: it would do nothing but start.
 */
export class BackendRecycling {
  readonly #options: BackendRecyclingOptions
  /** Of the process that runs now. */
  #id: string | undefined
  #jobs = 0
  #firstBytes = 0
  #rssBytes = 0
  #toldMb: number | undefined

  constructor(options: BackendRecyclingOptions) {
    this.#options = options
  }

  /** To be called after each image; reads the process table. */
  look(): void {
    const running = this.#options.backend.process
    if (running === null) return
    this.#meet(running.spawnId)
    this.#rssBytes = treeRssBytes(running.identity.pid)
    this.#firstBytes ||= this.#rssBytes
  }

  /** To be called once at the end of each job. @returns whether `recycle` is due; quick, for the backend waits. */
  jobEnds(): boolean {
    const running = this.#options.backend.process
    if (running === null) return false
    this.#meet(running.spawnId)
    this.#jobs++
    return this.#why() !== null
  }

  /** Only while no image is made. @param force ends the old process at once */
  async recycle(force: AbortSignal): Promise<void> {
    const { backend, onRecycled } = this.#options
    const why = this.#why()
    if (why === null || backend.process === null) return
    this.look()
    const about = { name: backend.status.name, why, rssBytes: this.#rssBytes, jobs: this.#jobs }
    await backend.recycle(force)
    onRecycled({ ...about, atMs: Date.now() })
  }

  #meet(spawnId: string): void {
    if (spawnId === this.#id) return
    this.#id = spawnId
    this.#jobs = 0
    this.#firstBytes = 0
    this.#rssBytes = 0
  }

  #why(): Recycled['why'] | null {
    const { recycleAboveMb, recycleAfterJobs } = this.#options.limits()
    if (recycleAboveMb !== null && this.#rssBytes > recycleAboveMb * mb) {
      if (this.#firstBytes <= recycleAboveMb * mb) return 'memory'
      this.#tell(recycleAboveMb)
    }
    return recycleAfterJobs !== null && this.#jobs >= recycleAfterJobs ? 'jobs' : null
  }

  #tell(limitMb: number): void {
    if (this.#toldMb === limitMb) return
    this.#toldMb = limitMb
    const needs = `${this.#options.backend.status.name} needs ${Math.round(this.#firstBytes / mb)} MB for its first image alone`
    this.#options.notice(`${needs}, more than the ${limitMb} MB at which it is to be restarted: raise that limit in Settings.`)
  }
}
