import type { Recipe } from '../contract/recipe.ts'

/** A1111's infotext (its `modules/processing.py`, `create_infotext`), for servers that don't send one. */
export function infotext(recipe: Recipe, used: { seed: number; width: number; height: number; checkpoint: string }): string {
  const scheduler = recipe.scheduler === 'Automatic' ? [] : [`Schedule type: ${recipe.scheduler}`]
  const settings = [
    `Steps: ${recipe.steps}`,
    `Sampler: ${recipe.samplerName}`,
    ...scheduler,
    `CFG scale: ${recipe.cfgScale}`,
    `Seed: ${used.seed}`,
    `Size: ${used.width}x${used.height}`,
    ...(used.checkpoint ? [`Model: ${used.checkpoint}`] : []),
    'Version: StableNew',
  ].join(', ')
  const negative = recipe.negativePrompt ? [`Negative prompt: ${recipe.negativePrompt}`] : []
  return [recipe.prompt, ...negative, settings].join('\n')
}
