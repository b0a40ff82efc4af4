import { setTimeout as delay } from 'node:timers/promises'

export interface IdleWatchOptions {
  readonly everyMs: number
  /** While it is at work, its work tells how it is. */
  readonly isBusy: () => boolean
  /** Asks the server how it is. Must not throw. */
  readonly look: (signal: AbortSignal) => Promise<void>
}

/** Looks at a server again and again while nothing else does, until it is stopped. */
export class IdleWatch {
  readonly #options: IdleWatchOptions
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(options: IdleWatchOptions) {
    this.#options = options
  }

  /** Does nothing after `stop`, or a second time. */
  start(): void {
    if (!this.#stopping.signal.aborted) this.#loop ??= this.#run()
  }

  /** Resolves when it does nothing any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { everyMs, isBusy, look } = this.#options
    const { signal } = this.#stopping
    for (;;) {
      await delay(everyMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      if (!isBusy()) await look(signal)
    }
  }
}
