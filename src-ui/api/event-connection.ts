import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import { asApiError } from './api-error.ts'

/**
 * connecting → live ⇄ reconnecting → gone → live …; signed-out and closed are final.
 * Only this class changes it.
 */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'gone' | 'signed-out' | 'closed'

export interface ConnectionOptions {
  openStream(onEvent: (event: AppEvent) => void, onLost: () => void): () => void
  /** Asks whether anybody is there; rejects with an ApiError. */
  probe(): Promise<unknown>
  onEvent(event: AppEvent): void
  onState(state: ConnectionState): void
}

const goneAfterMs = 5000
const slowestRetryMs = 3000

/** Keeps one event stream open for as long as there is a sidecar. */
export class EventConnection {
  readonly #options: ConnectionOptions
  #state: ConnectionState = 'connecting'
  #closing = false
  #lostAtMs: number | null = null
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #closeStream: (() => void) | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  open(): void {
    this.pause()
    this.#closeStream = this.#options.openStream(
      (event) => this.#take(event),
      () => this.#lost(),
    )
  }

  /** The page goes into the browser's cache or away. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#closeStream?.()
    this.#closeStream = undefined
  }

  #take(event: AppEvent): void {
    if (event.type === 'hello') {
      this.#lostAtMs = null
      this.#attempt = 0
      this.#become('live')
    }
    if (event.type === 'closing') this.#closing = true
    if (event.type === 'bye') this.#end('closed')
    this.#options.onEvent(event)
  }

  #lost(): void {
    this.#closeStream = undefined
    if (this.#state === 'closed' || this.#state === 'signed-out') return
    this.#lostAtMs ??= Date.now()
    if (this.#state === 'live') this.#become('reconnecting')
    void this.#probe()
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe()
    } catch (error) {
      return this.#noAnswer(asApiError(error).code)
    }
    this.#later(() => this.open())
  }

  #noAnswer(code: string): void {
    if (code === 'unauthorized') this.#end('signed-out')
    else if (code === 'unreachable' && this.#closing) this.#end('closed')
    else {
      if (Date.now() - (this.#lostAtMs ?? 0) > goneAfterMs) this.#become('gone')
      this.#later(() => void this.#probe())
    }
  }

  #later(action: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(action, Math.min(slowestRetryMs, 100 * 2 ** this.#attempt++))
  }

  #end(state: ConnectionState): void {
    this.pause()
    this.#become(state)
  }

  #become(state: ConnectionState): void {
    if (state === this.#state) return
    this.#state = state
    this.#options.onState(state)
  }
}
