import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { sizeText } from './storage-message.ts'
import { freeBytes } from './write-target.ts'

/** Some thousand images, or a few hundred large ones: time enough to do something about it. */
const lowBytes = 2e9
/** Above this it is told again the next time. */
const enoughBytes = 2.5e9
const lookEveryMs = 60_000

export interface LowSpaceOptions {
  readonly folders: readonly string[]
  readonly notice: (message: string) => void
  /** For tests: what a folder's disk has left, in bytes; null where it does not say. */
  readonly freeBytes?: (folder: string) => Promise<number | null>
}

/** Tells once when a disk that is written to is nearly full; nothing is held up by it. */
export class LowSpace implements Component {
  readonly name = 'free space'
  readonly #options: LowSpaceOptions
  readonly #closed = deferred<ComponentExit>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isTold = false

  constructor(options: LowSpaceOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Resolves at once. */
  async start(): Promise<void> {
    void this.look()
    this.#timer = setInterval(() => void this.look(), lookEveryMs)
  }

  /** A disk that does not answer is not waited for. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#closed.resolve({ name: this.name })
  }

  /** Never throws, and asks a disk that hangs only once. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { folders, notice, freeBytes: free = freeBytes } = this.#options
    const all = await Promise.all(
      folders.map(async (folder) => ({ folder, bytes: (await free(folder)) ?? Number.POSITIVE_INFINITY })),
    )
    const [least] = all.sort((a, b) => a.bytes - b.bytes)
    if (least === undefined || least.bytes > enoughBytes) this.#isTold = false
    else if (least.bytes < lowBytes && !this.#isTold) {
      this.#isTold = true
      notice(
        `Only ${sizeText(least.bytes)} are left on the disk of ${least.folder}. When it is full the queue waits, and nothing is lost; free some space before.`,
      )
    }
  }
}
