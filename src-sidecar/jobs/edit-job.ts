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
 * Changes what pending jobs will make, as one transaction. What one has made, be it the first stage of an image, stays with the job
 * as it was, which then ends: what is left becomes a new job in its place, which begins anew.
 * @returns how many of them are pending; the others are left as they are.
 */
export function editJobs(database: Database, store: JobStore, ids: readonly number[], edit: JobEdit, nowMs: number): number {
  const find = database.prepare(
    `SELECT *, EXISTS (SELECT 1 FROM images WHERE job_id = jobs.id)
            OR EXISTS (SELECT 1 FROM unfinished_images WHERE job_id = jobs.id) AS has_made
     FROM jobs WHERE id = ? AND state = 'queued'`,
  )
  const update = database.prepare(
    `UPDATE jobs SET pinned_to = ?, recipe = ?, images_wanted = ?, model_key = ?, shape = ?, image_load = ?
     WHERE id = ? AND state = 'queued'`,
  )
  const toItsPlace = database.prepare(
    'UPDATE jobs SET (priority, position) = (SELECT priority, position FROM jobs WHERE id = ?) WHERE id = ?',
  )
  const editOne = (id: number): boolean => {
    const row = find.get(id) as (JobRow & { has_made: 0 | 1 }) | undefined
    if (row === undefined) return false
    const before = toJob(row)
    const recipe = edit.recipe(before.recipe)
    const pinnedTo = edit.pinnedTo === undefined ? before.pinnedTo : edit.pinnedTo
    if (row.has_made === 0 && before.imagesDone === 0) return update.run(pinnedTo, ...columnsOf(recipe), id).changes === 1
    const images = Math.max(1, recipe.images - before.imagesDone)
    const seed = (recipe.seed + before.imagesDone) % 2 ** 32
    const [next] = store.add([{ ...before, pinnedTo, recipe: { ...recipe, images, seed } }], nowMs)
    toItsPlace.run(id, next)
    store.cancelPending(id, nowMs)
    return true
  }
  return database.transaction(() => ids.filter(editOne).length)()
}
