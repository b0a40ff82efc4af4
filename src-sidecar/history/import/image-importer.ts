import { existsSync } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ImportState } from '../../contract/image-import.ts'
import { AppError, asError } from '../../errors/app-error.ts'
import type { Component, ComponentExit } from '../../lifecycle/component.ts'
import { deferred } from '../../lifecycle/deferred.ts'
import type { Logger } from '../../logging/logger.ts'
import type { ImageStore } from '../image-store.ts'
import type { ImportStore } from './import-store.ts'
import { isPicture, type ReadPicture, readPicture } from './read-picture.ts'

/** Rows of one transaction: some 10 ms in which nothing else is answered. */
const rowsAtOnce = 20
const tellEveryMs = 250

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
  readonly #closed = deferred<ComponentExit>()
  readonly #closing = new AbortController()
  #stopping = new AbortController()
  #state: ImportState | null = null
  #work: Promise<void> | undefined
  #toldAtMs = 0

  constructor(options: ImporterOptions) {
    this.#options = options
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  /** Of the import that runs, or of the last one. */
  get state(): ImportState | null {
    return this.#state
  }

  /** Resolves at once; an import that was cut short goes on. */
  async start(): Promise<void> {
    const [folder] = this.#options.imports.unfinished()
    if (folder !== undefined) this.#begin(folder)
  }

  async stop(): Promise<void> {
    this.#closing.abort()
    await this.#work
    this.#closed.resolve({ name: this.name })
  }

  /** @throws AppError `bad_request` where it is no folder, `conflict` where another import runs */
  async import(folder: string): Promise<ImportState> {
    const path = resolve(folder)
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) throw new AppError('bad_request', `There is no folder ${path}.`)
    if (this.#work !== undefined) throw new AppError('conflict', 'Another import runs. Stop it, or wait until it is done.')
    this.#options.imports.begin(path, Date.now())
    return this.#begin(path)
  }

  /** What it has taken in so far stays. Resolves when it does nothing any more. */
  async cancel(): Promise<ImportState | null> {
    this.#stopping.abort()
    await this.#work
    return this.#state
  }

  #begin(folder: string): ImportState {
    const zero = { seen: 0, found: 0, added: 0, relinked: 0, known: 0, unreadable: 0 }
    const state: ImportState = { folder, state: 'running', ...zero, problem: null }
    this.#stopping = new AbortController()
    this.#state = state
    this.#work = this.#run(state).finally(() => {
      this.#work = undefined
    })
    return state
  }

  async #run(state: ImportState): Promise<void> {
    const { imports, logger } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, this.#stopping.signal])
    try {
      const jobId = imports.jobOf(state.folder, basename(state.folder), Date.now())
      let batch: string[] = []
      for await (const path of this.#pictures(state, signal)) {
        batch.push(path)
        if (batch.length < rowsAtOnce) continue
        await this.#take(state, batch, jobId)
        batch = []
        if (signal.aborted) break
      }
      if (!signal.aborted) await this.#take(state, batch, jobId)
      state.state = signal.aborted ? 'stopped' : 'done'
    } catch (error) {
      logger.error({ err: error, folder: state.folder }, 'the import failed')
      Object.assign(state, { state: 'failed', problem: asError(error).message })
    }
    try {
      // One that the end of the app cuts short is gone on with.
      if (!this.#closing.signal.aborted) imports.end(state.folder)
    } catch (error) {
      logger.error(
        { err: error, folder: state.folder },
        'the end of the import could not be written down: the next start goes on with it',
      )
    }
    this.#tell(state, true)
  }

  /** All image files below the folder, in no order, without reading it all first. */
  async *#pictures(state: ImportState, signal: AbortSignal): AsyncGenerator<string> {
    const folders = [state.folder]
    for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
      for await (const entry of await opendir(folder)) {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) folders.push(path)
        else if (entry.isFile() && isPicture(entry.name)) {
          state.found++
          yield path
        }
      }
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
    this.#tell(state)
    await nextTurn()
  }

  #tell(state: ImportState, now = false): void {
    if (!now && Date.now() - this.#toldAtMs < tellEveryMs) return
    this.#toldAtMs = Date.now()
    this.#options.onProgress({ ...state })
  }
}
