import { asError } from '../errors/app-error.ts'
import type { Logger } from '../logging/logger.ts'

/** Timers take no more. */
const longestMs = 2 ** 31 - 1

export interface IdleMemoryOptions {
  /** Without work, in milliseconds; null: never. As it is now. */
  readonly afterMs: () => number | null
  /** @returns whether there was something to give back */
  readonly free: (signal: AbortSignal) => Promise<boolean>
  readonly logger: Logger
}

/**
 * Has a backend give its memory back when it has had no work from here for a while: once after each work, and never before
 * the first, for what we have not loaded may be somebody else's.
 */
export class IdleMemory {
  readonly #options: IdleMemoryOptions
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  /** Since the last time. */
  #worked = false
  #idleSinceMs: number | undefined
  #freeing: Promise<void> | undefined

  constructor(options: IdleMemoryOptions) {
    this.#options = options
  }

  /** To be told at each change, any number of times. */
  busy(isBusy: boolean): void {
    this.#worked ||= isBusy
    if (isBusy) this.#idleSinceMs = undefined
    else if (this.#worked) this.#idleSinceMs ??= performance.now()
    this.#wait()
  }

  /** `afterMs` is another now. */
  changed(): void {
    this.#wait()
  }

  /** Resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#freeing
  }

  #wait(): void {
    clearTimeout(this.#timer)
    const afterMs = this.#options.afterMs()
    if (this.#stopping.signal.aborted || afterMs === null || this.#idleSinceMs === undefined) return
    const restMs = Math.max(0, this.#idleSinceMs + afterMs - performance.now())
    this.#timer = setTimeout(() => this.#free(), Math.min(restMs, longestMs)).unref()
  }

  #free(): void {
    this.#worked = false
    this.#idleSinceMs = undefined
    this.#freeing ??= this.#options
      .free(this.#stopping.signal)
      .then((freed) => {
        if (freed) this.#options.logger.info('idle: the backend was asked to give its memory back')
      })
      .catch((error) => this.#options.logger.info({ why: asError(error).message }, 'idle: the memory was not given back'))
      .finally(() => {
        this.#freeing = undefined
      })
  }
}
