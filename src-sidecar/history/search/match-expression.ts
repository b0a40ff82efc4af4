import type { ImageSearch } from '../../contract/image-search.ts'
import { everyWord, noWord, searchableText, type TermName, termWord, wordsOf } from './image-terms.ts'

/** Id of a value in `facet_values`, or undefined where no image has it. */
export type TermLookup = (name: TermName, value: string) => number | undefined

/** What a search is looked up in. */
export interface Lookup {
  readonly termId: TermLookup
  /** Words that begin so, at most `limit`. */
  beginningWith(beginning: string, limit: number): readonly string[]
}

/** Shorter beginnings have an index of their own. */
const longBeginning = 4
const alternatives = 20

/**
 * A search as an expression of FTS5's query language (sqlite.org/fts5.html, 3); null where it asks for nothing.
 * @param without a facet that is left out of it
 */
export function matchExpression(search: ImageSearch, lookup: Lookup, without?: TermName): string | null {
  const { wanted, unwanted } = words(search.text, lookup)
  for (const [name, values] of Object.entries(search.facets) as [TermName, string[]][]) {
    if (name === without || values.length === 0) continue
    const terms = values.flatMap((value) => lookup.termId(name, value) ?? []).map((id) => quoted(termWord(id)))
    // A value that no image has: a word that no image has.
    wanted.push(terms.length > 0 ? `(${terms.join(' OR ')})` : quoted(noWord))
  }
  if (wanted.length + unwanted.length === 0) return null
  if (wanted.length === 0) wanted.push(quoted(everyWord))
  return [wanted.join(' AND '), ...unwanted].join(' NOT ')
}

function words(text: string, lookup: Lookup): { wanted: string[]; unwanted: string[] } {
  const wanted: string[] = []
  const unwanted: string[] = []
  for (const { index, 0: all, 1: minus, 2: column, 3: phrase, 4: word } of text.matchAll(/(-?)(neg:)?(?:"([^"]*)"?|(\S+))/giu)) {
    const searched = searchableText(phrase ?? word ?? '').trim()
    // Without a letter or a digit there is nothing to look for.
    if (!/[\p{L}\p{N}]/u.test(searched)) continue
    // The last word is still being typed. A single letter is the beginning of too much.
    const isBeginning = phrase === undefined && index + all.length === text.length && [...searched].length > 1
    const expression = (column ? 'negative : ' : '') + (isBeginning ? beginning(searched, lookup) : quoted(searched))
    ;(minus ? unwanted : wanted).push(expression)
  }
  return { wanted, unwanted }
}

/** All words that begin so, one by one where they are few: SQLite would merge all that they stand in before the first match is out. */
function beginning(text: string, { beginningWith }: Lookup): string {
  const [word = '', ...more] = wordsOf(text)
  const long = more.length === 0 && word.length >= longBeginning ? beginningWith(word, alternatives + 1) : []
  if (long.length === 0 || long.length > alternatives) return `${quoted(text)} *`
  return `(${long.map(quoted).join(' OR ')})`
}

const quoted = (text: string): string => `"${text.replaceAll('"', ' ')}"`
