import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type {
  ExportedRecords,
  ImportedRecords,
  LearningRecords,
  LearningScope,
  RatingRecord,
  Recommendation,
  Recommendations,
} from '../contract/learning.ts'
import { AppError } from '../errors/app-error.ts'
import type { Component, ComponentExit } from '../lifecycle/component.ts'
import { deferred } from '../lifecycle/deferred.ts'
import { Experiments, type ExperimentsOptions } from './experiments/experiments.ts'
import type { RatedImage } from './learning-store.ts'
import { fromExperiment } from './ratings/from-experiment.ts'
import { fromGallery } from './ratings/from-gallery.ts'
import type { Observation } from './ratings/observation.ts'
import { imageText } from './ratings/recipe-text.ts'
import { recommend } from './recommendations/recommend.ts'
import { writeRecords } from './write-records.ts'

export interface LearningOptions extends ExperimentsOptions {
  /** Made when it is needed. */
  readonly exportFolder: string
}

/** Which recommendations: of one model, for one pack or (undefined) all of them. */
export interface Scope {
  readonly model?: string | undefined
  /** Null: texts of one's own. */
  readonly packId?: string | null | undefined
}

/**
 * What the user thinks of images, and what follows from it. Answers are on disk as soon as they are acknowledged, and nothing is
 * kept in memory, so that a stop has only work in progress to end: it gives up at its next pause, and `stop` waits for that.
 */
export class Learning implements Component {
  readonly name = 'learning'
  readonly experiments: Experiments
  readonly #store: ExperimentsOptions['store']
  readonly #exportFolder: string
  readonly #closed = deferred<ComponentExit>()
  readonly #atWork = new Set<Promise<unknown>>()
  #stopped: Promise<void> | undefined

  constructor(options: LearningOptions) {
    this.#store = options.store
    this.#exportFolder = options.exportFolder
    this.experiments = new Experiments(options)
  }

  get closed(): Promise<ComponentExit> {
    return this.#closed.promise
  }

  async start(): Promise<void> {}

  stop(): Promise<void> {
    this.#stopped ??= Promise.allSettled(this.#atWork).then(() => this.#closed.resolve({ name: this.name }))
    return this.#stopped
  }

  /** What an experiment says so far. @throws AppError `not_found`, `shutting_down`. */
  result(id: number): Recommendation[] {
    this.#refuseStopped()
    const { design } = this.experiments.stored(id)
    return recommendEach(fromExperiment(id, design, this.#store.answers(id)))
  }

  /** @throws AppError `shutting_down`. */
  recommendations(scope: Scope): Promise<Recommendations> {
    return this.#work(async () => {
      const all = await this.#observations()
      const scopes = scopesOf(all)
      const model = scope.model ?? scopes[0]?.model ?? null
      const counted = all.filter((one) => one.model === model && (scope.packId === undefined || one.packId === scope.packId))
      const recommendations: Recommendation[] = []
      for (const group of grouped(counted)) {
        await this.#pause()
        recommendations.push(...recommendEach(group))
      }
      return { scopes, model, recommendations }
    })
  }

  /** Everything that was judged, to be kept or taken elsewhere. @throws AppError `shutting_down`. */
  records(): Promise<LearningRecords> {
    return this.#work(async () => {
      const experiments = this.#store.all().map(({ id, ...one }) => ({ ...one, answers: this.#store.answers(id) }))
      const ratings = (await this.#ratings()).map(({ judged: _, ...rating }) => rating)
      return { format: 'stablenew-learning', version: 1, experiments, ratings }
    })
  }

  /** The same as a new file in the folder for them. @throws AppError `disk`, `shutting_down`. */
  async export(nowMs: number): Promise<ExportedRecords> {
    const records = await this.records()
    const path = await this.#work(() => writeRecords(this.#exportFolder, records, nowMs))
    return { path, experiments: records.experiments.length, ratings: records.ratings.length }
  }

  /** Adds what is not known yet; what is there stays as it is. @throws AppError `shutting_down`. */
  import({ experiments, ratings }: LearningRecords): Promise<ImportedRecords> {
    return this.#work(async () => {
      const known = { experiments: 0, answers: 0, ratings: 0 }
      for (const record of experiments) {
        const { isNew, answers } = this.#store.importExperiment(record)
        known.experiments += Number(isNew)
        known.answers += answers
        await this.#pause()
      }
      const own = new Set((await this.#read(this.#store.ownRatings())).map(hashOf))
      for (let start = 0; start < ratings.length; start += 200) {
        const slice = ratings.slice(start, start + 200).map((record) => ({ record, hash: hashOf(record) }))
        const added = () => slice.filter(({ record, hash }) => !own.has(hash) && this.#store.importRating(hash, record)).length
        known.ratings += this.#store.transaction(added)
        await this.#pause()
      }
      return known
    })
  }

  async #observations(): Promise<Observation[]> {
    const all: Observation[] = []
    for (const { id, design } of this.#store.all()) {
      all.push(...fromExperiment(id, design, this.#store.answers(id)))
      await this.#pause()
    }
    const ratings: RatingRecord[] = (await this.#ratings()).filter(({ judged }) => !judged)
    all.push(...(await fromGallery(ratings, () => this.#pause())))
    return all
  }

  async #ratings(): Promise<RatedImage[]> {
    return [...(await this.#read(this.#store.ownRatings())), ...(await this.#read(this.#store.importedRatings()))]
  }

  async #read(pages: Iterable<RatedImage[]>): Promise<RatedImage[]> {
    const ratings: RatedImage[] = []
    for (const page of pages) {
      ratings.push(...page)
      await this.#pause()
    }
    return ratings
  }

  async #work<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseStopped()
    const running = work()
    this.#atWork.add(running)
    try {
      return await running
    } finally {
      this.#atWork.delete(running)
    }
  }

  /** Lets others have the event loop. @throws AppError `shutting_down` */
  async #pause(): Promise<void> {
    await setImmediate()
    this.#refuseStopped()
  }

  #refuseStopped(): void {
    if (this.#stopped !== undefined) throw new AppError('shutting_down', 'StableNew is closing and learns nothing more.')
  }
}

const hashOf = (record: RatingRecord): string => createHash('sha256').update(imageText(record)).digest('hex')

const grouped = (observations: readonly Observation[]): Observation[][] => [
  ...Map.groupBy(observations, ({ variable, review }) => `${review} ${variable}`).values(),
]

const recommendEach = (observations: readonly Observation[]): Recommendation[] =>
  grouped(observations).flatMap((group) => recommend(group) ?? [])

/** Models and their packs, the most judged first. */
function scopesOf(observations: readonly Observation[]): LearningScope[] {
  const most = <T extends { judgements: number }>(list: T[]): T[] => list.sort((a, b) => b.judgements - a.judgements)
  const models = Map.groupBy(observations, ({ model }) => model)
  return most(
    [...models].map(([model, ofModel]) => ({
      model,
      judgements: ofModel.length,
      packs: most(
        [...Map.groupBy(ofModel, ({ packId }) => packId)].map(([packId, ofPack]) => ({
          packId,
          packName: ofPack.at(-1)!.packName,
          judgements: ofPack.length,
        })),
      ),
    })),
  )
}
