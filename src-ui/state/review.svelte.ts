import type { AnswerRequest, Review } from '../../src-sidecar/contract/learning.ts'
import type { Api } from '../api/client.ts'
import { toasts } from './toasts.svelte.ts'

/** One review, item by item. Each answer is on disk before the next item is shown. */
export class ReviewState {
  current = $state.raw<Review | null>(null)
  /** An answer is being written; keys pressed meanwhile would be for a picture that is not there yet. */
  busy = $state(false)

  readonly id: number
  readonly #api: Api

  constructor(api: Api, id: number) {
    this.#api = api
    this.id = id
  }

  item = $derived.by(() => this.current?.items[0])

  /** What is shown stays: only where nothing is, or counts have changed. */
  async fetch(): Promise<void> {
    const before = this.current
    const review = await this.#api.review(this.id)
    if (this.busy || before !== this.current) return
    const [shown] = before?.items ?? []
    const items = shown ? [shown, ...review.items.filter(({ place }) => place !== shown.place)] : review.items
    this.current = { ...review, items }
  }

  async answer(answer: AnswerRequest['answer']): Promise<void> {
    const { item } = this
    if (item) await this.#change(() => this.#api.answer(this.id, { place: item.place, answer }))
  }

  async undo(): Promise<void> {
    if (this.current?.progress.answered) await this.#change(() => this.#api.undoAnswer(this.id))
  }

  async #change(change: () => Promise<Review>): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      this.current = await change()
    } catch (error) {
      toasts.error(error)
    } finally {
      this.busy = false
    }
  }
}
