import { AppError } from '../errors/app-error.ts'

interface Open {
  readonly expire: () => void
  timer: NodeJS.Timeout
}

export interface WriteDeadlineOptions {
  /** A drive that is spun up, or a busy network, takes its time. */
  readonly hangsAfterMs?: number
  /** The same from the moment the app closes. */
  readonly atCloseMs?: number
}

/** How long a write may take before its folder counts as one that hangs: shorter once the app closes. */
export class WriteDeadline {
  readonly #options: Required<WriteDeadlineOptions>
  readonly #open = new Set<Open>()
  #closing = false
  #hung = 0

  constructor({ hangsAfterMs = 20_000, atCloseMs = 5000 }: WriteDeadlineOptions = {}) {
    this.#options = { hangsAfterMs, atCloseMs }
  }

  /** Whether a write that was given up is still in the system's hands: it keeps a thread of ours. */
  get hangs(): boolean {
    return this.#hung > 0
  }

  /** @throws AppError `timeout` naming it; the work itself can't be ended and goes on. */
  async within<T>(what: string, work: Promise<T>): Promise<T> {
    const ms = this.#closing ? this.#options.atCloseMs : this.#options.hangsAfterMs
    const over = Promise.withResolvers<never>()
    const expire = () => {
      this.#hung++
      void work.catch(() => {}).finally(() => this.#hung--)
      over.reject(new AppError('timeout', `${what} was not done in time: there is no answer`, { data: { name: what } }))
    }
    const one: Open = { expire, timer: setTimeout(expire, ms) }
    this.#open.add(one)
    try {
      return await Promise.race([work, over.promise])
    } finally {
      clearTimeout(one.timer)
      this.#open.delete(one)
    }
  }

  /** The app closes: what is being written has so long from now. */
  close(): void {
    this.#closing = true
    for (const one of this.#open) {
      clearTimeout(one.timer)
      one.timer = setTimeout(one.expire, this.#options.atCloseMs)
    }
  }
}
