import { untrack } from 'svelte'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import { type Experiment, learningRecordsSchema, type Recommendations } from '../../src-sidecar/contract/learning.ts'
import type { Api } from '../api/client.ts'
import { ExperimentForm } from './experiment-form.svelte.ts'
import { toasts } from './toasts.svelte.ts'

const settleMs = 400
/** Ratings that are sent at once: a request holds 2 MB. */
const ratingsAtOnce = 200

/** Events after which there is something new. To work out advice costs more than to count images. */
const changes: Readonly<Record<'images' | 'ratings', readonly AppEvent['type'][]>> = {
  images: ['hello', 'image', 'job', 'queue'],
  ratings: ['hello', 'image-changed'],
}

interface Watcher {
  readonly of: keyof typeof changes
  readonly again: () => void
}

/** Experiments and advice. Fetched when the page shows them, and again while it does and images are made. */
export class LearningState {
  experiments = $state.raw<Experiment[]>([])
  loaded = $state(false)
  advice = $state.raw<Recommendations | null>(null)
  /** Undefined: the model with the most judgements, all packs. */
  scope = $state.raw<{ model?: string; packId?: string }>({})
  readonly form = new ExperimentForm()

  readonly #api: Api
  readonly #watchers = new Set<Watcher>()
  readonly #due = new Set<Watcher>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Api) {
    this.#api = api
  }

  async fetch(): Promise<void> {
    const { experiments } = await this.#api.experiments()
    this.experiments = experiments
    this.loaded = true
  }

  async fetchAdvice(): Promise<void> {
    const { scope } = this
    const advice = await this.#api.recommendations(scope)
    if (scope === this.scope) this.advice = advice
  }

  /** Calls `again` now and whenever `of` has changed, until the returned function is called. */
  watch(again: () => Promise<void>, of: keyof typeof changes = 'images'): () => void {
    const watcher = { of, again: () => void again().catch((error) => toasts.error(error)) }
    this.#watchers.add(watcher)
    // What it reads is not what the caller depends on.
    untrack(watcher.again)
    return () => void this.#watchers.delete(watcher)
  }

  hear({ type }: AppEvent): void {
    for (const watcher of this.#watchers) if (changes[watcher.of].includes(type)) this.#due.add(watcher)
    if (this.#due.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const due = [...this.#due].filter((watcher) => this.#watchers.has(watcher))
      this.#due.clear()
      for (const { again } of due) again()
    }, settleMs)
  }

  async remove(id: number): Promise<void> {
    await this.#api.removeExperiment(id)
    await this.fetch()
  }

  /** Adds a file of records, part by part. @returns what was new @throws where it is none, or is refused */
  async import(text: string): Promise<{ experiments: number; answers: number; ratings: number }> {
    const records = learningRecordsSchema.parse(JSON.parse(text))
    const sum = { experiments: 0, answers: 0, ratings: 0 }
    const parts = [
      ...records.experiments.map((one) => ({ experiments: [one], ratings: [] })),
      ...Array.from({ length: Math.ceil(records.ratings.length / ratingsAtOnce) }, (_, at) => ({
        experiments: [],
        ratings: records.ratings.slice(at * ratingsAtOnce, (at + 1) * ratingsAtOnce),
      })),
    ]
    for (const part of parts) {
      const added = await this.#api.importLearning({ ...records, ...part })
      for (const name of ['experiments', 'answers', 'ratings'] as const) sum[name] += added[name]
    }
    await Promise.all([this.fetch(), this.fetchAdvice()])
    return sum
  }
}
