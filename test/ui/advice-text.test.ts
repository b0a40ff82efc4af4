import { expect, test } from 'vitest'
import type { Recommendation } from '../../src-sidecar/contract/learning.ts'
import { adviceText, basisText } from '../../src-ui/state/advice-text.ts'

const value = (value: number, chance: number) => ({ value, mean: 3, low: 2, high: 4, seen: 9, chance })
const some = (more: Partial<Recommendation>): Recommendation => ({
  variable: 'cfgScale',
  review: 'stars',
  verdict: 'best',
  best: 7,
  values: [value(4, 0.02), value(7, 0.97), value(8, 0.6), value(9, 0.3)],
  blocks: 9,
  prompts: 3,
  fromExperiments: 27,
  fromGallery: 0,
  ...more,
})

test('what did best, what did worse, and what is about as good', () => {
  expect(adviceText(some({})).says).toBe(
    '7 did best, and 4 worse. About as good: 8. Not settled: 9. With 97% certainty no other is better by half a star or more.',
  )
})

test('certainty is never told as full', () => {
  expect(adviceText(some({ values: [value(4, 0), value(7, 1)] })).says).toContain('With 99% certainty')
})

test('no difference, not sure, and too little are three things', () => {
  expect(adviceText(some({ verdict: 'no-difference', review: 'pairs' })).says).toContain('does not matter which')
  expect(adviceText(some({ verdict: 'not-enough' })).says).toBe(
    '7 leads so far, but that may be chance. Judge more images to be sure.',
  )
  expect(adviceText(some({ verdict: 'not-enough', blocks: 1 })).says).toBe(
    '1 comparison so far; at least 5 are needed, better twenty.',
  )
})

test('where it comes from, and what that means', () => {
  expect(basisText(some({ prompts: 1, fromGallery: 4 }))).toBe(
    'From 9 comparisons of like with like, 1 prompt: 27 judgements in experiments and 4 ratings in the gallery, which were not blind. With other prompts it may be different.',
  )
})
