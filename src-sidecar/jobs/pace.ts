import { modelKey } from '../contract/model-key.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Database } from '../store/database.ts'
import { workOf } from './recipe-work.ts'

/** Odd, and few: the first image of a checkpoint, which loads it, is soon outvoted, and a change of the machine soon seen. */
const samplesKept = 9

interface Row {
  readonly backendId: string
  readonly modelKey: string
  readonly shape: string
  readonly recent: readonly number[]
}

/** Milliseconds for a unit of `workOf`'s load; null while nothing is known. */
export type MsPerLoad = (backendId: string, modelKey: string | null, shape: string) => number | null

/** How fast each backend makes images of each kind, learned from those that it made; kept over restarts. */
export class Pace {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @param durationMs from the request to its answer: waiting for a backend to start is not in it. */
  learn(backendId: string, recipe: Recipe, durationMs: number): void {
    const { shape, load } = workOf(recipe)
    const key = [backendId, recipe.checkpoint ? modelKey(recipe.checkpoint) : '', shape] as const
    const known = this.#database
      .prepare('SELECT recent FROM pace WHERE backend_id = ? AND model_key = ? AND shape = ?')
      .pluck()
      .get(...key) as string | undefined
    const recent = [...(known === undefined ? [] : (JSON.parse(known) as number[])), durationMs / load].slice(-samplesKept)
    this.#database
      .prepare('INSERT OR REPLACE INTO pace (backend_id, model_key, shape, recent) VALUES (?, ?, ?, ?)')
      .run(...key, JSON.stringify(recent))
  }

  /** As it is known now: of exactly that kind; else of that size and those passes; else of anything that this backend made. */
  known(): MsPerLoad {
    const rows = (
      this.#database.prepare('SELECT backend_id AS backendId, model_key AS modelKey, shape, recent FROM pace').all() as (Row & {
        recent: string
      })[]
    ).map((row): Row => ({ ...row, recent: JSON.parse(row.recent) }))
    return (backendId, model, shape) => {
      const own = rows.filter((row) => row.backendId === backendId)
      const alike = own.filter((row) => row.shape === shape)
      const exact = alike.filter((row) => row.modelKey === (model ?? ''))
      const best = [exact, alike, own].find((some) => some.length > 0)
      return best === undefined ? null : median(best.flatMap(({ recent }) => recent))
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
