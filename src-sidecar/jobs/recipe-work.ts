import type { Recipe } from '../contract/recipe.ts'

/** What an image costs, as far as the recipe tells. */
export interface ImageWork {
  /** What the time for a unit depends on: size and passes. */
  readonly shape: string
  /** Thousands of pixels times steps, over all passes; 1 or more. */
  readonly load: number
}

/** ADetailer makes each face anew at this many thousands of pixels (its default of 512 × 512). */
const faceKilopixels = 256

const facesLoad = (passes: NonNullable<Recipe['adetailer']>, steps: number): number =>
  passes.reduce((sum, { denoisingStrength }) => sum + faceKilopixels * steps * denoisingStrength, 0)

/** Only comparable within a shape: the time for a step is not proportional to the pixels. */
export function workOf(recipe: Recipe): ImageWork {
  const { width, height, steps, hires, adetailer = [], source, stages = [] } = recipe
  const kilopixels = (width * height) / 1024
  const shape = [`${width}x${height}`]
  let load = kilopixels * steps
  if (source?.as === 'upscale') {
    shape.push(`upscale ${source.scale}`)
    load = kilopixels * source.scale ** 2
  } else if (source?.as === 'adetailer') {
    shape.push(`faces ${source.passes.length}`)
    load = facesLoad(source.passes, steps)
  } else if (source !== undefined) {
    shape.push('img2img')
    load *= source.denoisingStrength
  }
  if (hires) {
    shape.push(`hires ${hires.scale}`)
    load += kilopixels * hires.scale ** 2 * (hires.steps || steps)
  }
  if (adetailer.length > 0) {
    shape.push(`adetailer ${adetailer.length}`)
    load += facesLoad(adetailer, steps)
  }
  let made = kilopixels * (hires?.scale ?? 1) ** 2 * (source?.as === 'upscale' ? source.scale : 1) ** 2
  for (const stage of stages) {
    shape.push(stage.as === 'upscale' ? `then upscale ${stage.scale}` : `then ${stage.as}`)
    if (stage.as === 'adetailer') load += facesLoad(stage.passes, steps)
    else if (stage.as === 'img2img') load += made * (stage.steps ?? steps) * stage.denoisingStrength
    else {
      made *= stage.scale ** 2
      load += made
    }
  }
  return { shape: shape.join(' '), load: Math.max(1, Math.round(load)) }
}
