import { basename } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from '../store/database.ts'

/** Some 5 ms in which nothing else is answered. */
const rowsAtOnce = 1000

/** Where recipes stand: table, its number, the recipe. */
const places = [
  ['jobs', 'id', 'recipe'],
  ['images', 'id', 'recipe'],
  ['experiment_jobs', 'job_id', 'planned_recipe'],
] as const

/** The names of all files that a recipe begins with, some at a time: whatever became of the job, it can be made again. */
export async function* picturesOfRecipes(database: Database): AsyncGenerator<string[]> {
  for (const [table, key, recipe] of places) {
    const last = database.prepare<[], number>(`SELECT coalesce(max(${key}), 0) FROM ${table}`).pluck()
    const paths = database
      .prepare<[number, number], string | null>(
        `SELECT json_extract(${recipe}, '$.source.path') FROM ${table}
         WHERE ${key} > ? AND ${key} <= ? AND instr(${recipe}, '"source"') > 0`,
      )
      .pluck()
    for (let from = 0; from < last.get()!; from += rowsAtOnce) {
      // The data folder may have been moved since: the name tells, not where it was.
      yield paths.all(from, from + rowsAtOnce).flatMap((path) => (path === null ? [] : [basename(path)]))
      await nextTurn()
    }
  }
}
