import type { ReviewKind } from '../../../src-sidecar/contract/learning.ts'
import type { Observation } from '../../../src-sidecar/learning/ratings/observation.ts'
import { type Draws, seededDraws } from '../../../src-sidecar/learning/recommendations/draws.ts'

/** What a simulated rater thinks of each value: stars above or below the usual, or log odds to win. */
export type Taste = readonly number[]

const about = { variable: 'cfgScale', model: 'm', packId: 'p', packName: 'p', from: 'experiment' } as const

/** Judges each value once in every block; prompts differ, nobody is consistent, and stars are whole. */
export function rate(review: ReviewKind, taste: Taste, blocks: number, seed: string, noise = 0.8): Observation[] {
  const draws = seededDraws(seed)
  return Array.from({ length: blocks }, (_, block) => {
    const where = { ...about, prompt: `prompt ${block}`, block: String(block) }
    return review === 'stars' ? stars(where, taste, draws, noise) : pairs(where, taste, draws)
  }).flat()
}

type Where = typeof about & { prompt: string; block: string }

function stars(where: Where, taste: Taste, draws: Draws, noise: number): Observation[] {
  const likesPrompt = 3 + 0.7 * draws.normal()
  return taste.map((liked, value) => {
    const score = Math.round(likesPrompt + liked + noise * draws.normal())
    return { ...where, review: 'stars', value, score: Math.max(1, Math.min(5, score)) }
  })
}

/** A ring in random order, as in a review; one in seven is "equal". */
function pairs(where: Where, taste: Taste, draws: Draws): Observation[] {
  const ring = [...taste.keys()].map((value) => ({ value, at: draws.uniform() })).sort((x, y) => x.at - y.at)
  return ring.map(({ value: a }, at) => {
    const b = ring[(at + 1) % ring.length]!.value
    const wins = draws.uniform() < 1 / (1 + Math.exp(taste[b]! - taste[a]!))
    return { ...where, review: 'pairs', a, b, won: draws.uniform() < 1 / 7 ? 0.5 : Number(wins) }
  })
}
