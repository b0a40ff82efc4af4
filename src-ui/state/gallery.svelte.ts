import type { Image } from '../../src-sidecar/contract/image.ts'
import type { FolderExport } from '../../src-sidecar/contract/image-export.ts'
import type { ImportState } from '../../src-sidecar/contract/image-import.ts'
import type {
  FacetName,
  Facets,
  ImagePage,
  ImageSearch,
  ImageSort,
  SavedSearch,
} from '../../src-sidecar/contract/image-search.ts'
import type { Api, SortedSearch } from '../api/client.ts'
import { withImages, withNewest, withNext } from './gallery-changes.ts'
import { toasts } from './toasts.svelte.ts'

const pageSize = 120
const recentKept = 120
/** While somebody types. */
const typingMs = 90
/** Many images come one after another. */
const refreshMs = 800

const everything: ImageSearch = { text: '', facets: {} }

/** The gallery: the images of a search, as far as they were scrolled to. Without one: all, the newest first. */
export class GalleryState {
  images = $state.raw<Image[]>([])
  /** Came while the page was scrolled down; shown when asked for, so that nothing moves under the eyes. */
  held = $state.raw<Image[]>([])
  /** The latest of all, whatever is searched for. */
  recent = $state.raw<Image[]>([])
  total = $state(0)
  totalIsLeast = $state(false)
  loaded = $state(false)
  loading = $state(false)
  holding = false

  search = $state.raw<ImageSearch>(everything)
  sort = $state<ImageSort>('newest')
  facets = $state.raw<Facets | null>(null)
  saved = $state.raw<SavedSearch[]>([])
  selected = $state.raw<ReadonlySet<number>>(new Set())
  /** The import that runs, or ran last. */
  importing = $state.raw<ImportState | null>(null)
  /** The export to a folder that runs, or ran last. */
  exporting = $state.raw<FolderExport | null>(null)
  /** Whether facets are shown, and so asked for. */
  filtering = $state(false)

  searching = $derived(JSON.stringify(this.search) !== JSON.stringify(everything))
  /** New images belong at its beginning. */
  #plain = $derived(!this.searching && this.sort === 'newest')

  readonly #api: Api
  #next: string | null = null
  /** Answers to older questions are dropped. */
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What came since each answer was asked for that is under way: it may be older than they are. */
  readonly #underWay = new Set<Image[]>()

  constructor(api: Api) {
    this.#api = api
  }

  get complete(): boolean {
    return this.loaded && this.#next === null
  }

  get asked(): SortedSearch {
    return { search: this.search, sort: this.sort }
  }

