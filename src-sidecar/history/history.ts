import type { GeneratedImage } from '../backends/backend.ts'
import { infotext } from '../backends/infotext.ts'
import type { Image, ImagePage } from '../contract/image.ts'
import type { Job } from '../contract/job.ts'
import { AppError } from '../errors/app-error.ts'
import { localDate, safeFileName } from './file-name.ts'
import type { ImageArchive } from './image-archive.ts'
import type { ImageStore } from './image-store.ts'
import { withPngText } from './png-text.ts'

export interface HistoryOptions {
  readonly archive: ImageArchive
  readonly store: ImageStore
  /** `false` puts all images into one folder, without one for each day and pack. */
  readonly foldersByDay: boolean
}

/** Images and their rows. An image exists before its row. */
export class History {
  readonly #options: HistoryOptions

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /**
   * Saves one image of a job: the file first, then `commit` and the row in one transaction.
   * @param commit counts the image at its job; false where the job is no longer ours, and then nothing is kept.
   * @returns the image, or null where `commit` said no.
   * @throws AppError `disk`.
   */
  async save(
    job: Job,
    imageIndex: number,
    made: GeneratedImage,
    backend: string,
    transaction: Transaction,
    commit: () => boolean,
  ): Promise<Image | null> {
    const { archive, store } = this.#options
    const createdAtMs = Date.now()
    const parameters = made.parameters || infotext(job.recipe, made)
    const png = withPngText(made.png, 'parameters', parameters)
    const { width, height, seed, checkpoint, durationMs } = made
    const about = { jobId: job.id, imageIndex, width, height, seed, checkpoint, backend, durationMs, parameters, createdAtMs }
    let saved: Image | null = null
    await archive.save(png, this.#relativePath(job, imageIndex, seed, createdAtMs), (file) => {
      saved = transaction(() => (commit() ? store.add({ ...about, ...file }) : null))
      return saved !== null
    })
    return saved
  }

  page(limit: number, before?: number): ImagePage {
    return this.#options.store.page(limit, before)
  }

  /** @throws AppError `image_not_found`. */
  get(id: number): Image {
    const image = this.#options.store.get(id)
    if (image === undefined) throw new AppError('image_not_found', `There is no image ${id} in the history.`)
    return image
  }

  #relativePath(job: Job, imageIndex: number, seed: number, nowMs: number): string {
    const pack = safeFileName(job.packName)
    const number = String(job.promptIndex + 1).padStart(3, '0')
    const image = job.recipe.images > 1 ? `-${imageIndex + 1}` : ''
    if (!this.#options.foldersByDay) return `${pack}-${number}${image}-${seed}.png`
    return `${localDate(nowMs)}/${pack}/${number}${image}-${safeFileName(job.recipe.prompt, 40)}-${seed}.png`
  }
}

/** Runs `work` as one transaction of the database that holds jobs and images. */
export type Transaction = <T>(work: () => T) => T
