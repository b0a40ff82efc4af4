import { asError } from '../errors/app-error.ts'
import type { ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'

const tellEveryMs = 250

/** What is told of a piece of work. running → done | stopped (by the user, or the end of the app) | failed. */
export interface WorkState {
  state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed. */
  problem: string | null
}

export interface LongWorkOptions<State> {
  /** As a component. */
  readonly name: string
  readonly logger: Logger
  readonly onProgress: (state: State) => void
}

type Run = (signal: AbortSignal) => Promise<unknown>

/** Work that takes a while and goes on beside the rest, one piece at a time. It can be stopped, and is with the app. */
export class LongWork<State extends WorkState> {
  readonly #options: LongWorkOptions<State>
  readonly #closed = deferred<ComponentExit>()
  readonly #closing = new AbortController()
  #stopping = new AbortController()
  #state: State | null = null
  #running: Promise<void> | undefined
  #toldAtMs = 0

  constructor(options: LongWorkOptions<State>) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Aborted by the end of the app. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Of what runs, or ran last. */
  get state(): State | null {
    return this.#state
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /**
   * Nothing else may be running.
   * @param run changes the state as it goes and calls `tell`; where it is aborted it returns soon, with 'done' where it was done before
   */
  begin(state: State, run: Run): State {
    this.#stopping = new AbortController()
    this.#state = state
    this.#running = this.#run(state, run, AbortSignal.any([this.#closing.signal, this.#stopping.signal]))
    return state
  }

  /** Tells of it, not too often. */
  tell(now = false): void {
    if (this.#state === null || (!now && Date.now() - this.#toldAtMs < tellEveryMs)) return
    this.#toldAtMs = Date.now()
    this.#options.onProgress({ ...this.#state })
  }

  /** What was done so far stays. Resolves when nothing is done any more. */
  async cancel(): Promise<State | null> {
    this.#stopping.abort()
    await this.#running
    return this.#state
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#closing.abort()
    await this.#running
    this.#closed.resolve({ name: this.#options.name })
  }

  async #run(state: State, run: Run, signal: AbortSignal): Promise<void> {
    try {
      const how = await run(signal)
      state.state = how !== 'done' && signal.aborted ? 'stopped' : 'done'
    } catch (error) {
      this.#options.logger.error({ err: error, state }, `${this.#options.name} failed`)
      state.state = 'failed'
      state.problem = asError(error).message
    }
    this.#running = undefined
    this.tell(true)
  }
}
