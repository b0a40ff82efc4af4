import type { ImageSearch, ImageSort } from '../../contract/image-search.ts'
import type { Database } from '../../store/database.ts'
import { momentsPerMs } from './image-index.ts'
import { type TermName, termWord } from './image-terms.ts'
import { matchExpression } from './match-expression.ts'

/** So many of the newest matches are counted, and have their terms counted; what is beyond is "more than". */
export const countedAtMost = 5000
const headsKept = 16

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
}

/** A part of the matches, in the order of time. */
interface Part {
  /** Further expression that they must match. */
  readonly and?: string
  readonly oldestFirst?: boolean
  /** Only those behind this moment. */
  readonly after?: number | undefined
  readonly limit: number
}

/** What is searched, as the index has it. */
interface Asked {
  /** FTS5 expression; null: every image. */
  readonly match: string | null
  readonly first: number
  readonly last: number
  readonly seed: number | undefined
}

/**
 * Finds images. Text and filters are one expression of the text index, which merges sorted lists; days are a range of its
 * rowids. What it takes does not grow with the place of a page, which begins at a key, nor with the matches, whose count has
 * a bound. The newest matches of the latest searches are remembered until an image changes: page, total and facets ask for them.
 */
export class ImageFinder {
  readonly #database: Database
  readonly #version: () => number
  readonly #heads = new Map<string, readonly number[]>()
  #headsOf = 0

  /** @param version another one after each change of an image */
  constructor(database: Database, version: () => number) {
    this.#database = database
    this.#version = version
  }

