import type { RatingRecord } from '../../contract/learning.ts'
import type { Recipe } from '../../contract/recipe.ts'

/** All that a recipe says of the picture, as a text: the same for the same picture, whoever wrote it down. */
export function recipeText(recipe: Recipe): string {
  // How many images its job makes, and how its file is called, is nothing of the picture.
  const { chosen: _, images: __, version: ___, filePattern: ____, ...made } = recipe
  return JSON.stringify(sorted(made))
}

/** The same of an image that was made of it. */
export const imageText = ({ recipe, model, seed, packId }: Omit<RatingRecord, 'rating' | 'ratedAtMs' | 'packName'>): string =>
  `${recipeText({ ...recipe, checkpoint: model, seed })} ${packId}`

/** With its names in order. What is empty is not there. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== undefined && one !== null && one !== '')
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, sorted(one)]))
}
