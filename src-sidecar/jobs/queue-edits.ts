import type { Priority } from '../contract/job.ts'
import type { JobChange, MoveTarget } from '../contract/queue-request.ts'
import { type Recipe, recipeSchema } from '../contract/recipe.ts'
import { AppError } from '../errors/app-error.ts'
import type { Database } from '../store/database.ts'
import { editJobs } from './edit-job.ts'
import type { JobStore } from './job-store.ts'
import { QueueOrder } from './queue-order.ts'

export interface QueueEditsOptions {
  readonly database: Database
  readonly store: JobStore
  /** Many jobs changed at once. */
  readonly onQueue: () => void
  /** A backend may have something to do now that it had not before. */
  readonly wake: () => void
  /** 0 to 2³²−1. */
  readonly randomSeed: () => number
}

/** What a user does with jobs that wait: put them in order, change them, copy them. Each is one transaction. */
export class QueueEdits {
  readonly #options: QueueEditsOptions
  readonly #order: QueueOrder

  constructor(options: QueueEditsOptions) {
    this.#options = options
    this.#order = new QueueOrder(options.database)
  }

  /** @returns how many of them are pending. @throws AppError `job_state` where none is, or the one that they go beside. */
  move(ids: readonly number[], target: MoveTarget): number {
    const moved = this.#order.move(ids, target)
    if (moved === undefined) throw new AppError('job_state', 'The job beside which they were to go has been begun or has ended.')
    return this.#told(moved)
  }

  /** @returns how many of them are pending. @throws AppError `job_state` where none is. */
  setPriority(ids: readonly number[], priority: Priority): number {
    return this.#told(this.#order.setPriority(ids, priority))
  }

  /**
   * Changes what pending jobs will make; what is not named stays as each of them has it.
   * @returns how many are pending. @throws AppError `job_state` where none is: a job that was begun is not changed any more.
   */
  edit(ids: readonly number[], { pinnedTo, ...change }: JobChange): number {
    const { database, store, wake } = this.#options
    const edit = { pinnedTo, recipe: (before: Recipe) => changed(before, change) }
    const count = editJobs(database, store, ids, edit, Date.now())
    this.#told(count)
    wake()
    return count
  }

  /**
   * Copies jobs, behind the last of them that is pending, else at the end of the queue; a copy makes all images anew.
   * @returns the new ids. @throws AppError `job_not_found`.
   */
  duplicate(ids: readonly number[], newSeeds: boolean): number[] {
    const { database, store, randomSeed, onQueue, wake } = this.#options
    const added = database.transaction(() => {
      const pending = this.#order.pendingOf(ids)
      const ordered = [...pending, ...ids.filter((id) => !pending.includes(id))]
      const jobs = ordered.map((id) => {
        const job = store.get(id)
        if (job === undefined) throw new AppError('job_not_found', `There is no job ${id}.`)
        return newSeeds ? { ...job, recipe: { ...job.recipe, seed: randomSeed() } } : job
      })
      const copies = store.add(jobs, Date.now())
      const last = pending.at(-1)
      if (last !== undefined) this.#order.move(copies, { after: last })
      return copies
    })()
    onQueue()
    wake()
    return added
  }

  #told(count: number): number {
    if (count === 0) throw new AppError('job_state', 'None of these jobs waits any more: each has been begun or has ended.')
    this.#options.onQueue()
    return count
  }
}

/** What was chosen for a slot or a sweep is no longer said of what was written over. */
function changed(before: Recipe, change: Omit<JobChange, 'pinnedTo'>): Recipe {
  const { chosen, ...recipe } = { ...before, ...change }
  if (chosen === undefined) return recipeSchema.parse(recipe)
  const isRewritten = change.prompt !== undefined || change.negativePrompt !== undefined
  const sweep = Object.entries(chosen.sweep ?? {}).filter(([name]) => !(name in change))
  const left = { ...(isRewritten ? {} : chosen), sweep: Object.fromEntries(sweep) }
  return recipeSchema.parse({ ...recipe, chosen: left })
}
