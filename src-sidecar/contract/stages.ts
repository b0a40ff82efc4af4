import type { Recipe, Stage } from './recipe.ts'

export type StageName = 'txt2img' | Stage['as']

/** What makes each image, from 0: the recipe itself, then its stages. */
export const stageNames = ({ source, stages = [] }: Pick<Recipe, 'source' | 'stages'>): StageName[] => [
  source?.as ?? 'txt2img',
  ...stages.map(({ as }) => as),
]

/**
 * The recipe of a stage by itself, which begins with a picture.
 * @param stage from 1
 * @param size of the picture that the stage before has made
 */
export function stageRecipe(recipe: Recipe, stage: number, size: { width: number; height: number }): Recipe {
  const { stages, source: _, hires: __, refiner: ___, adetailer: ____, ...plain } = recipe
  const { keepInput: _____, ...how } = stages![stage - 1]!
  const { width, height } = size
  const path = `stage-${stage}.png`
  if (how.as !== 'img2img') return { ...plain, width, height, source: { ...how, path } }
  const { as, denoisingStrength, ...own } = how
  return { ...plain, ...own, width, height, source: { as, denoisingStrength, path } }
}
