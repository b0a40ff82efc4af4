import type { Recipe } from '../contract/recipe.ts'

/** What was asked for; null where it is not known what was used. */
export interface InfotextRecipe {
  readonly prompt: string
  readonly negativePrompt: string
  readonly steps: number | null
  readonly samplerName: string | null
  readonly scheduler: string | null
  readonly cfgScale: number | null
  readonly vae?: string | undefined
  readonly clipSkip?: number | undefined
  readonly hires?: Recipe['hires']
  readonly source?: Recipe['source']
}

export interface InfotextUsed {
  readonly seed: number
  readonly width: number
  readonly height: number
  /** Empty where it is not known. */
  readonly checkpoint: string
}

/** A1111's infotext (its `modules/processing.py`, `create_infotext`), for servers that don't send one. */
export function infotext(recipe: InfotextRecipe, used: InfotextUsed): string {
  const { source } = recipe
  const upscaled = source?.as === 'upscale' ? source : undefined
  const denoised = source?.as === 'img2img' ? source : recipe.hires
  const settings = [
    ['Steps', recipe.steps],
    ['Sampler', recipe.samplerName],
    ['Schedule type', recipe.scheduler === 'Automatic' ? null : recipe.scheduler],
    ['CFG scale', recipe.cfgScale],
    ['Seed', used.seed],
    ['Size', `${used.width}x${used.height}`],
    ['Model', used.checkpoint || null],
    ['VAE', recipe.vae || null],
    ['Clip skip', recipe.clipSkip ?? null],
    ['Denoising strength', denoised?.denoisingStrength ?? null],
    ['Hires upscale', recipe.hires?.scale ?? null],
    ['Hires steps', recipe.hires?.steps || null],
    ['Hires upscaler', recipe.hires?.upscaler ?? null],
    ['Postprocess upscale by', upscaled?.scale ?? null],
    ['Postprocess upscaler', upscaled?.upscaler ?? null],
    ['Version', 'StableNew'],
  ]
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${quoted(String(value))}`)
    .join(', ')
  const negative = recipe.negativePrompt ? [`Negative prompt: ${recipe.negativePrompt}`] : []
  return [recipe.prompt, ...negative, settings].join('\n')
}

/** As A1's `infotext_utils.quote`: a comma would end the value, a colon begin one. */
const quoted = (value: string): string => (/[,\n:]/.test(value) ? JSON.stringify(value) : value)
