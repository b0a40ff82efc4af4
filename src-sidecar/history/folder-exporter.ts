import { constants, createWriteStream } from 'node:fs'
import { chmod, copyFile, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { z } from 'zod'
import type { Image } from '../contract/image.ts'
import type { FolderExport, folderExportRequestSchema } from '../contract/image-export.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import type { Logger } from '../logging/logger.ts'
import { sizeText } from '../store/storage-message.ts'
import { freeBytes } from '../store/write-target.ts'
import { ExportedNames, imagesAsCsv, imagesAsJson } from './export-images.ts'
import type { History } from './history.ts'
import { syncFolder } from './image-archive.ts'
import { LongWork } from './long-work.ts'

const unfinishedMark = '.unfinished'
/** For manifests, and for what else writes to the disk meanwhile. */
const spareBytes = 16 * 2 ** 20

export interface FolderExporterOptions {
  readonly history: Pick<History, 'found' | 'batches'>
  readonly logger: Logger
  readonly onProgress: (state: FolderExport) => void
  /** For tests: how many bytes a folder's disk has room for; null where it does not say. */
  readonly freeBytes?: (folder: string) => Promise<number | null>
}

/**
 * Copies images into a new folder, with `manifest.json` and `manifest.csv`. The folder has its name only once all is in it and on
 * disk: what is cut short is called `.unfinished`, and removed unless the app was killed. One export at a time.
 */
export class FolderExporter implements Component {
  readonly name = 'image export'
  readonly #options: FolderExporterOptions
  readonly #work: LongWork<FolderExport>

  constructor(options: FolderExporterOptions) {
    this.#options = options
    this.#work = new LongWork({ ...options, name: this.name })
  }

  get closed(): Promise<ComponentExit> {
    return this.#work.closed
  }

  /** Of the export that runs, or of the last one. */
  get state(): FolderExport | null {
    return this.#work.state
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#work.stop()
  }

  /** What it has copied is removed again. Resolves when it does nothing any more. */
  async cancel(): Promise<FolderExport | null> {
    return await this.#work.cancel()
  }

  /** @throws AppError `disk` where the folder can't be written to, `conflict` where another export runs */
  async export(request: z.output<typeof folderExportRequestSchema>, nowMs: number): Promise<FolderExport> {
    const refuseWhenBusy = () => {
      if (this.#work.isRunning) throw new AppError('conflict', 'Another export runs. Stop it, or wait until it is done.')
    }
    refuseWhenBusy()
    const unfinished = await newFolder(resolve(request.folder), nowMs)
    try {
      refuseWhenBusy()
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true })
      throw error
    }
    const folder = unfinished.slice(0, -unfinishedMark.length)
    const state: FolderExport = { folder, state: 'running', copied: 0, of: 0, missing: 0, problem: null }
    return this.#work.begin(state, (signal) => this.#run(request, unfinished, state, signal))
  }

  async #run(
    request: z.output<typeof folderExportRequestSchema>,
    unfinished: string,
    state: FolderExport,
    signal: AbortSignal,
  ): Promise<'done' | undefined> {
    const { history } = this.#options
    try {
      const ids = await this.#chosen(request, unfinished, state, signal)
      const names = new ExportedNames()
      for (const images of history.batches(ids)) {
        for (const image of images) if (!signal.aborted) await this.#copy(image, unfinished, names, state)
        if (signal.aborted) break
      }
      if (!signal.aborted) {
        await write(join(unfinished, 'manifest.json'), imagesAsJson(history.batches(ids), names))
        await write(join(unfinished, 'manifest.csv'), imagesAsCsv(history.batches(ids), names))
        await syncFolder(unfinished)
      }
      if (!signal.aborted) {
        await rename(unfinished, state.folder)
        await syncFolder(dirname(state.folder))
        return 'done'
      }
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true }).catch(() => {})
      throw diskError(error, state)
    }
    await rm(unfinished, { recursive: true, force: true })
    return undefined
  }

  /** The ids of what is exported, so that it stays the same to the end. @throws AppError `disk` where there is no room for it */
  async #chosen(
    { ids, search, sort }: z.output<typeof folderExportRequestSchema>,
    unfinished: string,
    state: FolderExport,
    signal: AbortSignal,
  ): Promise<number[]> {
    const { history, freeBytes: free = freeBytes } = this.#options
    const chosen: number[] = []
    let bytes = spareBytes
    for (const images of ids === undefined ? history.found(search, sort) : history.batches(ids)) {
      if (signal.aborted) break
      for (const image of images) {
        chosen.push(image.id)
        bytes += image.sizeBytes
      }
      state.of = chosen.length
      await nextTurn()
    }
    const room = await free(unfinished)
    if (room !== null && room < bytes)
      throw new AppError(
        'disk',
        `${sizeText(bytes)} are needed in ${dirname(state.folder)}, and its disk has room for ${sizeText(room)}. Make room, or export fewer images.`,
      )
    return chosen
  }

  async #copy(image: Image, folder: string, names: ExportedNames, state: FolderExport): Promise<void> {
    const stats = await stat(image.path).catch(() => null)
    if (stats === null) state.missing++
    else {
      const path = join(folder, names.take(image))
      await copyFile(image.path, path, constants.COPYFILE_EXCL)
      // Of one that is read-only it is made so that it can be written to disk, and removed.
      await chmod(path, stats.mode | 0o200)
      await sync(path)
      await utimes(path, stats.atime, stats.mtime)
      state.copied++
    }
    this.#work.tell()
  }
}

/** @returns the path of a new, unfinished folder. @throws AppError `disk` */
async function newFolder(within: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')
  try {
    await mkdir(within, { recursive: true })
    for (let number = 1; ; number++) {
      const path = join(within, `stablenew-${stamp}${number === 1 ? '' : `-${number}`}`)
      const taken = await stat(path).catch(() => null)
      const made = taken === null && (await mkdir(path + unfinishedMark).then(() => true, unlessTaken))
      if (made) return path + unfinishedMark
    }
  } catch (error) {
    throw new AppError(
      'disk',
      `Nothing can be written to ${within}: ${asError(error).message}. Choose a folder that you may write to.`,
      {
        cause: error,
      },
    )
  }
}

function unlessTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

const full = new Set(['ENOSPC', 'EDQUOT'])

function diskError(error: unknown, { folder, copied, of }: FolderExport): AppError {
  if (error instanceof AppError) return error
  const why = full.has((error as NodeJS.ErrnoException).code ?? '')
    ? `The disk of ${dirname(folder)} is full`
    : asError(error).message
  const message = `${why}. ${copied} of ${of} images were copied to ${basename(folder)}, and have been removed again.`
  return new AppError('disk', message, { cause: error })
}

async function write(path: string, parts: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(parts), createWriteStream(path, { flags: 'wx', flush: true }))
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
