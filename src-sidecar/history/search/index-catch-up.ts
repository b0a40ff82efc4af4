import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Component, ComponentExit } from '../../lifecycle/component.ts'
import { deferred } from '../../lifecycle/deferred.ts'
import type { Logger } from '../../logging/logger.ts'
import type { ImageStore } from '../image-store.ts'

/** Some 5 ms in which nothing else is answered. */
const imagesAtOnce = 20

/** Puts images into the search that came without it, a few at a time, until all are in. What a stop leaves is done at the next start. */
export class IndexCatchUp implements Component {
  readonly name = 'search index'
  readonly #store: ImageStore
  readonly #logger: Logger
  readonly #onError: (error: unknown) => void
  readonly #closed = deferred<ComponentExit>()
  #stopping = false
  #work: Promise<void> | undefined

  /** @param onError may know what the error says of the database */
  constructor(store: ImageStore, logger: Logger, onError: (error: unknown) => void = () => {}) {
    this.#store = store
    this.#logger = logger
    this.#onError = onError
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Resolves at once: what is not in yet is merely not found yet. */
  async start(): Promise<void> {
    this.#work ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
    this.#closed.resolve({ name: this.name })
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping && this.#store.indexMissing(imagesAtOnce)) await nextTurn()
    } catch (error) {
      this.#logger.error({ err: error }, 'images could not be put into the search; the next start tries again')
      this.#onError(error)
    }
  }
}
