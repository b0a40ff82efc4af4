import { fewestBlocks, fewestOfValue, sureAt, type Verdict } from '../../contract/learning.ts'

export interface Judged {
  readonly verdict: Verdict
  /** Index of the value that did best so far; null where none was seen often enough. */
  readonly best: number | null
  /** Per value: the chance that no other is better by more than matters. */
  readonly chances: readonly number[]
}

/**
 * The verdict on drawn effects. `matters` is the half-width of the region of practical equivalence (Kruschke 2018): a smaller
 * difference is none.
 * - `best`: surely none is better than the leader by more than that, and of some other one the contrary is sure;
 * - `no-difference`: surely of every one that none is better by more than that;
 * - `not-enough`: neither can be said.
 */
export function judge(drawn: readonly (readonly number[])[], seen: readonly number[], blocks: number, matters: number): Judged {
  const counted = seen.flatMap((times, value) => (times >= fewestOfValue ? [value] : []))
  const chances = seen.map(() => 0)
  for (const effects of drawn) {
    const highest = Math.max(...counted.map((value) => effects[value]!))
    for (const value of counted) if (effects[value]! >= highest - matters) chances[value]! += 1 / drawn.length
  }
  const means = seen.map((_, value) => drawn.reduce((sum, effects) => sum + effects[value]!, 0) / drawn.length)
  const best = counted.toSorted((a, b) => means[b]! - means[a]!)[0] ?? null
  return { verdict: best === null ? 'not-enough' : verdict(), best, chances }

  function verdict(): Verdict {
    if (counted.length < 2 || blocks < fewestBlocks) return 'not-enough'
    const lowest = Math.min(...counted.map((value) => chances[value]!))
    if (lowest >= sureAt) return 'no-difference'
    return chances[best!]! >= sureAt && lowest <= 1 - sureAt ? 'best' : 'not-enough'
  }
}
