import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { AppEvent } from '../../contract/events.ts'
import type {
  FindMovedRequest,
  MissingFiles as Missing,
  MissingWork,
  RemoveMissingRequest,
} from '../../contract/missing-files.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Component, ComponentExit } from '../../lifecycle/component.ts'
import type { Logger } from '../../logging/logger.ts'
import { LongWork } from '../long-work.ts'
import { answered, presence } from './file-presence.ts'
import type { ImageFile, ImageFiles } from './image-files.ts'
import { all, filesAtOnce, missingBelow, missingOf, pathsOfMissing } from './missing-images.ts'
import { missingPlaces } from './missing-places.ts'
import { MovedFolder } from './moved-folder.ts'

const lookAgainMs = 86_400_000
/** After the start, and how often it is asked whether a look is due. */
const askEveryMs = 300_000
/** Rows of one transaction: some 10 ms in which nothing else is answered. */
const rowsAtOnce = 20
/** Between two parts of a look that nobody waits for, so that a disk has time for others: a million files take ten minutes. */
const restMs = 50

export interface MissingFilesOptions {
  readonly files: ImageFiles
  readonly logger: Logger
  readonly publish: (event: AppEvent) => void
  /** Removes the thumbnails of images that are removed. */
  readonly forgetThumbnails: (images: readonly ImageFile[]) => Promise<void>
}

/**
 * Knows which images have lost their file: looks at all of them once a day, in small parts, or when asked; finds those of a folder
 * that was moved; removes rows on request. By itself it only marks, and takes marks back.
 */
export class MissingFiles implements Component {
  readonly name = 'missing files'
  readonly #options: MissingFilesOptions
  readonly #work: LongWork<MissingWork>
  #timer: NodeJS.Timeout | undefined
  /** Somebody waits for what runs. */
  #asked = false

  constructor(options: MissingFilesOptions) {
    const { logger, publish } = options
    this.#options = options
    this.#work = new LongWork({ name: this.name, logger, onProgress: (work) => publish({ type: 'missing', work }) })
  }

  get closed(): Promise<ComponentExit> {
    return this.#work.closed
  }

  /** Resolves at once; the first look comes some minutes later, where one is due. */
  async start(): Promise<void> {
    if (this.#work.closing.aborted) return
    this.#timer = setInterval(() => this.lookIfDue(Date.now()), askEveryMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#work.stop()
  }

  lookIfDue(nowMs: number): void {
    if (!this.#work.isRunning && nowMs - this.#options.files.lookedAtMs >= lookAgainMs) this.#beginLook(false)
  }

  /** What is missing, and where. @throws AppError `timeout` where a disk does not answer */
  async view(): Promise<Missing> {
    const found = await answered(
      'asking where files are missing',
      missingPlaces(pathsOfMissing(this.#options.files)),
      this.#work.closing,
    )
    return { work: this.#work.state, ...(found ?? { images: 0, places: [], more: 0 }) }
  }

  /** Looks whether the files of all images are there. One that runs goes on, without its rests. @throws AppError `conflict` */
  look(): MissingWork {
    const { isRunning, state } = this.#work
    if (!isRunning || state?.what !== 'look') {
      this.#refuseWhenBusy()
      return this.#beginLook(true)
    }
    this.#asked = true
    return state
  }

  /**
   * Finds missing files of a folder below the one that it became.
   * @throws AppError `bad_request` where that is no folder, `conflict`
   */
  async find({ folder, movedTo }: FindMovedRequest): Promise<MissingWork> {
    const to = resolve(movedTo)
    const isFolder = await stat(to).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) throw new AppError('bad_request', `There is no folder ${to}.`)
    await this.#giveWay()
    return this.#begin('find', true, (work, signal) => this.#find(resolve(folder), to, work, signal))
  }

  /** Takes images whose file is missing out of the history; one whose file is there after all stays. @throws AppError `conflict` */
  async remove(request: RemoveMissingRequest): Promise<MissingWork> {
    await this.#giveWay()
    return this.#begin('remove', true, async (work, signal) => {
      const { files } = this.#options
      const wanted = 'ids' in request ? missingOf(files, request.ids) : missingBelow(files, resolve(request.folder))
      await this.#remove(await all(wanted, signal), work, signal)
    })
  }

  /** What was done so far stays. Resolves when it does nothing any more. */
  async cancel(): Promise<MissingWork | null> {
    return await this.#work.cancel()
  }

  /** A look that nobody waits for is broken off. */
  async #giveWay(): Promise<void> {
    if (this.#work.isRunning && !this.#asked) await this.cancel()
    this.#refuseWhenBusy()
  }

  #refuseWhenBusy(): void {
    if (this.#work.isRunning)
      throw new AppError('conflict', 'Files are being looked through already. Stop that, or wait until it is done.')
  }

  #beginLook(asked: boolean): MissingWork {
    return this.#begin('look', asked, (work, signal) => this.#look(work, signal))
  }

  #begin(what: MissingWork['what'], asked: boolean, run: (work: MissingWork, signal: AbortSignal) => Promise<void>): MissingWork {
    const zero = { seen: 0, of: 0, gone: 0, back: 0, found: 0, removed: 0 }
    const work: MissingWork = { what, state: 'running', ...zero, problem: null }
    this.#asked = asked
    return this.#work.begin(work, (signal) => run(work, signal))
  }

