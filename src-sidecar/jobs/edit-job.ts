import type { Job } from '../contract/job.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Database } from '../store/database.ts'
import { type JobRow, toJob } from './job-row.ts'
import { columnsOf, type JobStore } from './job-store.ts'

/** What becomes of a recipe, and where it may be made; undefined: where it was. */
export interface JobEdit {
  readonly recipe: (before: Recipe) => Recipe
  readonly pinnedTo: string | null | undefined
}

/**
 * Changes what a pending job will make, as one transaction. Images that it has made stay with the job as it was, which then ends:
 * what is left becomes a new job in its place.
 * @returns the job as it is to be made, or undefined where it is not pending any more.
 */
export function editJob(database: Database, store: JobStore, id: number, edit: JobEdit, nowMs: number): Job | undefined {
  return database.transaction(() => {
    const before = store.get(id)
    if (before?.state !== 'queued') return undefined
    const recipe = edit.recipe(before.recipe)
    const pinnedTo = edit.pinnedTo === undefined ? before.pinnedTo : edit.pinnedTo
    if (before.imagesDone === 0) {
      const row = database
        .prepare(
          `UPDATE jobs SET pinned_to = ?, recipe = ?, images_wanted = ?, model_key = ?, shape = ?, image_load = ?
           WHERE id = ? AND state = 'queued' RETURNING *`,
        )
        .get(pinnedTo, ...columnsOf(recipe), id) as JobRow | undefined
      return row && toJob(row)
    }
    const images = Math.max(1, recipe.images - before.imagesDone)
    const seed = (recipe.seed + before.imagesDone) % 2 ** 32
    const [next] = store.add([{ ...before, pinnedTo, recipe: { ...recipe, images, seed } }], nowMs)
    database
      .prepare('UPDATE jobs SET (priority, position) = (SELECT priority, position FROM jobs WHERE id = ?) WHERE id = ?')
      .run(id, next)
    store.cancelPending(id, nowMs)
    return store.get(next!)
  })()
}
