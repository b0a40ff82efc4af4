import { type Facet, type FacetName, type Facets, facetNames, type ImageSearch } from '../../contract/image-search.ts'
import type { Database } from '../../store/database.ts'
import { countedAtMost, type ImageFinder } from './image-finder.ts'
import { termLetters } from './image-terms.ts'

const valuesShown = 12

/**
 * What the matches of a search have in common. All images: from the counts that are kept with each of them. Otherwise the terms
 * of the matches are counted, of the newest ones where there are many. A facet with a choice is counted as if there were none,
 * so that the other values of it can be added.
 */
export class FacetCounts {
  readonly #database: Database
  readonly #finder: ImageFinder

  constructor(database: Database, finder: ImageFinder) {
    this.#database = database
    this.#finder = finder
  }

  of(search: ImageSearch): Facets {
    let cut = false
    const countsOf = (without?: FacetName): Map<string, number> | null => {
      if (this.#finder.matchesAll(search, without)) return null
      const { terms, isCut } = this.#finder.termsOf(search, without)
      cut ||= isCut
      return occurrences(terms, without && termLetters[without])
    }
    const shared = countsOf()
    const facets = facetNames.map((name): Facet => {
      const chosen = search.facets[name] ?? []
      const counts = chosen.length > 0 ? countsOf(name) : shared
      const { values, more } = counts === null ? this.#kept(name) : this.#counted(name, counts)
      const missing = chosen.filter((value) => !values.some((one) => one.value === value))
      return { name, values: [...values, ...missing.map((value) => ({ value, count: 0 }))], more }
    })
    return { facets: facets.filter(({ values }) => values.length > 0), countedNewest: cut ? countedAtMost : null }
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

  #counted(name: FacetName, counts: ReadonlyMap<string, number>): Omit<Facet, 'name'> {
    const letter = termLetters[name]
    const ofFacet = [...counts].filter(([term]) => term[0] === letter).sort(([, a], [, b]) => b - a)
    const find = this.#database.prepare<[number], { value: string }>('SELECT value FROM facet_values WHERE id = ?')
    const values = ofFacet.slice(0, valuesShown).map(([term, count]) => {
      const { value } = find.get(Number.parseInt(term.slice(1), 36))!
      return { value, count }
    })
    return { values, more: ofFacet.length - values.length }
  }
}

/** @param letter of the only facet that is asked for */
function occurrences(terms: readonly string[], letter?: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of terms) if (letter === undefined || term[0] === letter) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}
