import { type Facet, type FacetName, type Facets, facetNames, type ImageSearch } from '../../contract/image-search.ts'
import type { Database } from '../../store/database.ts'
import { countedAtMost, type ImageFinder } from './image-finder.ts'
import { TermCounts } from './term-counts.ts'

const valuesShown = 12
/** So many images are read at most for each search that this saves: one for each facet with a choice but the first. */
const readForEach = 10_000

/** Values that are chosen in one facet. */
interface Choice {
  readonly name: FacetName
  readonly ids: readonly number[]
  /** How many images have one of them. */
  readonly images: number
}

/**
 * What the matches of a search have in common. All images: from the counts that are kept with each of them. Otherwise the terms
 * of the matches are counted, of the newest ones where there are many. A facet with a choice is counted as if there were none,
 * so that the other values of it can be added.
 */
export class FacetCounts {
  readonly #database: Database
  readonly #finder: ImageFinder
  readonly #readForEach: number

  constructor(database: Database, finder: ImageFinder, options: { readForEach?: number } = {}) {
    this.#database = database
    this.#finder = finder
    this.#readForEach = options.readForEach ?? readForEach
  }

  of(search: ImageSearch): Facets {
    let cut = false
    const ids = this.#ids()
    const countsOf = (without?: FacetName): TermCounts | null => {
      if (this.#finder.matchesAll(search, without)) return null
      const counts = new TermCounts(ids)
      const { terms, isCut } = this.#finder.termsOf(search, without)
      counts.add(terms)
      cut ||= isCut
      return counts
    }
    const choices = this.#choices(search)
    const rarest = choices.toSorted((a, b) => a.images - b.images)[0]
    // What lacks only one choice has the rarest one, but for what lacks that: few images, and to read them once is quickest.
    const few = rarest !== undefined && choices.length > 1 && rarest.images <= this.#readForEach * (choices.length - 1)
    const nearMisses = few ? this.#nearMisses(search, ids, choices, rarest) : null
    const shared = nearMisses ?? countsOf()
    const facets = facetNames.map((name): Facet => {
      const chosen = search.facets[name] ?? []
      const isApart = chosen.length > 0 && (nearMisses === null || name === rarest?.name)
      const counts = isApart ? countsOf(name) : shared
      const { values, more } = counts === null ? this.#kept(name) : this.#counted(name, counts)
      const missing = chosen.filter((value) => !values.some((one) => one.value === value))
      return { name, values: [...values, ...missing.map((value) => ({ value, count: 0 }))], more }
    })
    return { facets: facets.filter(({ values }) => values.length > 0), countedNewest: cut ? countedAtMost : null }
  }

  #nearMisses(search: ImageSearch, ids: number, choices: readonly Choice[], { name }: Choice): TermCounts {
    const others = choices.filter((one) => one.name !== name)
    const counts = new TermCounts(ids, new Map(others.map((one) => [one.name, one.ids])))
    counts.add(this.#finder.allTermsOf({ ...search, facets: { [name]: search.facets[name] } }))
    return counts
  }

  #choices({ facets }: ImageSearch): Choice[] {
    const find = this.#database.prepare<[string, string], { id: number; count: number }>(
      'SELECT id, count FROM facet_values WHERE facet = ? AND value = ?',
    )
    return Object.entries(facets)
      .filter(([, values]) => values.length > 0)
      .map(([name, values]): Choice => {
        const rows = values.flatMap((value) => find.get(name, value) ?? [])
        const images = rows.reduce((sum, { count }) => sum + count, 0)
        return { name: name as FacetName, ids: rows.map(({ id }) => id), images }
      })
  }

  #ids(): number {
    return this.#database.prepare<[], number>('SELECT coalesce(max(id), 0) + 1 FROM facet_values').pluck().get()!
  }

  #kept(name: FacetName): Omit<Facet, 'name'> {
    const values = this.#database
      .prepare<[string, number], Facet['values'][0]>(
        'SELECT value, count FROM facet_values WHERE facet = ? AND count > 0 ORDER BY count DESC, value LIMIT ?',
      )
      .all(name, valuesShown)
    if (values.length < valuesShown) return { values, more: 0 }
    const { n } = this.#database
      .prepare<[string], { n: number }>('SELECT count(*) AS n FROM facet_values WHERE facet = ? AND count > 0')
      .get(name)!
    return { values, more: n - values.length }
  }

  #counted(name: FacetName, counts: TermCounts): Omit<Facet, 'name'> {
    const all = counts.of(name)
    const find = this.#database.prepare<[number], { value: string }>('SELECT value FROM facet_values WHERE id = ?')
    const values = all.slice(0, valuesShown).map(({ id, count }) => ({ value: find.get(id)!.value, count }))
    return { values, more: all.length - values.length }
  }
}
