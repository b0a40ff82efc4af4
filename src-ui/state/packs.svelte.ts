import type { Pack, PackChoice, Packs } from '../../src-sidecar/contract/pack.ts'
import type { RecipeDefaults } from '../../src-sidecar/contract/recipe.ts'
import type { ApiError } from '../api/api-error.ts'
import { asApiError } from '../api/api-error.ts'
import type { Api } from '../api/client.ts'
import { PackEditorState } from './pack-editor.svelte.ts'
import { PreviewState, randomSeed } from './preview.svelte.ts'
import { readSweeps, type TypedSweep } from './sweeps.ts'

export class PacksState {
  list = $state.raw<Packs>({ packs: [], userFolder: '' })
  loaded = $state(false)
  search = $state('')

  pack = $state.raw<Pack | null>(null)
  packError = $state.raw<ApiError | null>(null)
  selected = $state.raw<ReadonlySet<number>>(new Set())

  /** How the next batch is queued; stays from pack to pack. Null: as the pack says, otherwise 1. */
  images = $state<number | null>(null)
  overrides = $state.raw<Partial<RecipeDefaults>>({})
  /** The only backend for what is queued from here; null: any. */
  pinnedTo = $state<string | null>(null)
  seed = $state<number | null>(null)
  /** Settings that take each of their values in turn, as they are typed. */
  sweeps = $state.raw<readonly TypedSweep[]>([])
  /** Of the jobs, the first so many. */
  limit = $state<number | null>(null)
  /** What wildcards and braces are drawn by: the preview shows what is queued. */
  drawSeed = $state(randomSeed())

  readonly preview: PreviewState
  /** The pack that is being edited. */
  editor = $state.raw<PackEditorState | null>(null)
  /** A pack that is to be named: a new one, or a copy. */
  naming = $state.raw<{ copyOf?: Pick<Pack, 'id' | 'name'>; editor?: PackEditorState } | null>(null)

  found = $derived.by(() => {
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean)
    return this.list.packs.filter((pack) => words.every((word) => pack.name.toLowerCase().includes(word)))
  })

  /** Which jobs would be queued now. */
  choice = $derived.by(
    (): PackChoice => ({
      drawSeed: this.drawSeed,
      sweeps: readSweeps(this.sweeps),
      ...(this.selected.size && this.selected.size !== this.pack?.promptCount
        ? { prompts: [...this.selected].sort((a, b) => a - b) }
        : {}),
      ...(this.limit === null ? {} : { limit: this.limit }),
    }),
  )

  readonly #api: Api
  #openId: string | null = null

  constructor(api: Api) {
    this.#api = api
    this.preview = new PreviewState(api)
  }

  async fetch(): Promise<void> {
    this.list = await this.#api.packs()
    this.loaded = true
    if (this.#openId) await this.#load(this.#openId)
    // Somebody else may have written the files of the pack that is being edited.
    this.editor?.check()
  }

  async edit(id: string): Promise<void> {
    this.editor?.leave()
    this.editor = new PackEditorState(this.#api, await this.#api.editPack(id))
  }

  stopEditing(): void {
    this.editor?.leave()
    this.editor = null
  }

  /** Makes the pack that was named, and edits it. @returns its id. @throws ApiError */
  async create(name: string): Promise<string> {
    const { copyOf, editor } = this.naming ?? {}
    const id = editor ? await editor.saveCopy(name) : (await this.#api.newPack({ name, ...(copyOf && { copyOf: copyOf.id }) })).id
    this.naming = null
    await this.fetch()
    await this.edit(id)
    return id
  }

  async open(id: string): Promise<void> {
    if (id === this.#openId) return
    this.#openId = id
    if (this.editor && this.editor.pack.id !== id) this.stopEditing()
    this.selected = new Set()
    this.packError = null
    await this.#load(id)
  }

  async #load(id: string): Promise<void> {
    try {
      const pack = await this.#api.pack(id)
      if (id !== this.#openId) return
      this.selected = new Set([...this.selected].filter((index) => index < pack.promptCount))
      this.pack = pack
      this.packError = null
    } catch (error) {
      if (id !== this.#openId) return
      this.pack = null
      this.packError = asApiError(error)
    }
  }

  /** The next page of the pack's prompts. */
  async morePrompts(): Promise<void> {
    const { pack } = this
    if (!pack || pack.prompts.length >= pack.promptCount) return
    const more = await this.#api.pack(pack.id, pack.prompts.length)
    if (this.pack === pack) this.pack = { ...pack, prompts: [...pack.prompts, ...more.prompts] }
  }

  redraw(): void {
    this.drawSeed = randomSeed()
  }

  toggle(index: number): void {
    const next = new Set(this.selected)
    if (!next.delete(index)) next.add(index)
    this.selected = next
  }

  selectAll(on: boolean): void {
    this.selected = new Set(on ? Array.from({ length: this.pack?.promptCount ?? 0 }, (_, index) => index) : [])
  }
}
