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
  /** The size is that of the first pass. */
  readonly hires?: Recipe['hires']
  readonly refiner?: Recipe['refiner']
  readonly adetailer?: Recipe['adetailer']
  readonly width?: number
  readonly height?: number
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
    ['Size', sizeOf(recipe, used)],
    ['Model', used.checkpoint || null],
    ['VAE', recipe.vae || null],
    ['Clip skip', recipe.clipSkip ?? null],
    ['Denoising strength', denoised?.denoisingStrength ?? null],
    ['Hires upscale', recipe.hires?.scale ?? null],
    ['Hires steps', recipe.hires?.steps || null],
    ['Hires upscaler', recipe.hires?.upscaler ?? null],
    ['Refiner', recipe.refiner?.checkpoint ?? null],
    ['Refiner switch at', recipe.refiner?.switchAt ?? null],
    ...adetailerFields(recipe.adetailer),
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

/** An infotext of a picture that was made larger afterwards, as A1 adds it (`scripts/postprocessing_upscale.py`). */
export const withUpscale = (text: string, { scale, upscaler }: { scale: number; upscaler: string }): string =>
  `${text}, Postprocess upscale by: ${scale}, Postprocess upscaler: ${quoted(upscaler)}`

/** A1 names the size of the first pass, which the scale of hires fix makes larger. */
const sizeOf = ({ hires, width, height }: InfotextRecipe, used: InfotextUsed): string =>
  hires && width && height ? `${width}x${height}` : `${used.width}x${used.height}`

/** Bing-su's extension numbers its later passes (its `adetailer/args.py`, `extra_params`). */
export const adetailerSuffixes = ['', ' 2nd', ' 3rd', ' 4th'] as const

const adetailerFields = (passes: Recipe['adetailer'] = []): [string, string | number | null][] =>
  passes.flatMap(({ model, prompt, negativePrompt, confidence, denoisingStrength }, at) => [
    [`ADetailer model${adetailerSuffixes[at]}`, model],
    [`ADetailer prompt${adetailerSuffixes[at]}`, prompt || null],
    [`ADetailer negative prompt${adetailerSuffixes[at]}`, negativePrompt || null],
    [`ADetailer confidence${adetailerSuffixes[at]}`, confidence],
    [`ADetailer denoising strength${adetailerSuffixes[at]}`, denoisingStrength],
  ])

/** As A1's `infotext_utils.quote`: a comma would end the value, a colon begin one. */
const quoted = (value: string): string => (/[,\n:]/.test(value) ? JSON.stringify(value) : value)
