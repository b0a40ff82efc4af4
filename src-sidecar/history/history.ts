import type { GeneratedImage } from '../backends/backend.ts'
import { infotext } from '../backends/infotext.ts'
import type { Image } from '../contract/image.ts'
import type { Facets, ImagePage, ImageSearch, ImageSort } from '../contract/image-search.ts'
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
  /** Rating or tags are others now. */
  readonly onChanged?: (image: Image) => void
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

  /** @param after `next` of the page before */
  page(limit: number, after?: string, search: ImageSearch = everything, sort: ImageSort = 'newest'): ImagePage {
    const { store } = this.#options
    const { finder } = store
    const { imageIds, next } = finder.page(search, sort, limit, after)
    const { total, isLeast } = finder.total(search)
    return { images: store.all(imageIds), total, totalIsLeast: isLeast, next }
  }

  /** What the images of a search have in common. */
  facets(search: ImageSearch): Facets {
    return this.#options.store.facets.of(search)
  }

  /** @throws AppError `image_not_found`. */
  get(id: number): Image {
    const image = this.#options.store.get(id)
    if (image === undefined) throw notFound(id)
    return image
  }

  /** @param rating 1 to 5; null takes it back. @throws AppError `image_not_found`. */
  rate(id: number, rating: number | null): Image {
    return this.#changed(id, this.#options.store.rate(id, rating, Date.now()))
  }

  /** These in place of the tags that it has. @throws AppError `image_not_found`. */
  setTags(id: number, tags: readonly string[]): Image {
    return this.#changed(id, this.#options.store.setTags(id, tags))
  }

  #changed(id: number, image: Image | undefined): Image {
    if (image === undefined) throw notFound(id)
    this.#options.onChanged?.(image)
    return image
  }

  /** Mean time that the latest images took, in milliseconds; null before the first. */
  recentDurationMs(): number | null {
    return this.#options.store.recentDurationMs()
  }

  #relativePath(job: Job, imageIndex: number, seed: number, nowMs: number): string {
    const pack = safeFileName(job.packName)
    const number = String(job.promptIndex + 1).padStart(3, '0')
    const image = job.recipe.images > 1 ? `-${imageIndex + 1}` : ''
    if (!this.#options.foldersByDay) return `${pack}-${number}${image}-${seed}.png`
    return `${localDate(nowMs)}/${pack}/${number}${image}-${safeFileName(job.recipe.prompt, 40)}-${seed}.png`
  }
}

const everything: ImageSearch = { text: '', facets: {} }

const notFound = (id: number): AppError => new AppError('image_not_found', `There is no image ${id} in the history.`)

/** Runs `work` as one transaction of the database that holds jobs and images. */
export type Transaction = <T>(work: () => T) => T
