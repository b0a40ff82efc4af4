import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ImportState } from '../../contract/image-import.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Component, ComponentExit } from '../../lifecycle/component.ts'
import type { Logger } from '../../logging/logger.ts'
import type { ImageStore } from '../image-store.ts'
import { LongWork } from '../long-work.ts'
import type { ImportStore } from './import-store.ts'
import { picturesBelow } from './pictures-below.ts'
import { type ReadPicture, readPicture } from './read-picture.ts'

/** Rows of one transaction: some 10 ms in which nothing else is answered. */
const rowsAtOnce = 20

export interface ImporterOptions {
  readonly images: ImageStore
  readonly imports: ImportStore
  readonly logger: Logger
  readonly onProgress: (state: ImportState) => void
}

/**
 * Takes image files that are there already into the history, where they lie. One folder at a time; what a stop or a crash leaves
 * is gone on with at the next start, as files that are known are passed over.
 * States: idle → running → done | stopped (by the user) | failed → running …
 */
export class ImageImporter implements Component {
  readonly name = 'image import'
  readonly #options: ImporterOptions
  readonly #work: LongWork<ImportState>

  constructor(options: ImporterOptions) {
    this.#options = options
    this.#work = new LongWork({ ...options, name: this.name })
  }

  get closed(): Promise<ComponentExit> {
    return this.#work.closed
  }

  /** Of the import that runs, or of the last one. */
  get state(): ImportState | null {
    return this.#work.state
  }

  /** Resolves at once; an import that was cut short goes on. */
  async start(): Promise<void> {
    const [folder] = this.#options.imports.unfinished()
    if (folder !== undefined) this.#begin(folder)
  }

  async stop(): Promise<void> {
    await this.#work.stop()
  }

  /** @throws AppError `bad_request` where it is no folder, `conflict` where another import runs */
  async import(folder: string): Promise<ImportState> {
    const path = resolve(folder)
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) throw new AppError('bad_request', `There is no folder ${path}.`)
    if (this.#work.isRunning) throw new AppError('conflict', 'Another import runs. Stop it, or wait until it is done.')
    this.#options.imports.begin(path, Date.now())
    return this.#begin(path)
  }

  /** What it has taken in so far stays. Resolves when it does nothing any more. */
  async cancel(): Promise<ImportState | null> {
    return await this.#work.cancel()
  }

  #begin(folder: string): ImportState {
    const zero = { seen: 0, found: 0, added: 0, relinked: 0, known: 0, unreadable: 0 }
    const state: ImportState = { folder, state: 'running', ...zero, problem: null }
    return this.#work.begin(state, (signal) => this.#run(state, signal))
  }

  async #run(state: ImportState, signal: AbortSignal): Promise<void> {
    const { imports, logger } = this.#options
    try {
      const jobId = imports.jobOf(state.folder, basename(state.folder), Date.now())
      let batch: string[] = []
      const unreadable = (folder: string) => {
        state.unreadable++
        logger.warn({ folder }, 'a folder could not be read, and was left out of the import')
      }
      for await (const path of picturesBelow(state.folder, signal, unreadable)) {
        state.found++
        batch.push(path)
        if (batch.length < rowsAtOnce) continue
        await this.#take(state, batch, jobId)
        batch = []
        if (signal.aborted) break
      }
      if (!signal.aborted) await this.#take(state, batch, jobId)
    } finally {
      // One that the end of the app cuts short is gone on with.
      if (!this.#work.closing.aborted) imports.end(state.folder)
    }
  }

  async #take(state: ImportState, paths: readonly string[], jobId: number): Promise<void> {
    const { images, imports } = this.#options
    const read: ReadPicture[] = []
    for (const path of paths) {
      if (images.has(path)) state.known++
      else
        await readPicture(path, state.folder).then(
          (picture) => read.push(picture),
          () => state.unreadable++,
        )
    }
    // In the order of time, as the search likes it.
    const { added, relinked } = imports.take(
      read.toSorted((a, b) => a.createdAtMs - b.createdAtMs),
      jobId,
      images,
      existsSync,
    )
    state.added += added
    state.relinked += relinked
    state.seen += paths.length
    this.#work.tell()
    await nextTurn()
  }
}
