import type { MissingFiles, MissingPlace, MissingWork, RemoveMissingRequest } from '../../src-sidecar/contract/missing-files.ts'
import type { Api } from '../api/client.ts'
import type { GalleryState } from './gallery.svelte.ts'
import { toasts } from './toasts.svelte.ts'

/** Many images tell of themselves one after another. */
const askMs = 500

/** Images whose file is gone: how many, where, and what is being done about it. */
export class MissingState {
  images = $state(0)
  places = $state.raw<readonly MissingPlace[]>([])
  more = $state(0)
  work = $state.raw<MissingWork | null>(null)
  /** Of so many the user does not want to hear. */
  dismissed = $state(0)

  /** Whether what can be done about it is shown. */
  dialog = $state(false)

  running = $derived(this.work?.state === 'running')

  readonly #api: Api
  readonly #gallery: GalleryState
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Api, gallery: GalleryState) {
    this.#api = api
    this.#gallery = gallery
  }

  async fetch(): Promise<void> {
    this.#is(await this.#api.missingFiles())
  }

  /** A little later, where that is not asked for already. */
  fetchSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.fetch().catch((error) => toasts.error(error)), askMs)
  }

  workIs(work: MissingWork): void {
    this.work = work
    if (work.state === 'running') return
    this.fetchSoon()
    if (work.found > 0) this.#gallery.refresh()
  }

  look = () => this.#begin(this.#api.lookForMissing())
  find = (folder: string, movedTo: string) => this.#begin(this.#api.findMoved({ folder, movedTo }))
  remove = (request: RemoveMissingRequest) => this.#begin(this.#api.removeMissing(request))
  stop = () => this.#begin(this.#api.stopMissing())

  /** @returns whether it was taken */
  async #begin(asked: Promise<MissingWork | null>): Promise<boolean> {
    try {
      const work = await asked
      // What has ended meanwhile was told by an event already.
      if (this.work?.state !== 'done' || work?.state !== 'running') this.work = work
      return true
    } catch (error) {
      toasts.error(error)
      return false
    }
  }

  #is({ images, places, more, work }: MissingFiles): void {
    this.images = images
    this.places = places
    this.more = more
    this.work = work
  }
}
