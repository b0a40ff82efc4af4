import { randomInt, randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type {
  AnswerRecord,
  AnswerRequest,
  Experiment,
  experimentRequestSchema,
  Review,
  ReviewItem,
} from '../../contract/learning.ts'
import type { RecipeDefaults } from '../../contract/recipe.ts'
import { findVariable } from '../../contract/variables.ts'
import { AppError } from '../../errors/app-error.ts'
import type { JobQueue } from '../../jobs/queue.ts'
import { packBroken } from '../../packs/load-pack.ts'
import { allJobs, packJobs } from '../../packs/pack-jobs.ts'
import type { PackLibrary } from '../../packs/pack-library.ts'
import type { LearningStore, MadeImage, StoredExperiment } from '../learning-store.ts'
import { planExperiment, type SourcePrompt } from './plan-experiment.ts'
import { type PlannedItem, reviewItems } from './review-items.ts'

/** The first is shown, the others are fetched meanwhile. */
const itemsAhead = 4
const mostPrompts = 1000

export interface ExperimentsOptions {
  readonly store: LearningStore
  readonly queue: Pick<JobQueue, 'add' | 'cancel'>
  readonly packs: Pick<PackLibrary, 'open'>
}

/** Experiments: their jobs are ordinary ones; what is judged is written answer by answer. */
export class Experiments {
  readonly #store: LearningStore
  readonly #queue: ExperimentsOptions['queue']
  readonly #packs: ExperimentsOptions['packs']

  constructor({ store, queue, packs }: ExperimentsOptions) {
    this.#store = store
    this.#queue = queue
    this.#packs = packs
  }

  /**
   * Queues its jobs and writes it down, all or nothing.
   * @param pause between two slices of work; it may throw to give up
   * @throws AppError as `planExperiment` and `packJobs`.
   */
  async create(
    request: z.output<typeof experimentRequestSchema>,
    defaults: RecipeDefaults,
    pause: () => Promise<void>,
  ): Promise<Experiment> {
    const seed = request.seed ?? randomInt(2 ** 32)
    const source = await this.#source(request, seed, pause)
    const randomSeed = () => randomInt(2 ** 32)
    const { design, jobs } = planExperiment({ request, ...source, defaults, seed, randomSeed })
    const title = findVariable(design.variable)?.title ?? design.variable
    const name = request.name || `${title}, ${design.packName}`
    let id = 0
    const batch = {
      packId: source.packId ?? 'experiment',
      packName: source.packName,
      prompts: jobs.map(({ toQueue }) => toQueue),
      images: design.images,
      pinnedTo: request.pinnedTo ?? null,
      onRows: (jobIds: readonly number[], start: number) => {
        if (start === 0) id = this.#store.add({ uid: randomUUID(), name, design, createdAtMs: Date.now() })!
        for (const [at, jobId] of jobIds.entries()) {
          const { prompt, value } = jobs[start + at]!
          this.#store.tie(id, jobId, prompt, value)
        }
      },
    }
    try {
      await this.#queue.add(batch, defaults, pause)
    } catch (error) {
      if (id > 0) this.#store.remove(id)
      throw error
    }
    return this.#view(this.stored(id))
  }

  /** Newest first. @param pause after each: a large one takes some milliseconds */
  async list(pause: () => Promise<void>): Promise<Experiment[]> {
    const experiments: Experiment[] = []
    for (const one of this.#store.all()) {
      experiments.push(this.#view(one))
      await pause()
    }
    return experiments
  }

  /** @throws AppError `not_found`. */
  get(id: number): Experiment {
    return this.#view(this.stored(id))
  }

  /** @throws AppError `not_found`. */
  stored(id: number): StoredExperiment {
    const experiment = this.#store.get(id)
    if (experiment === undefined) throw new AppError('not_found', `There is no experiment ${id}. It may have been deleted.`)
    return experiment
  }

  /** What is to be judged next. @throws AppError `not_found`. */
  review(id: number): Review {
    return this.#review(this.stored(id))
  }

  /** The file of a picture that `review` named. @throws AppError `not_found`, `image_not_found`. */
  picture(id: number, key: string): string {
    const [, place, side] = /^(\d+)-([ab])$/.exec(key) ?? []
    const item = reviewItems(this.stored(id).design)[Number(place)]
    const value = side === 'a' ? item?.a : item?.b
    const made = this.#store.images(id).find((one) => value === one.value && isOf(one, item!))
    if (made === undefined) throw new AppError('image_not_found', `Experiment ${id} has no picture ${key}.`)
    return made.path
  }

  /**
   * Written when this returns. What was answered already stays as it was: the same key may have been pressed twice.
   * @throws AppError `not_found`, `bad_request` (no such place, its images are not there, stars for a pair).
   */
  answer(id: number, { place, answer }: AnswerRequest): Review {
    const experiment = this.stored(id)
    const item = reviewItems(experiment.design)[place]
    if (item === undefined) throw new AppError('bad_request', `Experiment ${id} has no place ${place}.`)
    if ((typeof answer === 'number') !== (item.b === null))
      throw new AppError('bad_request', item.b === null ? 'An image takes 1 to 5 stars.' : 'A pair takes left, right or equal.')
    const made = this.#store.images(id).filter((one) => isOf(one, item))
    const [a, b] = [item.a, item.b ?? item.a].map((value) => made.find((one) => one.value === value))
    if (a === undefined || b === undefined) throw new AppError('bad_request', `The images of place ${place} are not made yet.`)
    const outcome = typeof answer === 'number' ? answer : { left: 1, equal: 0.5, right: 0 }[answer]
    this.#store.answer(id, { ...item, outcome, modelA: a.model, modelB: b.model, answeredAtMs: Date.now() })
    return this.#review(experiment)
  }

  /** Takes the latest answer back; what it was about comes next. @throws AppError `not_found`. */
  undo(id: number): Review {
    const experiment = this.stored(id)
    return this.#review(experiment, this.#store.undo(id))
  }

  /** Jobs that wait are cancelled, images stay. @throws AppError `not_found`. */
  async remove(id: number): Promise<void> {
    this.stored(id)
    for (const job of this.#store.openJobs(id)) await this.#queue.cancel(job)
    this.#store.remove(id)
  }

  #review({ id, design }: StoredExperiment, first?: AnswerRecord): Review {
    const { open, progress, planned, next } = this.#state(id, design)
    const again = first && planned.findIndex((item) => keyOf(item) === keyOf(first))
    const places = again === undefined ? next : [again, ...next.filter((place) => place !== again)]
    const items = places.slice(0, itemsAhead).map((place): ReviewItem => {
      const { prompt, b } = planned[place]!
      const pictures = b === null ? [`${place}-a`] : [`${place}-a`, `${place}-b`]
      return { place, pictures, prompt: design.prompts[prompt]!.prompt }
    })
    return { review: design.review, progress, jobsOpen: open, items }
  }

  #view({ id, name, design, createdAtMs }: StoredExperiment): Experiment {
    const { variable, values, review, packId, packName, prompts, images } = design
    const { open, imagesWanted, imagesDone, progress } = this.#state(id, design)
    const about = { variable, values, review, packId, packName, promptCount: prompts.length, images }
    return { id, name, createdAtMs, ...about, imagesWanted, imagesDone, jobsOpen: open, progress }
  }

  #state(id: number, design: StoredExperiment['design']) {
    const planned = reviewItems(design)
    const answered = new Set(this.#store.answers(id).map(keyOf))
    const made = new Set(this.#store.images(id).map(({ prompt, image, value }) => `${prompt}:${image}:${value}`))
    const isMade = ({ prompt, image, a, b }: PlannedItem) => [a, b ?? a].every((value) => made.has(`${prompt}:${image}:${value}`))
    const next = planned.flatMap((item, place) => (!answered.has(keyOf(item)) && isMade(item) ? [place] : []))
    const progress = { total: planned.length, answered: answered.size, ready: next.length }
    return { ...this.#store.jobs(id), progress, planned, next }
  }

  async #source({ source, images }: z.output<typeof experimentRequestSchema>, drawSeed: number, pause: () => Promise<void>) {
    if (source.from === 'text') {
      const { prompt, negativePrompt } = source
      const prompts: SourcePrompt[] = [{ promptIndex: 0, prompt, negativePrompt, chosen: {}, settings: {}, seed: undefined }]
      return { prompts, packId: null, packName: 'own text' }
    }
    const pack = await this.#packs.open(source.packId)
    if (pack.content.problem !== null) throw packBroken(pack.summary)
    const jobs = packJobs(pack, { drawSeed, images, sweeps: [], ...(source.prompts && { prompts: source.prompts }) })
    if (jobs.count === 0n) throw new AppError('bad_request', `The pack "${pack.summary.name}" has no prompts.`)
    const prompts = await allJobs(jobs, mostPrompts, pause)
    return { prompts, packId: pack.summary.id, packName: pack.summary.name }
  }
}

const isOf = (made: MadeImage, item: PlannedItem): boolean => made.prompt === item.prompt && made.image === item.image

const keyOf = ({ prompt, image, a, b }: PlannedItem): string => `${prompt}:${image}:${a}:${b}`
