/** The name that was probably meant, as ` Did you mean "x"?`, or nothing where none is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: { name: string; edits: number } | undefined
  for (const candidate of known) {
    const most = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3))
    // A list of wildcards may be long, and no name that differs so much in length can be near.
    if (Math.abs(candidate.length - name.length) > most) continue
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (edits <= most && edits < (best?.edits ?? Number.POSITIVE_INFINITY)) best = { name: candidate, edits }
  }
  return best === undefined ? '' : ` Did you mean "${best.name}"?`
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
