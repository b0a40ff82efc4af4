import type { DraftAnswer, EditablePack } from '../../src-sidecar/contract/pack-edit.ts'
import { asApiError } from '../api/api-error.ts'
import type { Api } from '../api/client.ts'
import { type Edited, editedOf, newKey, packEditOf, type Row, sameEdit, withNewRow } from './edited-pack.ts'
import { randomSeed } from './preview.svelte.ts'
import { noHistory, redone, remembered, type UndoHistory, undone } from './undo-history.ts'

const settleMs = 250

/** One pack that is being edited: its rows and matrix, what can be undone, and what the sidecar says of it. */
export class PackEditorState {
  readonly pack: EditablePack
  edited = $state.raw<Edited>({ rows: [], matrix: null })
  /** Of the latest edit that was sent; null before the first answer. */
  answer = $state.raw<DraftAnswer | null>(null)
  /** Why the draft could not be kept. */
  problem = $state<string | null>(null)
  saving = $state(false)
  /** When the draft that it began with was written; null where there was none. */
  restoredAtMs = $state<number | null>(null)

  dirty = $derived.by(() => !sameEdit(packEditOf(this.edited), this.pack.edit))
  /** The files are not those that this edit began with. */
  conflict = $derived.by(() => this.dirty && this.answer !== null && this.answer.version !== this.#version)
  canUndo = $derived.by(() => this.#history.past.length > 0)
  canRedo = $derived.by(() => this.#history.future.length > 0)

  /** Of the row that was added last: it takes the focus once it is drawn. */
  addedKey = 0

  readonly #api: Api
  /** Of the files that the edit began with. */
  readonly #version: string
  readonly #drawSeed = randomSeed()
  #history = $state.raw<UndoHistory<Edited>>(noHistory)
  #timer: ReturnType<typeof setTimeout> | undefined
  #sent = 0
  #kept: boolean
  #closed = false

  constructor(api: Api, pack: EditablePack) {
    this.#api = api
    this.pack = pack
    this.#version = pack.draft?.version ?? pack.version
    this.#kept = pack.draft !== null
    this.restoredAtMs = pack.draft?.savedAtMs ?? null
    this.edited = editedOf(pack.draft?.edit ?? pack.edit)
    this.check(0)
  }

  /** The tags beside a row's texts. */
  tagsOf(from: number | null) {
    return from === null || this.#version !== this.pack.version ? undefined : this.pack.tags[from]
  }

  /** @param key of typing in one field, which is undone as one; null: a step of its own */
  change(edited: Edited, key: string | null = null): void {
    if (edited === this.edited) return
    this.#history = remembered(this.#history, this.edited, key)
    this.edited = edited
    this.check()
  }

  /** A new row behind that of `after`, or at the end. */
  add(row: Pick<Row, 'from' | 'prompt' | 'negativePrompt'>, after: number | null): void {
    const { from, prompt, negativePrompt } = row
    this.addedKey = newKey()
    this.change(withNewRow(this.edited, { from, prompt, negativePrompt, key: this.addedKey }, after))
  }

  undo(): void {
    this.#take(undone(this.#history, this.edited))
  }

  redo(): void {
    this.#take(redone(this.#history, this.edited))
  }

  /** Sends the edit, so that it is kept, and learns what it makes and whether the files are the same still. */
  check(afterMs = settleMs): void {
    clearTimeout(this.#timer)
    if (!this.#closed) this.#timer = setTimeout(() => void this.#send(), afterMs)
  }

  /** @throws ApiError; `conflict` where the files were changed, unless they shall be overwritten. */
  async save(overwrite = false): Promise<void> {
    this.saving = true
    try {
      await this.#send()
      await this.#api.savePack({ packId: this.pack.id, version: this.#version, edit: packEditOf(this.edited), overwrite })
      this.close()
    } finally {
      this.saving = false
    }
  }

  async discard(): Promise<void> {
    this.close()
    await this.#api.discardDraft(this.pack.id)
  }

  /** As another pack. @returns its id. @throws ApiError */
  async saveCopy(name: string): Promise<string> {
    await this.#send()
    const { id } = await this.#api.newPack({ name, copyOf: this.pack.id, version: this.#version, edit: packEditOf(this.edited) })
    return id
  }

  /** The draft stays with the sidecar. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** What was typed last is kept too. */
  leave(): void {
    if (!this.#closed && (this.dirty || this.#kept)) void this.#send()
    this.close()
  }

  async #send(): Promise<void> {
    clearTimeout(this.#timer)
    const turn = ++this.#sent
    const { id, source } = this.pack
    const keep = source === 'user' && this.dirty
    try {
      // Of what is as in the file nothing is left to keep.
      if (!keep && this.#kept && this.#version === this.pack.version) {
        this.#kept = false
        await this.#api.discardDraft(id)
      }
      const request = { packId: id, version: this.#version, edit: packEditOf(this.edited), drawSeed: this.#drawSeed, keep }
      const answer = await this.#api.draftPack(request)
      if (keep) this.#kept = true
      if (turn !== this.#sent) return
      // What can't be made for a moment, as a row that was only begun, does not take the preview away.
      const before = answer.preview.problem === null ? null : this.answer
      this.answer = before === null ? answer : { ...answer, preview: { ...before.preview, problem: answer.preview.problem } }
      this.problem = null
    } catch (error) {
      if (turn === this.#sent) this.problem = asApiError(error).message
    }
  }

  #take(step: { history: UndoHistory<Edited>; state: Edited } | null): void {
    if (step === null) return
    this.#history = step.history
    this.edited = step.state
    this.check()
  }
}
