import type { RatingRecord } from '../../contract/learning.ts'
import { type Variable, variablesOf } from '../../contract/variables.ts'
import type { StarsObservation } from './observation.ts'
import { imageText } from './recipe-text.ts'

interface Candidate {
  readonly rating: RatingRecord
  readonly variable: Variable
}

/**
 * Ratings of the gallery as blocks. Two images are compared only where they share everything but one thing: prompt, seed,
 * checkpoint, size and every other setting. Most images have no such partner, and say nothing here.
 * @param pause between two slices of work; it may throw to give up
 */
export async function fromGallery(ratings: readonly RatingRecord[], pause: () => Promise<void>): Promise<StarsObservation[]> {
  const blocks = new Map<string, Candidate[]>()
  let since = performance.now()
  for (const together of Map.groupBy(ratings, ({ seed }) => seed).values()) {
    // Another seed is another picture: one alone has nothing to be compared with.
    if (together.length > 1)
      for (const rating of together)
        for (const variable of variablesOf({ ...rating.recipe, checkpoint: rating.model })) {
          const key = allBut(variable, rating)
          blocks.set(key, [...(blocks.get(key) ?? []), { rating, variable }])
        }
    if (performance.now() - since < 20) continue
    await pause()
    since = performance.now()
  }
  return [...blocks].flatMap(([block, candidates]) => observations(block, candidates))
}

function observations(block: string, candidates: readonly Candidate[]): StarsObservation[] {
  const all = candidates.map(({ rating, variable }): StarsObservation => {
    const { recipe, model, packId, packName } = rating
    const value = variable.read({ ...recipe, checkpoint: model })!
    const about = { variable: variable.id, model: variable.id === 'checkpoint' ? '' : model, packId, packName }
    return { ...about, prompt: recipe.prompt, from: 'gallery', review: 'stars', block, value, score: rating.rating }
  })
  return new Set(all.map(({ value }) => value)).size > 1 ? all : []
}

/** All that the image was made of but this, as a text. */
function allBut(variable: Variable, rating: RatingRecord): string {
  const varied = variable.write({ ...rating.recipe, checkpoint: rating.model }, variable.of === 'number' ? 0 : '-')
  const recipe = { ...rating.recipe, ...varied }
  return `${variable.id} of ${imageText({ ...rating, recipe, model: recipe.checkpoint ?? '' })}`
}
