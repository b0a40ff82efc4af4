import { createNoise } from './noise.ts'
import { palettes } from './palettes.ts'
import { createRandom, hash, pick } from './random.ts'
import type { Recipe } from './recipe.ts'
import type { RowPainter } from './scene.ts'
import { silk } from './scenes/silk.ts'

/** Chooses scene and palette for a recipe and sets the scene up for a size. */
export function composeScene(recipe: Recipe, width: number, height: number): RowPainter {
  const seed = hash(recipe.prompt, recipe.negativePrompt, recipe.seed, recipe.sampler, recipe.scheduler, recipe.cfgScale)
  const random = createRandom(seed)
  const palette = pick(random, palettes)
  const words = new Set(recipe.prompt.toLowerCase().match(/\p{L}+/gu) ?? [])
  return silk({ width, height, palette, random, noise: createNoise(seed), words })
}
