import type { ImageSearch } from '../../contract/image-search.ts'
import { everyWord, noWord, searchableText, type TermName, termWord } from './image-terms.ts'

/** Id of a value in `facet_values`, or undefined where no image has it. */
export type TermLookup = (name: TermName, value: string) => number | undefined

/**
 * A search as an expression of FTS5's query language (sqlite.org/fts5.html, 3); null where it asks for nothing.
 * @param without a facet that is left out of it
 */
export function matchExpression(search: ImageSearch, termId: TermLookup, without?: TermName): string | null {
  const { wanted, unwanted } = words(search.text)
  for (const [name, values] of Object.entries(search.facets) as [TermName, string[]][]) {
    if (name === without || values.length === 0) continue
    const terms = values.flatMap((value) => termId(name, value) ?? []).map((id) => quoted(termWord(id)))
    // A value that no image has: a word that no image has.
    wanted.push(terms.length > 0 ? `(${terms.join(' OR ')})` : quoted(noWord))
  }
  if (wanted.length + unwanted.length === 0) return null
  if (wanted.length === 0) wanted.push(quoted(everyWord))
  return [wanted.join(' AND '), ...unwanted].join(' NOT ')
}

function words(text: string): { wanted: string[]; unwanted: string[] } {
  const wanted: string[] = []
  const unwanted: string[] = []
  for (const { index, 0: all, 1: minus, 2: column, 3: phrase, 4: word } of text.matchAll(/(-?)(neg:)?(?:"([^"]*)"?|(\S+))/giu)) {
    const searched = searchableText(phrase ?? word ?? '').trim()
    // Without a letter or a digit there is nothing to look for.
    if (!/[\p{L}\p{N}]/u.test(searched)) continue
    // The last word is still being typed. A single letter is the beginning of too much.
    const isBeginning = phrase === undefined && index + all.length === text.length && [...searched].length > 1
    const expression = `${column ? 'negative : ' : ''}${quoted(searched)}${isBeginning ? ' *' : ''}`
    ;(minus ? unwanted : wanted).push(expression)
  }
  return { wanted, unwanted }
}

const quoted = (text: string): string => `"${text.replaceAll('"', ' ')}"`