  async #look(work: MissingWork, signal: AbortSignal): Promise<void> {
    const { files } = this.#options
    work.of = files.count
    for (let after = 0; ; ) {
      const some = files.after(after, filesAtOnce)
      const there = await answered(`looking for files such as ${some[0]?.path}`, presences(some), signal)
      if (some.length === 0 || there === null) break
      await this.#note(
        some.filter(({ missing }, at) => !missing && there[at] === false),
        true,
        work,
      )
      await this.#note(
        some.filter(({ missing }, at) => missing && there[at] === true),
        false,
        work,
      )
      after = some.at(-1)!.id
      work.seen += some.length
      this.#work.tell()
      if (!this.#asked) await sleep(restMs, undefined, { signal }).catch(() => {})
    }
    if (!signal.aborted) files.lookedAtMs = Date.now()
  }

  async #find(from: string, to: string, work: MissingWork, signal: AbortSignal): Promise<void> {
    const folder = new MovedFolder(from, to, signal)
    const missing = await all(missingBelow(this.#options.files, from), signal)
    work.of = missing.length
    for (const some of slices(missing)) {
      const places = await answered(
        `looking for files below ${to}`,
        Promise.all(some.map((file) => folder.placeOf(file))),
        signal,
      )
      if (places === null) break
      const ids = this.#options.files.moved(some.flatMap(({ id }, at) => (places[at] ? [{ id, path: places[at] }] : [])))
      work.found += ids.length
      work.seen += some.length
      if (ids.length > 0) this.#options.publish({ type: 'files', missing: false, ids })
      this.#work.tell()
      await nextTurn()
    }
  }

  async #remove(missing: readonly ImageFile[], work: MissingWork, signal: AbortSignal): Promise<void> {
    work.of = missing.length
    for (const some of slices(missing)) {
      const there = await answered(`looking for files such as ${some[0]?.path}`, presences(some), signal)
      if (there === null) break
      const gone = some.filter((_, at) => there[at] === false)
      const ids = this.#options.files.remove(gone)
      work.removed += ids.length
      work.seen += some.length
      if (ids.length > 0) this.#options.publish({ type: 'images-removed', ids })
      await this.#options.forgetThumbnails(gone)
      await this.#note(
        some.filter((_, at) => there[at] === true),
        false,
        work,
      )
      this.#work.tell()
    }
  }

  async #note(files: readonly ImageFile[], missing: boolean, work: MissingWork): Promise<void> {
    for (const some of slices(files)) {
      const ids = this.#options.files.note(some, missing ? Date.now() : null)
      work[missing ? 'gone' : 'back'] += ids.length
      if (ids.length > 0) this.#options.publish({ type: 'files', missing, ids })
      await nextTurn()
    }
  }
}

const presences = (files: readonly ImageFile[]): Promise<(boolean | null)[]> =>
  Promise.all(files.map(({ path }) => presence(path)))

function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += rowsAtOnce) yield all.slice(at, at + rowsAtOnce)
}
