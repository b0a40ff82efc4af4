import type { Design } from '../../contract/learning.ts'
import { seededNumbers } from '../../packs/expand/seeded-choice.ts'

/** One thing to judge: an image, or two of the same prompt and seed. Numbers are indexes in the design. */
export interface PlannedItem {
  readonly prompt: number
  readonly image: number
  /** Alone, or on the left. */
  readonly a: number
  readonly b: number | null
}

/**
 * All that is to be judged, in the order in which it is shown: the same for the same design, so that a review goes on where it
 * was left, and shuffled, so that neither order nor side tells the value.
 * Pairs: of each prompt and seed every value stands beside two others (a ring in random order), which grows with the number of
 * values and not with its square, and over the prompts and seeds brings all of them together.
 */
export function reviewItems({ prompts, images, values, review, seed }: Design): PlannedItem[] {
  const next = seededNumbers(`review:${seed}`)
  const items: PlannedItem[] = []
  for (const prompt of prompts.keys())
    for (let image = 0; image < images; image++) {
      if (review === 'stars') items.push(...values.map((_, a) => ({ prompt, image, a, b: null })))
      else for (const [a, b] of ring(values.length, next)) items.push({ prompt, image, a, b })
    }
  return shuffled(items, next)
}

function ring(count: number, next: () => number): [number, number][] {
  const order = shuffled([...new Array(count).keys()], next)
  const pairs = count === 2 ? order.slice(0, 1) : order
  return pairs.map((a, at) => {
    const b = order[(at + 1) % count]!
    return next() < 0.5 ? [a, b] : [b, a]
  })
}

/** Fisher & Yates. */
function shuffled<T>(list: readonly T[], next: () => number): T[] {
  const order = [...list]
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1))
    ;[order[at], order[other]] = [order[other]!, order[at]!]
  }
  return order
}
