import type { Recommendation, ValueResult } from '../../contract/learning.ts'
import type { Value } from '../../contract/variables.ts'
import type { Observation, PairObservation, StarsObservation } from '../ratings/observation.ts'
import { seededDraws } from './draws.ts'
import { fitPairs } from './fit-pairs.ts'
import { fitStars } from './fit-stars.ts'
import { judge } from './judge.ts'

/** Half a star; and 62 wins in a hundred, as log odds. Smaller differences are none. */
export const matters = { stars: 0.5, pairs: 0.5 } as const

/** More would take too long; those that were judged most are kept. */
const mostValues = 60

/** What the intervals leave out at each end. */
const tail = 0.05

interface Fitted {
  /** Effects of the values, a row each draw. */
  readonly drawn: readonly (readonly number[])[]
  /** How often each value was judged. */
  readonly seen: readonly number[]
  /** From an effect to what is shown. */
  readonly shown: (effect: number) => number
}

/** What these observations, all of one variable and one kind of review, say about its values; undefined where there are none. */
export function recommend(observations: readonly Observation[]): Recommendation | undefined {
  const [first] = observations
  if (first === undefined) return undefined
  const allStars = observations.filter((one): one is StarsObservation => one.review === 'stars')
  const allPairs = observations.filter((one): one is PairObservation => one.review === 'pairs')
  const values = inOrder(
    mostSeen(first.review === 'stars' ? allStars.map(({ value }) => value) : allPairs.flatMap(({ a, b }) => [a, b])),
  )
  const kept = new Set(values)
  const stars = allStars.filter(({ value }) => kept.has(value))
  const pairs = allPairs.filter(({ a, b }) => kept.has(a) && kept.has(b))
  const fitted = first.review === 'stars' ? fittedStars(stars, values) : fittedPairs(pairs, values)
  const blocks = new Set(observations.map(({ block }) => block)).size
  const { verdict, best, chances } = judge(fitted.drawn, fitted.seen, blocks, matters[first.review])
  return {
    variable: first.variable,
    review: first.review,
    verdict,
    best: best === null ? null : values[best]!,
    values: values.map((value, at) => result(value, at, fitted, chances[at]!)),
    blocks,
    prompts: new Set(observations.map(({ prompt }) => prompt)).size,
    fromExperiments: observations.filter(({ from }) => from === 'experiment').length,
    fromGallery: observations.filter(({ from }) => from === 'gallery').length,
  }
}

function fittedStars(stars: readonly StarsObservation[], values: readonly Value[]): Fitted {
  const index = new Map(values.map((value, at) => [value, at]))
  // A block that was rated only once compares nothing.
  const blocks = [...Map.groupBy(stars, ({ block }) => block).values()].filter((block) => block.length > 1)
  const rated = blocks.flat().map(({ block, value, score }) => ({ block, value: index.get(value)!, score }))
  const mean = stars.reduce((sum, { score }) => sum + score, 0) / stars.length
  return {
    drawn: fitStars(rated, values.length, seededDraws('stars')),
    seen: values.map((_, at) => rated.filter(({ value }) => value === at).length),
    shown: (effect) => Math.min(5, Math.max(1, mean + effect)),
  }
}

function fittedPairs(pairs: readonly PairObservation[], values: readonly Value[]): Fitted {
  const index = new Map(values.map((value, at) => [value, at]))
  const compared = pairs.map(({ a, b, won }) => ({ a: index.get(a)!, b: index.get(b)!, won }))
  return {
    drawn: fitPairs(compared, values.length, seededDraws('pairs')),
    seen: values.map((_, at) => compared.filter(({ a, b }) => a === at || b === at).length),
    shown: (effect) => 1 / (1 + Math.exp(-effect)),
  }
}

function result(value: Value, at: number, { drawn, seen, shown }: Fitted, chance: number): ValueResult {
  const effects = drawn.map((effect) => effect[at]!).sort((a, b) => a - b)
  const quantile = (share: number) => shown(effects[Math.round(share * (effects.length - 1))]!)
  return { value, mean: quantile(0.5), low: quantile(tail), high: quantile(1 - tail), seen: seen[at]!, chance }
}

/** Each once, the most frequent ones. */
const mostSeen = (values: readonly Value[]): Value[] =>
  [...Map.groupBy(values, (value) => value)]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, mostValues)
    .map(([value]) => value)

/** Numbers by size, names by the alphabet. */
const inOrder = (values: readonly Value[]): Value[] =>
  values.toSorted((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en')))
