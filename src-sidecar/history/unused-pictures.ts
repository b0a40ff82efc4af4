import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import type { Logger } from '../logging/logger.ts'
import type { DroppedPictures } from './dropped-pictures.ts'

const dayMs = 86_400_000

export interface UnusedPicturesOptions {
  readonly pictures: DroppedPictures
  /** Names of the files that recipes begin with, some at a time. */
  readonly used: () => AsyncIterable<readonly string[]>
  readonly logger: Logger
}

/**
 * Removes copies of dropped pictures that no recipe begins with any longer, once at the start. What is younger than a day stays, as
 * does what the user drops meanwhile.
 */
export class UnusedPictures implements Component {
  readonly name = 'unused pictures'
  readonly #options: UnusedPicturesOptions
  readonly #closed = deferred<ComponentExit>()
  #stopping = false
  #work: Promise<void> | undefined

  constructor(options: UnusedPicturesOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Resolves at once; it goes on beside the rest. */
  async start(): Promise<void> {
    if (!this.#stopping) this.#work ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
    this.#closed.resolve({ name: this.name })
  }

  async #run(): Promise<void> {
    const { pictures, used, logger } = this.#options
    try {
      const unused = await pictures.olderThan(Date.now() - dayMs)
      if (unused.size === 0) return
      for await (const names of used()) {
        if (this.#stopping) return
        for (const name of names) unused.delete(name)
      }
      let removed = 0
      for (const name of unused) {
        if (this.#stopping) break
        if (pictures.remove(name)) removed++
        await nextTurn()
      }
      if (removed > 0) logger.info({ removed }, 'copies of dropped pictures that no recipe begins with were removed')
    } catch (error) {
      logger.error({ err: error }, 'unused copies of dropped pictures could not be removed; the next start tries again')
    }
  }
}
