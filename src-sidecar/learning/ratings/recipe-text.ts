import type { RatingRecord } from '../../contract/learning.ts'

/** All that an image was made of, as a text: the same for the same image, whoever wrote it down. */
export const imageText = ({ recipe, model, seed, packId }: Omit<RatingRecord, 'rating' | 'ratedAtMs' | 'packName'>): string => {
  // How many images its job made, and how its file is called, is nothing of the picture.
  const { chosen: _, images: __, version: ___, filePattern: ____, ...made } = recipe
  return JSON.stringify(sorted({ ...made, checkpoint: model, seed, packId }))
}

/** With its names in order. What is empty is not there. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== undefined && one !== null && one !== '')
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, sorted(one)]))
}
