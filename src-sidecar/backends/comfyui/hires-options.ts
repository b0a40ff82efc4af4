import type { Recipe } from '../../contract/recipe.ts'
import type { ComfyuiModels } from './comfyui-models.ts'
import type { HiresOptions } from './graphs.ts'
import { chosenUpscaler } from './model-files.ts'

/** A1's names for scaling without a model: its `modules/shared.py` (latent_upscale_modes), `modules/upscaler.py`. */
const withoutModel: Readonly<Record<string, HiresOptions['upscaler']>> = {
  Latent: { latent: 'bilinear' },
  'Latent (bicubic)': { latent: 'bicubic' },
  'Latent (nearest-exact)': { latent: 'nearest-exact' },
  Lanczos: { pixels: 'lanczos' },
  Nearest: { pixels: 'nearest-exact' },
}

/** For a picture in pixels; latents need a model. @throws AppError `backend_rejected` for an upscaler that is not there */
export async function pixelUpscaler(
  upscaler: string,
  models: ComfyuiModels,
  signal: AbortSignal,
): Promise<string | { readonly pixels: 'lanczos' | 'nearest-exact' }> {
  const plain = withoutModel[upscaler]
  return plain && 'pixels' in plain ? plain : await chosenUpscaler(upscaler, models, signal)
}

/** The second pass as ComfyUI's nodes want it: sizes in blocks of 8 pixels, as A1 rounds them. @throws AppError `backend_rejected` for an upscaler that is not there */
export async function hiresOptions(
  recipe: Recipe,
  { scale, upscaler, steps, denoisingStrength }: NonNullable<Recipe['hires']>,
  models: ComfyuiModels,
  signal: AbortSignal,
): Promise<HiresOptions> {
  const scaled = (pixels: number) => Math.floor((pixels * scale) / 8) * 8
  return {
    width: scaled(recipe.width),
    height: scaled(recipe.height),
    upscaler: withoutModel[upscaler] ?? { model: await chosenUpscaler(upscaler, models, signal) },
    steps: steps || recipe.steps,
    denoisingStrength,
  }
}
