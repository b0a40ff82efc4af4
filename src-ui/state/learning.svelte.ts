import { untrack } from 'svelte'
import type { AppEvent } from '../../src-sidecar/contract/events.ts'
import { type Experiment, learningRecordsSchema, type Recommendations } from '../../src-sidecar/contract/learning.ts'
import type { Api } from '../api/client.ts'
import { ExperimentForm } from './experiment-form.svelte.ts'
import { toasts } from './toasts.svelte.ts'

const settleMs = 400
/** Ratings that are sent at once: a request holds 2 MB. */
const ratingsAtOnce = 200

/** Experiments and advice. Fetched when the page shows them, and again while it does and images are made. */
export class LearningState {
  experiments = $state.raw<Experiment[]>([])
  loaded = $state(false)
  advice = $state.raw<Recommendations | null>(null)
  /** Undefined: the model with the most judgements, all packs. */
  scope = $state.raw<{ model?: string; packId?: string }>({})
  readonly form = new ExperimentForm()

  readonly #api: Api
  #watchers = new Set<() => void>()
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

  /** Calls `again` whenever images or jobs have changed, until the returned function is called. */
  watch(again: () => Promise<void>): () => void {
    const watcher = () => void again().catch((error) => toasts.error(error))
    this.#watchers.add(watcher)
    // What it reads is not what the caller depends on.
    untrack(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  hear({ type }: AppEvent): void {
    if (!['hello', 'image', 'image-changed', 'job', 'queue'].includes(type) || this.#watchers.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const watcher of this.#watchers) watcher()
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
