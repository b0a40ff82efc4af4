import { createNoise } from './noise.ts'
import { createRandom, hash } from './random.ts'
import type { Recipe } from './recipe.ts'
import type { RowPainter } from './scene.ts'
import { chooseTheme } from './themes.ts'

/** Chooses scene and palette for a recipe and sets the scene up for a size. */
export function composeScene(recipe: Recipe, width: number, height: number): RowPainter {
  const words = recipe.prompt.toLowerCase().match(/\p{L}+/gu) ?? []
  // The sampler and the negative prompt change a picture, as with a model, but not what it shows.
  const { scene, palette } = chooseTheme(words, createRandom(hash(recipe.prompt, recipe.seed)))
  const seed = hash(recipe.prompt, recipe.negativePrompt, recipe.seed, recipe.sampler, recipe.scheduler)
  return scene({ width, height, palette, random: createRandom(seed), noise: createNoise(seed), words: new Set(words) })
}
