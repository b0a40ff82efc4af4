import type { Pack, Packs } from '../../src-sidecar/contract/pack.ts'
import type { RecipeDefaults } from '../../src-sidecar/contract/recipe.ts'
import type { ApiError } from '../api/api-error.ts'
import { asApiError } from '../api/api-error.ts'
import type { Api } from '../api/client.ts'

export class PacksState {
  list = $state.raw<Packs>({ packs: [], userFolder: '' })
  loaded = $state(false)
  search = $state('')

  pack = $state.raw<Pack | null>(null)
  packError = $state.raw<ApiError | null>(null)
  selected = $state.raw<ReadonlySet<number>>(new Set())

  /** How the next batch is queued; stays from pack to pack. */
  images = $state(1)
  overrides = $state.raw<Partial<RecipeDefaults>>({})
  /** The only backend for what is queued from here; null: any. */
  pinnedTo = $state<string | null>(null)
  seed = $state<number | null>(null)

  found = $derived.by(() => {
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean)
    return this.list.packs.filter((pack) => words.every((word) => pack.name.toLowerCase().includes(word)))
  })

  readonly #api: Api
  #openId: string | null = null

  constructor(api: Api) {
    this.#api = api
  }

  async fetch(): Promise<void> {
    this.list = await this.#api.packs()
    this.loaded = true
    if (this.#openId) await this.#load(this.#openId)
  }

  async open(id: string): Promise<void> {
    if (id === this.#openId) return
    this.#openId = id
    this.selected = new Set()
    this.packError = null
    await this.#load(id)
  }

  async #load(id: string): Promise<void> {
    try {
      const pack = await this.#api.pack(id)
      if (id !== this.#openId) return
      this.selected = new Set([...this.selected].filter((index) => index < pack.prompts.length))
      this.pack = pack
      this.packError = null
    } catch (error) {
      if (id !== this.#openId) return
      this.pack = null
      this.packError = asApiError(error)
    }
  }

  toggle(index: number): void {
    const next = new Set(this.selected)
    if (!next.delete(index)) next.add(index)
    this.selected = next
  }

  selectAll(on: boolean): void {
    this.selected = new Set(on ? this.pack?.prompts.map((prompt) => prompt.index) : [])
  }
}
