import type { ImageSearch, ImageSort } from '../../contract/image-search.ts'
import type { Database } from '../../store/database.ts'
import { momentsPerMs } from './image-index.ts'
import { type TermName, termWord } from './image-terms.ts'
import { matchExpression, term } from './match-expression.ts'

/** Matches are counted up to here; the rest is "more than". */
export const countedAtMost = 10_000

/** Sorts that are no order of time: the facet that gives the order, and what its values count for. Newest first within a value. */
const ranks: Partial<Record<ImageSort, { by: TermName; rank: (value: string) => number }>> = {
  rating: { by: 'rating', rank: Number },
  largest: { by: 'size', rank: (size) => size.split('×').reduce((area, side) => area * Number(side), 1) },
  longest: { by: 'took', rank: Number },
}

export interface FoundPage {
  readonly imageIds: readonly number[]
  /** Where the next page begins; null on the last. */
  readonly next: string | null
}

interface Found {
  readonly rank: number
  readonly moment: number
  readonly imageId: number
}

/** A part of the matches, in the order of time. */
interface Part {
  /** Facet that is left out of the search. */
  readonly without?: TermName
  /** Further expression that they must match. */
  readonly and?: string
  readonly oldestFirst?: boolean
  /** Only those behind this moment. */
  readonly after?: number | undefined
  readonly limit: number
}

/**
 * Finds images. Text and filters are one expression of the text index, which merges sorted lists; days are a range of its
 * rowids. What it takes does not grow with the place of a page, which begins at a key, nor with the matches, whose count has
 * a bound.
 */
export class ImageFinder {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @param after `next` of the page before */
  page(search: ImageSearch, sort: ImageSort, limit: number, after?: string): FoundPage {
    const [rank, moment] = after === undefined ? [] : after.split('-').map(Number)
    const order = ranks[sort]
    if (order === undefined) {
      const part = { oldestFirst: sort === 'oldest', after: moment, limit: limit + 1 }
      return toPage(this.#find(search, part, 0), limit)
    }
    const found: Found[] = []
    for (const [each, words] of this.#ranked(order.by, order.rank)) {
      if (rank !== undefined && each > rank) continue
      const part = { and: `(${words.join(' OR ')})`, after: each === rank ? moment : undefined, limit: limit + 1 - found.length }
      found.push(...this.#find(search, part, each))
      if (found.length > limit) break
    }
    return toPage(found, limit)
  }

  /** How many match; where `isLeast` is set there are more than that. */
  total(search: ImageSearch): { total: number; isLeast: boolean } {
    if (this.matchesAll(search)) return { total: this.#all(), isLeast: false }
    const { sql, values } = this.#moments(search, { limit: countedAtMost + 1 })
    const { n } = this.#database.prepare(`SELECT count(*) AS n FROM (${sql})`).get(...values) as { n: number }
    return { total: Math.min(n, countedAtMost), isLeast: n > countedAtMost }
  }

  /** The terms of the newest matches, `limit` at most, and how many images that were. */
  termsOf(search: ImageSearch, limit: number, without?: TermName): { terms: string[]; images: number } {
    const { sql, values } = this.#moments(search, { limit, ...(without && { without }) })
    const all = `SELECT count(*) AS images, group_concat(t.terms, ' ') AS terms FROM (${sql}) m CROSS JOIN image_terms t ON t.moment = m.moment`
    const { images, terms } = this.#database.prepare(all).get(...values) as { images: number; terms: string | null }
    return { images, terms: terms === null ? [] : terms.split(' ') }
  }

  /** Whether it asks for nothing, so that every image matches. @param without a facet that is left out of it */
  matchesAll(search: ImageSearch, without?: TermName): boolean {
    return search.from === undefined && search.to === undefined && this.#expression(search, without) === null
  }

  #find(search: ImageSearch, part: Part, rank: number): Found[] {
    const { sql, values } = this.#moments(search, part)
    const rows = this.#database
      .prepare(
        `SELECT t.moment, t.image_id FROM (${sql}) m CROSS JOIN image_terms t ON t.moment = m.moment
         ORDER BY t.moment ${part.oldestFirst ? 'ASC' : 'DESC'}`,
      )
      .all(...values) as { moment: number; image_id: number }[]
    return rows.map(({ moment, image_id }) => ({ rank, moment, imageId: image_id }))
  }

  #moments(search: ImageSearch, { without, and, oldestFirst = false, after, limit }: Part): { sql: string; values: unknown[] } {
    const asked = this.#expression(search, without)
    const match = and === undefined || asked === null ? (and ?? asked) : `(${asked}) AND ${and}`
    const [first, last] = range(search)
    const from = oldestFirst && after !== undefined ? Math.max(first, after + 1) : first
    const to = !oldestFirst && after !== undefined ? Math.min(last, after - 1) : last
    const [table, key] = match === null ? ['image_terms', 'moment'] : ['image_words', 'rowid']
    const where = match === null ? '' : 'image_words MATCH ? AND '
    return {
      sql: `SELECT ${key} AS moment FROM ${table} WHERE ${where}${key} BETWEEN ? AND ? ORDER BY ${key} ${oldestFirst ? 'ASC' : 'DESC'} LIMIT ?`,
      values: [...(match === null ? [] : [match]), from, to, limit],
    }
  }

  #expression(search: ImageSearch, without?: TermName): string | null {
    const find = this.#database.prepare<[string, string], { id: number }>(
      'SELECT id FROM facet_values WHERE facet = ? AND value = ?',
    )
    return matchExpression(search, (name, value) => find.get(name, value)?.id, without)
  }

  /** The words of this facet's values by what they count for, the greatest first. */
  #ranked(name: TermName, rank: (value: string) => number): [number, string[]][] {
    const rows = this.#database
      .prepare<[string], { id: number; value: string }>('SELECT id, value FROM facet_values WHERE facet = ? AND count > 0')
      .all(name)
    const words = Map.groupBy(rows, ({ value }) => rank(value))
    return [...words]
      .map(([each, values]): [number, string[]] => [each, values.map(({ id }) => `"${termWord(term(name, id))}"`)])
      .sort(([a], [b]) => b - a)
  }

  /** Every image has a rating, be it none. */
  #all(): number {
    const sum = `SELECT coalesce(sum(count), 0) AS n FROM facet_values WHERE facet = 'rating'`
    return (this.#database.prepare(sum).get() as { n: number }).n
  }
}

/** First and last moment of the days that are asked for. */
function range({ from, to }: ImageSearch): [number, number] {
  const first = from === undefined ? 0 : new Date(`${from}T00:00:00`).getTime() * momentsPerMs
  if (to === undefined) return [first, Number.MAX_SAFE_INTEGER]
  const end = new Date(`${to}T00:00:00`)
  end.setDate(end.getDate() + 1)
  return [first, end.getTime() * momentsPerMs - 1]
}

function toPage(found: readonly Found[], limit: number): FoundPage {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const next = found.length > limit && last ? `${last.rank}-${last.moment}` : null
  return { imageIds: shown.map(({ imageId }) => imageId), next }
}
