import type { Image } from '../../src-sidecar/contract/image.ts'
import type { Api } from '../api/client.ts'
import { withImages, withNewest } from './gallery-changes.ts'
import { toasts } from './toasts.svelte.ts'

const pageSize = 120

export class GalleryState {
  images = $state.raw<Image[]>([])
  /** Came while the page was scrolled down; shown when asked for, so that nothing moves under the eyes. */
  held = $state.raw<Image[]>([])
  total = $state(0)
  loaded = $state(false)
  loading = $state(false)
  holding = false

  readonly #api: Api
  #next: number | null = null

  constructor(api: Api) {
    this.#api = api
  }

  get complete(): boolean {
    return this.loaded && this.#next === null
  }

  async fetch(): Promise<void> {
    const page = await this.#api.images(pageSize)
    const { images, kept } = withNewest(this.images, page.images)
    this.images = images
    if (!kept) this.#next = page.next
    this.total = page.total
    this.held = []
    this.loaded = true
  }

  async more(): Promise<void> {
    if (this.loading || this.#next === null) return
    this.loading = true
    try {
      const page = await this.#api.images(pageSize, this.#next)
      this.images = withImages(this.images, page.images)
      this.total = page.total
      this.#next = page.next
    } catch (error) {
      toasts.error(error)
    } finally {
      this.loading = false
    }
  }

  add(image: Image): void {
    const isEarlier = (one: Image) => one.jobId === image.jobId && one.imageIndex === image.imageIndex && one.stage < image.stage
    // A later stage went on with it: it is no longer what the job was for.
    const left = this.images.filter((one) => !isEarlier(one))
    this.total += 1 - (this.images.length - left.length)
    if (left.length < this.images.length) this.images = left
    if (this.holding) this.held = withImages(this.held, [image])
    else this.images = withImages(this.images, [image])
  }

  release(): void {
    this.images = withImages(this.images, this.held)
    this.held = []
  }
}
