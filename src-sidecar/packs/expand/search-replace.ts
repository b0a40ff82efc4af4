/**
 * Prompt search and replace, after A1111's "Prompt S/R": plain text, case counts, in positive and negative alike.
 * `fanout` makes a job of every replacement, `round_robin` gives each prompt the next one, `random` one by the seed.
 */
export interface SearchReplace {
  readonly mode: 'random' | 'round_robin' | 'fanout'
  readonly rules: readonly SearchRule[]
}

export interface SearchRule {
  readonly search: string
  readonly replacements: readonly string[]
}

export interface FoundRules {
  /** Those that the texts contain; of two that begin at one place, the longer. */
  readonly rules: readonly SearchRule[]
  /** @param chosen a replacement for each of `rules`. All are replaced at once: what is put in is not searched again. */
  readonly replace: (text: string, chosen: readonly string[]) => string
}

const nothingFound: FoundRules = { rules: [], replace: (text) => text }

/** Which rules a prompt needs. A rule without search text or replacements does nothing. */
export function findRules(rules: readonly SearchRule[], texts: readonly string[]): FoundRules {
  if (rules.length === 0) return nothingFound
  const bySearch = new Map<string, string[]>()
  for (const { search, replacements } of rules) {
    if (search === '' || replacements.length === 0) continue
    bySearch.set(search, [...new Set([...(bySearch.get(search) ?? []), ...replacements])])
  }
  if (bySearch.size === 0) return nothingFound
  const longestFirst = [...bySearch.keys()].sort((a, b) => b.length - a.length)
  const anySearch = new RegExp(longestFirst.map((search) => search.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
  const found = new Set(texts.flatMap((text) => text.match(anySearch) ?? []))
  const used = [...bySearch].filter(([search]) => found.has(search)).map(([search, replacements]) => ({ search, replacements }))
  const place = new Map(used.map(({ search }, index) => [search, index]))
  return { rules: used, replace: (text, chosen) => text.replace(anySearch, (search) => chosen[place.get(search)!]!) }
}