  /** @param after `next` of the page before */
  page(search: ImageSearch, sort: ImageSort, limit: number, after?: string): FoundPage {
    const asked = this.#asked(search)
    const [rank, moment] = after === undefined ? [] : after.split('-').map(Number)
    const order = ranks[sort]
    const found: Found[] = []
    const add = (moments: readonly number[], of: number) => found.push(...moments.map((one) => ({ rank: of, moment: one })))
    if (order === undefined) {
      const fromHead = sort === 'newest' && after === undefined && limit < countedAtMost
      const part = { oldestFirst: sort === 'oldest', after: moment, limit: limit + 1 }
      add(fromHead ? this.#head(asked).slice(0, limit + 1) : this.#moments(asked, part), 0)
    } else {
      for (const [each, words] of this.#ranked(order.by, order.rank)) {
        if (rank !== undefined && each > rank) continue
        const part = {
          and: `(${words.join(' OR ')})`,
          after: each === rank ? moment : undefined,
          limit: limit + 1 - found.length,
        }
        add(this.#moments(asked, part), each)
        if (found.length > limit) break
      }
    }
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    return {
      imageIds: this.#imagesAt(shown.map((one) => one.moment)),
      next: found.length > limit && last ? `${last.rank}-${last.moment}` : null,
    }
  }

  /** How many match; where `isLeast` is set there are more than that. */
  total(search: ImageSearch): { total: number; isLeast: boolean } {
    if (this.matchesAll(search)) return { total: this.#all(), isLeast: false }
    const { length } = this.#head(this.#asked(search))
    return { total: Math.min(length, countedAtMost), isLeast: length > countedAtMost }
  }

  /**
   * The terms of the newest matches, a line for each, and whether there are more matches.
   * @param without a facet that is left out of the search
   */
  termsOf(search: ImageSearch, without?: TermName): { terms: string; isCut: boolean } {
    const head = this.#head(this.#asked(search, without))
    return { terms: this.#termsAt(head.slice(0, countedAtMost)), isCut: head.length > countedAtMost }
  }

  /** The terms of all matches, a line for each. */
  allTermsOf(search: ImageSearch): string {
    return this.#termsAt(this.#moments(this.#asked(search), { limit: Number.MAX_SAFE_INTEGER }))
  }

  /** Whether it asks for nothing, so that every image matches. @param without a facet that is left out of it */
  matchesAll(search: ImageSearch, without?: TermName): boolean {
    const { match, seed } = this.#asked(search, without)
    return match === null && seed === undefined && search.from === undefined && search.to === undefined
  }

  /** Moments of the newest matches: one more than are counted, where there are more. */
  #head(asked: Asked): readonly number[] {
    if (this.#headsOf !== this.#version()) this.#heads.clear()
    this.#headsOf = this.#version()
    const key = JSON.stringify(asked)
    const known = this.#heads.get(key)
    if (known !== undefined) return known
    const head = this.#moments(asked, { limit: countedAtMost + 1 })
    if (this.#heads.size >= headsKept) this.#heads.delete(this.#heads.keys().next().value!)
    this.#heads.set(key, head)
    return head
  }

  #moments({ match: asked, first, last, seed }: Asked, { and, oldestFirst = false, after, limit }: Part): number[] {
    const match = and === undefined || asked === null ? (and ?? asked) : `(${asked}) AND ${and}`
    const from = oldestFirst && after !== undefined ? Math.max(first, after + 1) : first
    const to = !oldestFirst && after !== undefined ? Math.min(last, after - 1) : last
    const [table, key] = match === null ? ['image_terms', 'moment'] : ['image_words', 'rowid']
    const where = [
      ...(match === null ? [] : ['image_words MATCH @match']),
      `${key} BETWEEN @from AND @to`,
      ...(seed === undefined
        ? []
        : [`${key} IN (SELECT t.moment FROM images i JOIN image_terms t ON t.image_id = i.id WHERE i.seed = @seed)`]),
    ].join(' AND ')
    const sql = `SELECT ${key} FROM ${table} WHERE ${where} ORDER BY ${key} ${oldestFirst ? 'ASC' : 'DESC'} LIMIT @limit`
    return this.#database.prepare<[object], number>(sql).pluck().all({ match, from, to, seed, limit })
  }

  #termsAt(moments: readonly number[]): string {
    const sql = 'SELECT group_concat(t.terms, char(10)) FROM json_each(?) m CROSS JOIN image_terms t ON t.moment = m.value'
    return this.#database.prepare<[string], string | null>(sql).pluck().get(JSON.stringify(moments)) ?? ''
  }

  #imagesAt(moments: readonly number[]): number[] {
    return this.#database
      .prepare<[string], number>(
        'SELECT t.image_id FROM json_each(?) m CROSS JOIN image_terms t ON t.moment = m.value ORDER BY m.key',
      )
      .pluck()
      .all(JSON.stringify(moments))
  }

  #asked(search: ImageSearch, without?: TermName): Asked {
    const find = this.#database
      .prepare<[string, string], number>('SELECT id FROM facet_values WHERE facet = ? AND value = ?')
      .pluck()
    const words = this.#database
      .prepare<[string, string, number], string>('SELECT word FROM words WHERE word >= ? AND word < ? LIMIT ?')
      .pluck()
    const lookup = {
      termId: (name: TermName, value: string) => find.get(name, value),
      beginningWith: (text: string, limit: number) => words.all(text, `${text}\u{10ffff}`, limit),
    }
    const [first, last] = range(search)
    return { match: matchExpression(search, lookup, without), first, last, seed: search.seed }
  }

  /** The words of this facet's values by what they count for, the greatest first. */
  #ranked(name: TermName, rank: (value: string) => number): [number, string[]][] {
    const rows = this.#database
      .prepare<[string], { id: number; value: string }>('SELECT id, value FROM facet_values WHERE facet = ? AND count > 0')
      .all(name)
    const words = Map.groupBy(rows, ({ value }) => rank(value))
    return [...words]
      .map(([each, values]): [number, string[]] => [each, values.map(({ id }) => `"${termWord(id)}"`)])
      .sort(([a], [b]) => b - a)
  }

  /** Every image has a rating, be it none. */
  #all(): number {
    const sum = `SELECT coalesce(sum(count), 0) FROM facet_values WHERE facet = 'rating'`
    return this.#database.prepare<[], number>(sum).pluck().get()!
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
