import { describe, expect, test } from 'vitest'
import type { ReviewKind } from '../../../src-sidecar/contract/learning.ts'
import type { Observation } from '../../../src-sidecar/learning/ratings/observation.ts'
import { recommend } from '../../../src-sidecar/learning/recommendations/recommend.ts'
import { rate, type Taste } from './simulated-rater.ts'

/** `RATERS=500` for the figures of the README. */
const raters = Number(process.env.RATERS ?? 60)

const known = new Map<string, Record<string, number>>()

/** How many of so many simulated raters get which verdict; `best 2` is the value of that index. */
function verdicts(review: ReviewKind, taste: Taste, blocks: number): Record<string, number> {
  const key = [review, blocks, ...taste].join()
  const counts = known.get(key) ?? {}
  if (known.has(key)) return counts
  known.set(key, counts)
  for (let rater = 0; rater < raters; rater++) {
    const { verdict, best } = recommend(rate(review, taste, blocks, `rater ${rater}`))!
    const name = verdict === 'best' ? `best ${best}` : verdict
    counts[name] = (counts[name] ?? 0) + 1
  }
  console.log(`${review}, ${blocks} blocks, taste ${taste.join(' ')}:`, counts)
  return counts
}

const isBest = (name: string) => name.startsWith('best')
const falsePositives = (counts: Record<string, number>): number =>
  Object.entries(counts).reduce((sum, [name, count]) => sum + (isBest(name) ? count : 0), 0) / raters

const liked = { stars: [-0.4, 0, 0.8, 0.1, -0.6], pairs: [-1, 0, 1.6, 0.1, -1] } as const
const indifferent = [0, 0, 0, 0, 0]
/** Blocks after which it is clear that nothing differs. */
const many = { stars: 60, pairs: 100 }

describe.each(['stars', 'pairs'] as const)('by %s', (review) => {
  test('the value that a rater likes best is found, and no other is taken for it', () => {
    const counts = verdicts(review, liked[review], 30)
    expect(counts['best 2'] ?? 0).toBeGreaterThanOrEqual(0.9 * raters)
    expect(falsePositives(counts) - (counts['best 2'] ?? 0) / raters).toBeLessThanOrEqual(0.02)
  })

  test('a rater without a preference gets no recommendation, however much is rated', () => {
    for (const blocks of [6, 12, 24, many[review]]) {
      const rate = falsePositives(verdicts(review, indifferent, blocks))
      console.log(`${review}, ${blocks} blocks: false positives ${(100 * rate).toFixed(1)}%`)
      expect(rate).toBeLessThanOrEqual(0.05)
    }
  })

  test('with enough data the rater without a preference is told that there is no difference', () => {
    expect(verdicts(review, indifferent, many[review])['no-difference']).toBeGreaterThanOrEqual(0.8 * raters)
  })

  test('a few judgements are not enough, for whatever taste', () => {
    for (const taste of [liked[review], indifferent]) expect(verdicts(review, taste, 4)['not-enough']).toBe(raters)
  })

  test('nine intervals in ten hold the truth', () => {
    let [held, all] = [0, 0]
    for (let rater = 0; rater < raters; rater++) {
      const { values } = recommend(rate(review, [-0.3, 0, 0.3], 24, `rater ${rater}`))!
      const middle = values[1]!
      all++
      // The one in the middle is liked as the mean of all.
      const truth = review === 'pairs' ? 0.5 : values.reduce((sum, { mean }) => sum + mean, 0) / 3
      if (middle.low <= truth && truth <= middle.high) held++
    }
    console.log(`${review}: ${held} of ${all} intervals hold the truth`)
    expect(held / all).toBeGreaterThanOrEqual(0.85)
  })
})

test('to compare twelve values does not make one of them look good', () => {
  expect(falsePositives(verdicts('stars', new Array(12).fill(0), 12))).toBeLessThanOrEqual(0.05)
})

test('two values that are liked alike, and above the others, are not told apart: one of them is named', () => {
  const counts = verdicts('stars', [-0.8, 0.6, 0.6, -0.8], 40)
  expect((counts['best 1'] ?? 0) + (counts['best 2'] ?? 0)).toBeGreaterThanOrEqual(0.9 * raters)
})

test('what makes prompts differ does not make values differ', () => {
  // Each prompt is liked much more or less than the others, and the value is made with different prompts.
  const about = { variable: 'cfgScale', model: 'm', packId: 'p', packName: 'p', from: 'gallery', review: 'stars' } as const
  const observations = Array.from({ length: 40 }, (_, at): Observation[] => {
    const where = { ...about, prompt: `${at}`, block: `${at}` }
    const score = at % 2 === 0 ? 1 : 5
    const values = at % 2 === 0 ? [1, 2] : [2, 3]
    return values.map((value) => ({ ...where, value, score }))
  }).flat()
  const { verdict } = recommend(observations)!
  expect(verdict).toBe('no-difference')
})

test('of hundreds of values those are looked at that were judged most', () => {
  const often = rate('stars', [-1, 1], 20, 'one')
  const rare = rate('stars', new Array(300).fill(0), 1, 'two').map(
    (one): Observation => ({ ...one, value: `rare ${'value' in one && one.value}` }) as Observation,
  )
  const { values, best } = recommend([...rare, ...often])!
  expect(values).toHaveLength(60)
  expect(best).toBe(1)
})

test('the same judgements give the same recommendation', () => {
  const observations = rate('stars', liked.stars, 10, 'one')
  expect(recommend(observations)).toEqual(recommend(observations))
})

test('a value that was hardly judged does not hold up the others, and is not recommended', () => {
  const observations = rate('stars', [-1, 1], 20, 'one')
  const rare: Observation[] = [{ ...observations[0]!, value: 9, score: 5 } as Observation]
  const { verdict, best, values } = recommend([...observations, ...rare])!
  expect([verdict, best]).toEqual(['best', 1])
  expect(values.find(({ value }) => value === 9)).toMatchObject({ seen: 1, chance: 0 })
})
