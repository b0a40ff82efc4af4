import type { Sampling } from './catalogue.ts'
import { modelName, painterVersion } from './catalogue.ts'

/** What goes into an infotext besides the prompts. */
export interface InfotextSource {
  readonly prompt: string
  readonly negativePrompt: string
  readonly sampling: Sampling
  readonly steps: number
  readonly cfgScale: number
  readonly seed: number
  readonly width: number
  readonly height: number
  readonly restoreFaces: boolean
  readonly denoisingStrength: number | null
  readonly subseed: number
  readonly subseedStrength: number
  readonly clipSkip: number
  readonly tiling: boolean
  /** Hires parameters and the like, in their order. */
  readonly extra: Readonly<Record<string, string | number>>
}

/** The text of the `parameters` chunk, exactly as A1's `create_infotext` (modules/processing.py). */
export function infotext(source: InfotextSource): string {
  const negative = source.negativePrompt ? `\nNegative prompt: ${source.negativePrompt}` : ''
  const varied = source.subseedStrength !== 0
  const parameters = joinParameters({
    Steps: source.steps,
    Sampler: source.sampling.sampler,
    'Schedule type': source.sampling.scheduler,
    'CFG scale': source.cfgScale,
    Seed: source.seed,
    'Face restoration': source.restoreFaces ? 'CodeFormer' : null,
    Size: `${source.width}x${source.height}`,
    Model: modelName,
    'Variation seed': varied ? source.subseed : null,
    'Variation seed strength': varied ? source.subseedStrength : null,
    'Denoising strength': source.denoisingStrength,
    'Clip skip': source.clipSkip > 1 ? source.clipSkip : null,
    Tiling: source.tiling ? 'True' : null,
    ...source.extra,
    Version: painterVersion,
  })
  return `${source.prompt}${negative}\n${parameters}`.trim()
}

/** "Name: value, …" without the nulls; a value with a comma, a colon or a line break is quoted (A1's infotext_utils.quote). */
export function joinParameters(parameters: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${/[,\n:]/.test(String(value)) ? JSON.stringify(String(value)) : value}`)
    .join(', ')
}
