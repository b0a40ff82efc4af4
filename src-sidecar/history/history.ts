import type { GeneratedImage } from '../backends/backend.ts'
import { infotext } from '../backends/infotext.ts'
import type { Image } from '../contract/image.ts'
import { defaultPattern, imageName, imageNameValues } from '../contract/image-name.ts'
import type { Facets, ImagePage, ImageSearch, ImageSort } from '../contract/image-search.ts'
import type { Job } from '../contract/job.ts'
import { stageNames } from '../contract/stages.ts'
import { AppError } from '../errors/app-error.ts'
import { encodedImage } from './encoded-image.ts'
import type { ImageArchive } from './image-archive.ts'
import type { ImageStore } from './image-store.ts'
import { readAsPng, type UnfinishedImage, type UnfinishedImages } from './unfinished-images.ts'

export interface HistoryOptions {
  readonly archive: ImageArchive
  readonly store: ImageStore
  readonly unfinished: UnfinishedImages
  /** For file names, where the recipe has none. */
  readonly pattern?: string
  /** Rating or tags are others now. */
  readonly onChanged?: (image: Image) => void
}

/** Runs `work` as one transaction of the database that holds jobs and images. */
export type Transaction = <T>(work: () => T) => T

/** One picture of a job, and what has made it. */
export interface MadeImage {
  readonly job: Job
  readonly imageIndex: number
  /** From 0. */
  readonly stage: number
  readonly made: GeneratedImage
  readonly backend: string
}

/** Where an image goes on: the last stage that is there, and what it has made. */
export interface LastStage {
  readonly stage: number
  readonly made: GeneratedImage
}