  /** After a (re)connect. */
  async fetch(): Promise<void> {
    const [{ page: recent, missed }, saved, importing, exporting] = await Promise.all([
      this.#newest(recentKept, { search: everything, sort: 'newest' }),
      this.#api.savedSearches(),
      this.#api.importState(),
      this.#api.exportState(),
    ])
    this.importing = importing
    this.exporting = exporting
    this.recent = withImages(recent.images, missed)
    this.saved = saved
    if (!this.#plain) return await this.#ask()
    const { images, kept } = withNewest(this.images, recent.images)
    this.images = images
    if (!kept) this.#next = recent.next
    this.total = recent.total
    this.totalIsLeast = recent.totalIsLeast
    this.held = []
    this.loaded = true
    for (const image of missed) this.#show(image)
    await this.#countFacets()
  }

  async more(): Promise<void> {
    if (this.loading || this.#next === null) return
    const asked = this.#asked
    this.loading = true
    try {
      const page = await this.#api.images(pageSize, this.asked, this.#next)
      if (asked !== this.#asked) return
      this.images = this.#plain ? withImages(this.images, page.images) : withNext(this.images, page.images)
      this.#next = page.next
    } catch (error) {
      toasts.error(error)
    } finally {
      this.loading = false
    }
  }

  /** What is typed is looked for a moment later. */
  type(text: string): void {
    this.search = { ...this.search, text }
    this.#later(typingMs)
  }

  show({ search, sort }: SortedSearch): void {
    this.search = search
    this.sort = sort
    this.#later(0)
  }

  narrow(change: Partial<ImageSearch>): void {
    const { from, to, seed, ...rest } = { ...this.search, ...change }
    this.show({
      search: { ...rest, ...(from && { from }), ...(to && { to }), ...(seed !== undefined && { seed }) },
      sort: this.sort,
    })
  }

  toggle(name: FacetName, value: string): void {
    const chosen = this.search.facets[name] ?? []
    const next = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]
    const { [name]: _, ...others } = this.search.facets
    this.narrow({ facets: next.length > 0 ? { ...others, [name]: next } : others })
  }

  clear(): void {
    this.show({ search: everything, sort: this.sort })
  }

  showFilters(shown: boolean): void {
    this.filtering = shown
    this.#countFacets().catch((error) => toasts.error(error))
  }

  select(ids: Iterable<number>): void {
    this.selected = new Set(ids)
  }

  async rate(ids: Iterable<number>, rating: number | null): Promise<void> {
    await this.#each(ids, (id) => this.#api.rateImage(id, rating))
  }

  /** Adds a tag to each, or takes it away. */
  async tag(ids: Iterable<number>, tag: string, on: boolean): Promise<void> {
    await this.#each(ids, async (id) => {
      const { tags } = this.images.find((image) => image.id === id) ?? (await this.#api.image(id))
      return await this.#api.tagImage(id, [...tags.filter((one) => one !== tag), ...(on ? [tag] : [])])
    })
  }

  async saveSearch(name: string): Promise<void> {
    await this.#api.saveSearch(name, this.asked)
    this.saved = await this.#api.savedSearches()
  }

  async removeSearch(id: number): Promise<void> {
    await this.#api.removeSearch(id)
    this.saved = await this.#api.savedSearches()
  }

  async importFolder(folder: string): Promise<void> {
    this.importing = await this.#api.importFolder(folder)
  }

  /** What an import takes in is shown once it is over. */
  importIs(state: ImportState): void {
    this.importing = state
    if (state.state !== 'running') this.fetch().catch((error) => toasts.error(error))
  }

  add(image: Image): void {
    for (const images of this.#underWay) images.push(image)
    this.#show(image)
  }

  #show(image: Image): void {
    const isEarlier = (one: Image) => one.jobId === image.jobId && one.imageIndex === image.imageIndex && one.stage < image.stage
    this.recent = withImages(
      this.recent.filter((one) => !isEarlier(one)),
      [image],
    ).slice(0, recentKept)
    if (!this.#plain) {
      if (!this.holding) this.#later(refreshMs)
      return
    }
    // A later stage went on with it: it is no longer what the job was for.
    const left = this.images.filter((one) => !isEarlier(one))
    this.total += 1 - (this.images.length - left.length)
    if (left.length < this.images.length) this.images = left
    if (this.holding) this.held = withImages(this.held, [image])
    else this.images = withImages(this.images, [image])
  }

  /** It stays where it is, though it may no longer be what was searched for. */
  change(image: Image): void {
    this.#lists((images) => images.map((one) => (one.id === image.id ? image : one)))
  }

  /** The files of these images were found to be gone, or to be there again. */
  filesAre(missing: boolean, ids: readonly number[]): void {
    const these = new Set(ids)
    this.#lists((images) => images.map((one) => (these.has(one.id) ? { ...one, missing } : one)))
    if (this.search.facets.file !== undefined) this.refresh()
  }

  removed(ids: readonly number[]): void {
    const these = new Set(ids)
    this.#lists((images) => images.filter(({ id }) => !these.has(id)))
    this.select([...this.selected].filter((id) => !these.has(id)))
    this.refresh()
  }

  /** Asks for everything anew, a moment later. */
  refresh(): void {
    this.#later(refreshMs)
  }

  #lists(changed: (images: Image[]) => Image[]): void {
    this.images = changed(this.images)
    this.held = changed(this.held)
    this.recent = changed(this.recent)
  }

  release(): void {
    // As the tiles go, Svelte still shows their cleanup the old values: written back, they would never be gone.
    if (this.held.length === 0) return
    this.images = withImages(this.images, this.held)
    this.held = []
  }

  async #each(ids: Iterable<number>, work: (id: number) => Promise<Image>): Promise<void> {
    try {
      for (const id of ids) this.change(await work(id))
      await this.#countFacets()
    } catch (error) {
      toasts.error(error)
    }
  }

  #later(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ask().catch((error) => toasts.error(error)), ms)
  }

  async #ask(): Promise<void> {
    const asked = ++this.#asked
    const { page, missed } = await this.#newest(pageSize, this.asked)
    if (asked !== this.#asked) return
    this.images = page.images
    this.held = []
    this.total = page.total
    this.totalIsLeast = page.totalIsLeast
    this.#next = page.next
    this.loaded = true
    for (const image of this.#plain ? missed : []) this.#show(image)
    await this.#countFacets()
  }

  /** The first page, and what came meanwhile and is not in it. */
  async #newest(limit: number, what: SortedSearch): Promise<{ page: ImagePage; missed: Image[] }> {
    const arrived: Image[] = []
    this.#underWay.add(arrived)
    try {
      const page = await this.#api.images(limit, what)
      const known = new Set(page.images.map(({ id }) => id))
      return { page, missed: arrived.filter(({ id }) => !known.has(id)) }
    } finally {
      this.#underWay.delete(arrived)
    }
  }

  async #countFacets(): Promise<void> {
    if (!this.filtering) return
    const asked = this.#asked
    const facets = await this.#api.facets(this.search)
    if (asked === this.#asked) this.facets = facets
  }
}
