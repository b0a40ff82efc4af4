import { modelKey } from '../contract/model-key.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Database } from '../store/database.ts'
import { workOf } from './recipe-work.ts'

/** Odd, and few: the first image of a checkpoint, which loads it, is soon outvoted, and a change of the machine soon seen. */
const samplesKept = 9
/** Of the logarithms of two loads: a quarter more or less. */
const nearby = Math.log(1.25)

/** What an image was, in `workOf`'s unit, and what it took in milliseconds. */
type Sample = readonly [load: number, ms: number]

interface Row {
  readonly backendId: string
  readonly modelKey: string
  readonly shape: string
  readonly recent: readonly Sample[]
}

/** Milliseconds for a unit of load, of images that are `imageLoad` each; null while nothing is known. */
export type MsPerLoad = (backendId: string, modelKey: string | null, shape: string, imageLoad: number) => number | null

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
    const recent = [...(known === undefined ? [] : (JSON.parse(known) as Sample[])), [load, durationMs]].slice(-samplesKept)
    this.#database
      .prepare('INSERT OR REPLACE INTO pace (backend_id, model_key, shape, recent) VALUES (?, ?, ?, ?)')
      .run(...key, JSON.stringify(recent))
  }

  /**
   * As it is known now: of exactly that kind; else of that size and those passes; else of anything that this backend made. Images
   * with about as many steps count alone where there are any: a part of the time is the same for few and many.
   */
  known(): MsPerLoad {
    const rows = (
      this.#database.prepare('SELECT backend_id AS backendId, model_key AS modelKey, shape, recent FROM pace').all() as (Row & {
        recent: string
      })[]
    ).map((row): Row => ({ ...row, recent: JSON.parse(row.recent) }))
    return (backendId, model, shape, imageLoad) => {
      const own = rows.filter((row) => row.backendId === backendId)
      const sameShape = own.filter((row) => row.shape === shape)
      const exact = sameShape.filter((row) => row.modelKey === (model ?? ''))
      const best = [exact, sameShape, own].find((some) => some.length > 0)
      if (best === undefined) return null
      const samples = best.flatMap(({ recent }) => recent)
      const alike = samples.filter(([load]) => Math.abs(Math.log(load / imageLoad)) < nearby)
      return median((alike.length > 0 ? alike : samples).map(([load, ms]) => ms / load))
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
