import type { GeneratedImage } from '../backends/backend.ts'
import type { Job } from '../contract/job.ts'

/** A picture that was made and could not be saved. */
export interface ImageInHand {
  readonly jobId: number
  readonly imageIndex: number
  readonly stage: number
  readonly made: GeneratedImage
  /** The backend that has made it. */
  readonly by: { readonly id: string; readonly name: string }
}

/**
 * Pictures that wait in memory until they can be saved: two a backend at most, the one that could not be saved and the one that was
 * being made meanwhile. The job that they belong to is in the queue again; whoever runs it next takes them instead of making them anew.
 */
export class ImagesInHand {
  readonly #all = new Map<string, ImageInHand & { readonly recipe: string }>()
  readonly #onCount: (images: number) => void

  constructor(onCount: (images: number) => void = () => {}) {
    this.#onCount = onCount
  }

  get all(): readonly ImageInHand[] {
    return [...this.#all.values()]
  }

  put({ recipe }: Job, one: ImageInHand): void {
    this.#all.set(keyOf(one.jobId, one), { ...one, recipe: JSON.stringify(recipe) })
    this.#onCount(this.#all.size)
  }

  /** Takes it out of memory; undefined where there is none, or the job makes another picture now. */
  take(job: Job, at: Pick<ImageInHand, 'imageIndex' | 'stage'>): ImageInHand | undefined {
    const key = keyOf(job.id, at)
    const one = this.#all.get(key)
    if (one === undefined) return undefined
    this.#all.delete(key)
    this.#onCount(this.#all.size)
    return one.recipe === JSON.stringify(job.recipe) ? one : undefined
  }

  /** Forgets those whose job is over: nobody will take them. */
  forgetEnded(isOver: (jobId: number) => boolean): void {
    for (const [key, { jobId }] of this.#all) if (isOver(jobId)) this.#all.delete(key)
    this.#onCount(this.#all.size)
  }
}

const keyOf = (jobId: number, { imageIndex, stage }: Pick<ImageInHand, 'imageIndex' | 'stage'>): string =>
  `${jobId}-${imageIndex}-${stage}`

/** For the report of the shutdown. */
export const unsavedRemark = ({ jobId, imageIndex }: ImageInHand): string =>
  `image ${imageIndex + 1} of job ${jobId} was made and could not be saved: it is made again at the next start`
