import { modelKey } from '../../contract/model-key.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { AppError } from '../../errors/app-error.ts'
import type { GenerateRequest } from '../backend.ts'

/** What a server has of what a recipe may ask for. */
export interface SdapiFeatures {
  /** As it lists them; empty where it does not tell. */
  readonly checkpoints: readonly string[]
  readonly adetailer: boolean
  /** Forge's `sd-modules`. */
  readonly modules: boolean
}

/**
 * The body of txt2img: A1 1.8, `modules/api/models.py`. What the server lacks is left out: the picture's text then shows it.
 * @throws AppError `backend_rejected` for a checkpoint that it does not list, which A1 would drop without a word
 */
export function txt2imgBody({ recipe, seed }: GenerateRequest, features: SdapiFeatures, taskId: string | undefined): object {
  return {
    prompt: recipe.prompt,
    negative_prompt: recipe.negativePrompt,
    sampler_name: recipe.samplerName,
    scheduler: recipe.scheduler,
    steps: recipe.steps,
    cfg_scale: recipe.cfgScale,
    width: recipe.width,
    height: recipe.height,
    seed,
    batch_size: 1,
    n_iter: 1,
    send_images: true,
    save_images: false,
    force_task_id: taskId,
    ...overrides(recipe, features.checkpoints),
    ...hires(recipe, features.modules),
    ...refiner(recipe, features.checkpoints),
    ...adetailer(recipe, features.adetailer),
  }
}

function overrides({ checkpoint, vae, clipSkip }: Recipe, checkpoints: readonly string[]): object {
  const settings = {
    ...(checkpoint && { sd_model_checkpoint: listed(checkpoint, checkpoints) }),
    ...(vae && { sd_vae: vae }),
    ...(clipSkip && { CLIP_stop_at_last_layers: clipSkip }),
  }
  if (Object.keys(settings).length === 0) return {}
  // Else the server loads its old checkpoint again after each image.
  return { override_settings: settings, override_settings_restore_afterwards: !checkpoint }
}

function hires({ hires: asked }: Recipe, modules: boolean): object {
  if (!asked) return {}
  return {
    enable_hr: true,
    hr_scale: asked.scale,
    hr_upscaler: asked.upscaler,
    hr_second_pass_steps: asked.steps,
    denoising_strength: asked.denoisingStrength,
    // Forge answers 500 without it (its `modules/processing.py`).
    ...(modules && { hr_additional_modules: ['Use same choices'] }),
  }
}

const refiner = ({ refiner: asked }: Recipe, checkpoints: readonly string[]): object =>
  asked ? { refiner_checkpoint: listed(asked.checkpoint, checkpoints), refiner_switch_at: asked.switchAt } : {}

/** Bing-su's extension; a key that it does not know makes it skip that pass, so only its own are sent. */
function adetailer({ adetailer: asked = [] }: Recipe, available: boolean): object {
  if (asked.length === 0 || !available) return {}
  return { alwayson_scripts: { ADetailer: { args: [true, false, ...passesOf(asked)] } } }
}

/** ADetailer alone: what img2img itself would do to the picture is skipped (its second argument). */
export const detailOnly = (passes: NonNullable<Recipe['adetailer']>): object => ({
  alwayson_scripts: { ADetailer: { args: [true, true, ...passesOf(passes)] } },
})

const passesOf = (passes: NonNullable<Recipe['adetailer']>): object[] =>
  passes.map(({ model, prompt, negativePrompt, confidence, denoisingStrength }) => ({
    ad_model: model,
    ad_prompt: prompt,
    ad_negative_prompt: negativePrompt,
    ad_confidence: confidence,
    ad_denoising_strength: denoisingStrength,
  }))

/** As this server spells it. */
function listed(checkpoint: string, checkpoints: readonly string[]): string {
  if (checkpoints.length === 0) return checkpoint
  const found = checkpoints.find((one) => one === checkpoint) ?? checkpoints.find((one) => modelKey(one) === modelKey(checkpoint))
  if (found !== undefined) return found
  const some = `${checkpoints.slice(0, 5).join(', ')}${checkpoints.length > 5 ? ', …' : ''}`
  throw new AppError(
    'backend_rejected',
    `The server has no checkpoint "${checkpoint}". Choose another in the recipe, or put the file into its folder. It has ${some}.`,
  )
}