/** Images and their rows. An image exists before its row. */
export class History {
  readonly #options: HistoryOptions

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /**
   * Saves one image of a job, made by its last stage: the file first, then `commit` and the row in one transaction.
   * @param commit counts the image at its job; false where the job is no longer ours, and then nothing is kept.
   * @returns the image, or null where `commit` said no.
   * @throws AppError `disk`.
   */
  async save(one: MadeImage, transaction: Transaction, commit: () => boolean): Promise<Image | null> {
    const before = this.#options.unfinished.of(one.job.id)
    const saved = await this.#write(one, false, transaction, () => {
      if (!commit()) return false
      if (before !== undefined) this.#options.unfinished.take(before)
      this.#forgetFrom(one)
      return true
    })
    if (saved !== null && before !== undefined) await this.#options.unfinished.removeFile(before)
    return saved
  }

  /**
   * Saves what a stage before the last has made, so that the job can go on there: as an image of the history where the recipe keeps
   * it, else in the work folder.
   * @param commit false where the job is no longer ours, and then nothing is kept.
   * @returns whether it was saved. @throws AppError `disk`.
   */
  async saveStage(one: MadeImage, transaction: Transaction, commit: () => boolean): Promise<boolean> {
    const { unfinished } = this.#options
    const { job, imageIndex, stage, made, backend } = one
    const inTransaction = (work: () => void) =>
      transaction(() => {
        const ours = commit()
        if (ours) work()
        return ours
      })
    if (!job.recipe.stages?.[stage]?.keepInput)
      return await unfinished.put({ jobId: job.id, imageIndex, stage, backend, made }, made.png, inTransaction)
    const before = unfinished.of(job.id)
    const saved = await this.#write(one, true, transaction, () =>
      inTransaction(() => {
        if (before !== undefined) unfinished.take(before)
        this.#forgetFrom(one)
      }),
    )
    if (saved !== null && before !== undefined) await unfinished.removeFile(before)
    return saved !== null
  }

  /** What is made anew: its file has gone, or the job has other stages now. */
  #forgetFrom({ job, imageIndex, stage }: MadeImage): void {
    const { store } = this.#options
    const last = stageNames(job.recipe).length - 1
    for (const other of store.stages(job.id, imageIndex))
      if (other.stage >= stage && (other.intermediate || other.stage !== last)) store.forget(other.id)
  }

  /** The last stage of this image that is there and can be read; null where it begins anew. */
  async lastStage(jobId: number, imageIndex: number): Promise<LastStage | null> {
    const { unfinished, store } = this.#options
    const between = unfinished.of(jobId)
    const kept = store.stages(jobId, imageIndex).map((image) => ({ stage: image.stage, path: image.path, made: image }))
    const all = [...kept, ...(between?.imageIndex === imageIndex ? [between] : [])].sort((a, b) => b.stage - a.stage)
    for (const { stage, path, made } of all) {
      const png = await readAsPng(path)
      const { width, height, seed, checkpoint, durationMs, parameters } = made
      if (png !== null) return { stage, made: { png, width, height, seed, checkpoint, durationMs, parameters } }
    }
    return null
  }

  /**
   * What jobs that ended between two stages have made of their last image is kept: it becomes an image of the history.
   * @param jobOf the job with this number
   * @returns the images that came so. @throws AppError `disk`
   */
  async keepUnfinished(transaction: Transaction, jobOf: (id: number) => Job | undefined): Promise<Image[]> {
    const { unfinished, store } = this.#options
    const kept: Image[] = []
    for (const one of unfinished.ofEnded()) {
      const [job, png] = [jobOf(one.jobId), await readAsPng(one.path)]
      if (job !== undefined && png !== null) kept.push(...(await this.#keep(one, job, png, transaction)))
      else if (unfinished.take(one)) await unfinished.removeFile(one)
    }
    return [...kept, ...store.settleStages()]
  }

  async #keep(one: UnfinishedImage, job: Job, png: Buffer, transaction: Transaction): Promise<Image[]> {
    const { unfinished } = this.#options
    const { imageIndex, stage, backend, made } = one
    // Meanwhile the job may have been put back into the queue.
    const stillEnded = () => unfinished.ofEnded().some(({ jobId }) => jobId === job.id) && unfinished.take(one)
    const image = await this.#write({ job, imageIndex, stage, backend, made: { ...made, png } }, false, transaction, stillEnded)
    if (image === null) return []
    await unfinished.removeFile(one)
    return [image]
  }

  /**
   * The file without a row, for a database that takes none any more: its successor reads it back from its own text. What a stage before
   * the last has made is no image yet, and nothing is written.
   * @throws AppError `disk`
   */
  async saveUnrecorded(one: MadeImage): Promise<void> {
    if (one.stage < stageNames(one.job.recipe).length - 1) return
    const { bytes, name } = await this.#encoded(one, Date.now())
    await this.#options.archive.save(bytes, name)
  }

  async #write(one: MadeImage, intermediate: boolean, transaction: Transaction, commit: () => boolean): Promise<Image | null> {
    const { archive, store } = this.#options
    const { job, imageIndex, stage, made, backend } = one
    const createdAtMs = Date.now()
    const { bytes, name, parameters } = await this.#encoded(one, createdAtMs)
    const { width, height, seed, checkpoint, durationMs } = made
    const about = { jobId: job.id, imageIndex, stage, intermediate, width, height, seed, checkpoint, backend, durationMs }
    let saved: Image | null = null
    await archive.save(bytes, name, (file) => {
      saved = transaction(() => (commit() ? store.add({ ...about, parameters, createdAtMs, ...file }) : null))
      return saved !== null
    })
    return saved
  }

  /** The file as it is written. @returns its name below the folder of images */
  async #encoded({ job, imageIndex, stage, made }: MadeImage, createdAtMs: number) {
    const parameters = made.parameters || infotext(job.recipe, made)
    const { bytes, extension } = await encodedImage(made, job.recipe, parameters)
    const names = stageNames(job.recipe)
    const named = job.recipe.filePattern || (this.#options.pattern ?? defaultPattern)
    const name = imageName(
      named,
      imageNameValues({ ...job, jobId: job.id, imageIndex, stage: names[stage] ?? '', used: made, createdAtMs }),
    )
    const mark = stage < names.length - 1 && !/[[{]stage[\]}]/.test(named) ? `-${stage + 1}-${names[stage]}` : ''
    return { bytes, parameters, name: `${name}${mark}${extension}` }
  }

  /** @param after `next` of the page before */
  page(limit: number, after?: string, search: ImageSearch = everything, sort: ImageSort = 'newest'): ImagePage {
    const { store } = this.#options
    const { finder } = store
    const { imageIds, next } = finder.page(search, sort, limit, after)
    const { total, isLeast } = finder.total(search)
    return { images: store.all(imageIds), total, totalIsLeast: isLeast, next }
  }

  /** All images of a search, in its order, some at a time. */
  *found(search: ImageSearch, sort: ImageSort): Generator<Image[]> {
    const { store } = this.#options
    for (let after: string | undefined; ; ) {
      const { imageIds, next } = store.finder.page(search, sort, exportedAtOnce, after)
      yield store.all(imageIds)
      if (next === null) return
      after = next
    }
  }

  /** These images, some at a time; one that is not there is left out. */
  *batches(ids: readonly number[]): Generator<Image[]> {
    for (let at = 0; at < ids.length; at += exportedAtOnce) yield this.#options.store.all(ids.slice(at, at + exportedAtOnce))
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

  /** Its file was found to be gone, or is there again; told once. */
  noteMissing(image: Image, missing: boolean): void {
    if (image.missing === missing) return
    const changed = this.#options.store.setMissing(image.id, missing ? Date.now() : null)
    if (changed !== undefined) this.#options.onChanged?.(changed)
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

  /** What the stages of this image have made, as far as it is kept, in their order. @throws AppError `image_not_found` */
  stagesOf(id: number): Image[] {
    const { jobId, imageIndex } = this.get(id)
    return this.#options.store.stages(jobId, imageIndex)
  }

  /** All kept images of a job with their stages. */
  ofJob(jobId: number): Image[] {
    return this.#options.store.ofJob(jobId)
  }
}

const exportedAtOnce = 100
const everything: ImageSearch = { text: '', facets: {} }

const notFound = (id: number): AppError => new AppError('image_not_found', `There is no image ${id} in the history.`)
