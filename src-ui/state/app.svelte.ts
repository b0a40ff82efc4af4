import { createContext } from 'svelte'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import { rowValue } from '../../src-sidecar/contract/image-search.ts'
import type { ShutdownRequest } from '../../src-sidecar/contract/requests.ts'
import { defaultSettings, type Settings } from '../../src-sidecar/contract/settings.ts'
import type { BackendStatus, Status } from '../../src-sidecar/contract/status.ts'
import { type ApiError, asApiError } from '../api/api-error.ts'
import type { Api } from '../api/client.ts'
import { type ConnectionState, EventConnection } from '../api/event-connection.ts'
import { openEvents } from '../api/events.ts'
import type { Shell } from '../shell/shell.ts'
import { recycledText } from './diagnostics-text.ts'
import { GalleryState } from './gallery.svelte.ts'
import { LearningState } from './learning.svelte.ts'
import { MissingState } from './missing.svelte.ts'
import { ModelsState } from './models.svelte.ts'
import { PacksState } from './packs.svelte.ts'
import { QueueState } from './queue.svelte.ts'
import { router } from './router.svelte.ts'
import { toasts } from './toasts.svelte.ts'

export type DialogName = 'settings' | 'keys' | 'format' | 'exit'

/** All that the page knows of the sidecar, kept by its events. */
export class App {
  connection = $state<ConnectionState>('connecting')
  status = $state.raw<Status | null>(null)
  settings = $state.raw<Settings>(defaultSettings)
  /** Why there is no status although the sidecar answers. */
  problem = $state.raw<ApiError | null>(null)
  dialog = $state<DialogName | null>(null)
  /** A picture of the user's that was dropped or chosen. */
  picture = $state.raw<File | null>(null)
  /** Of the last run's end. */
  lastShutdownSeen = $state(false)
  /** How many notices were dismissed; new ones show again. */
  noticesSeen = $state(0)
  /** From the click on Exit until the sidecar tells its first step. */
  exitAsked = $state(false)

  closing = $derived(this.status?.closing ?? null)
  backends = $derived(this.status?.backends ?? [])

  readonly api: Api
  readonly shell: Shell
  readonly packs: PacksState
  readonly queue: QueueState
  readonly gallery: GalleryState
  readonly missing: MissingState
  readonly learning: LearningState
  readonly models: ModelsState
  readonly #pageId = crypto.randomUUID()
  readonly #events: EventConnection

  constructor(api: Api, shell: Shell) {
    this.api = api
    this.shell = shell
    this.packs = new PacksState(api)
    this.queue = new QueueState(api)
    this.gallery = new GalleryState(api)
    this.missing = new MissingState(api, this.gallery)
    this.learning = new LearningState(api)
    this.models = new ModelsState(api)
    this.#events = new EventConnection({
      openStream: (onEvent, onLost) => openEvents(api.url('/api/events', { page: this.#pageId }), onEvent, onLost),
      probe: () => api.status(),
      onEvent: (event) => this.#apply(event),
      onState: (state) => this.#connectionIs(state),
    })
  }

  start(): void {
    addEventListener('pagehide', () => {
      this.#events.pause()
      navigator.sendBeacon(this.api.url(`/api/pages/${this.#pageId}/hide`))
    })
    addEventListener('pageshow', (event) => {
      if (event.persisted && this.connection !== 'closed') this.#events.open()
    })
    this.#events.open()
  }

  tryAgain(): void {
    this.#events.open()
  }

  /** As the settings say, which may be to ask about the running image first. */
  async exit(): Promise<void> {
    if (this.settings.runningImageAtExit === 'ask' && this.queue.current.running.length > 0) this.dialog = 'exit'
    else await this.close({})
  }

  async close(how: Pick<ShutdownRequest, 'now' | 'runningImage'>): Promise<void> {
    this.dialog = null
    this.exitAsked = true
    try {
      await this.api.shutdown({ ...how, trigger: 'exit-button' })
    } catch (error) {
      this.exitAsked = false
      toasts.error(error)
    }
  }

  backend(id: string | undefined): BackendStatus | undefined {
    return this.backends.find((one) => one.id === id)
  }

  /** The images that were made of a prompt of a pack. @param promptIndex from 0 */
  showRow(packName: string, promptIndex: number): void {
    const facets = { row: [rowValue(packName, promptIndex)] }
    this.gallery.show({ search: { text: '', facets }, sort: this.gallery.sort })
    router.go({ page: 'gallery' })
  }

  async openFolder(what: 'packs' | 'images' | 'log'): Promise<void> {
    const { shell, status } = this
    try {
      if (!shell.openFolder || !status) return await this.api.open(what)
      await shell.openFolder({ packs: status.packsFolder, images: status.imagesFolder, log: status.logFile }[what])
    } catch (error) {
      toasts.error(error)
    }
  }

  /** Nothing is replayed after a reconnect, so all is fetched. */
  async #fetchAll(): Promise<void> {
    const settings = this.api.settings().then((answer) => {
      this.settings = answer
    })
    const all = await Promise.allSettled([
      this.#fetchStatus(),
      settings,
      this.packs.fetch(),
      this.queue.fetch(),
      this.gallery.fetch(),
      this.missing.fetch(),
      this.models.fetch(),
    ])
    const failed = all.find((one) => one.status === 'rejected')
    this.problem = failed && !this.status ? asApiError(failed.reason) : null
    if (failed && this.connection === 'live' && !this.closing) toasts.error(failed.reason)
  }

