/**
 * Reads one line of arguments: words parted by spaces, those with spaces in "…" or '…'. Nothing else has a meaning, so that
 * Windows paths stay as they are.
 * @returns null where a quote is not closed
 */
export function wordsOf(line: string): string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (const char of line) {
    if (quote !== '') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + char
  }
  if (quote !== '') return null
  return word === null ? words : [...words, word]
}

/** The line that `wordsOf` reads as these words. */
export const lineOf = (words: readonly string[]): string => words.map(quoted).join(' ')

function quoted(word: string): string {
  if (word !== '' && !/[\s"']/.test(word)) return word
  // A word with both kinds of quotes is made of pieces.
  return word
    .split(/("+)/)
    .filter((piece) => piece !== '' || word === '')
    .map((piece) => (piece.startsWith('"') ? `'${piece}'` : `"${piece}"`))
    .join('')
}