  async #fetchStatus(): Promise<void> {
    const answer = await this.api.status()
    if (this.status && this.status.version !== answer.version) location.reload()
    if (this.status?.runId !== answer.runId) this.noticesSeen = 0
    this.status = answer
  }

  #apply(event: AppEvent): void {
    this.learning.hear(event)
    if (event.type === 'hello') void this.#fetchAll()
    else if (event.type === 'job') this.queue.applyJob(event.job)
    else if (event.type === 'queue') this.queue.fetchSoon()
    else if (event.type === 'progress') this.queue.applyProgress(event.progress)
    else if (event.type === 'image') this.gallery.add(event.image)
    else if (event.type === 'image-changed') {
      this.gallery.change(event.image)
      if (event.image.missing) this.missing.fetchSoon()
    } else if (event.type === 'missing') this.missing.workIs(event.work)
    else if (event.type === 'files') {
      this.gallery.filesAre(event.missing, event.ids)
      this.missing.fetchSoon()
    } else if (event.type === 'images-removed') this.#removed(event.ids)
    else if (event.type === 'import') this.gallery.importIs(event.import)
    else if (event.type === 'export') this.gallery.exporting = event.export
    else if (event.type === 'packs') this.packs.fetch().catch((error) => toasts.error(error))
    else if (event.type === 'recycled') toasts.show({ kind: 'done', ...recycledText(event.recycled) })
    else if (event.type === 'leak' || event.type === 'notices') this.#fetchStatus().catch((error) => toasts.error(error))
    else if (event.type === 'front') this.shell.front()
    else if (this.status && event.type === 'storage') this.status = { ...this.status, storage: event.storage }
    else if (this.status && event.type === 'backends') this.#backendsAre(event.backends)
    else if (this.status && event.type === 'closing') this.status = { ...this.status, closing: event.closing }
  }

  #removed(ids: readonly number[]): void {
    const { route } = router
    if (route.page === 'gallery' && route.imageId && ids.includes(route.imageId)) router.replace({ page: 'gallery' })
    this.gallery.removed(ids)
  }

  #backendsAre(backends: BackendStatus[]): void {
    const ready = (all: readonly BackendStatus[]) => all.filter(({ state }) => state === 'ready').map(({ id }) => id)
    const before = ready(this.backends).join()
    if (this.status) this.status = { ...this.status, backends }
    // Suggestions only: a lost sidecar is the connection's to notice.
    if (ready(backends).join() !== before) this.models.fetch().catch(() => {})
  }

  #connectionIs(state: ConnectionState): void {
    this.connection = state
    // A moment to read that all has ended.
    if (state === 'closed') setTimeout(() => this.shell.exitWindow(), 900)
  }
}

export const [useApp, provideApp] = createContext<App>()
