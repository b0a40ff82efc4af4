import type { PackSettings } from '../contract/pack.ts'
import { hiresSchema, recipeSchema, refinerSchema } from '../contract/recipe.ts'
import { settingNames } from '../contract/sweep.ts'
import type { JsonValue } from './formats/json-tree.ts'

type Section = Readonly<Record<string, JsonValue>>

/**
 * The settings that a `.json` pack brings along: `txt2img` with its checkpoint, hires fix and refiner, and
 * `images_per_prompt` of `pipeline`. What is missing, out of range or of another type is passed over; a seed of −1 is random,
 * and so none.
 */
export function ownSettings(settings: Section): PackSettings {
  const [txt2img, pipeline] = [section(settings.txt2img), section(settings.pipeline)]
  const { model: _, ...plain } = settingNames
  const names = { ...plain, clip_skip: 'clipSkip' } as const
  const known = Object.entries(names).flatMap(([name, key]) => {
    const value = recipeSchema.shape[key].safeParse(tidy(txt2img[name]))
    return value.success && value.data !== undefined ? [[key, value.data]] : []
  })
  const images = recipeSchema.shape.images.max(1000).safeParse(pipeline.images_per_prompt)
  return {
    ...Object.fromEntries(known),
    ...named('checkpoint', txt2img.model ?? txt2img.model_name),
    ...named('vae', txt2img.vae ?? txt2img.vae_name),
    ...(txt2img.enable_hr === true && hires(txt2img)),
    ...(txt2img.use_refiner === true && refiner(txt2img)),
    ...(images.success && { images: images.data }),
  }
}

/** Names that say that there is none. */
const noNames = ['', 'none', 'automatic', 'use base model']

function named(key: 'checkpoint' | 'vae', value: JsonValue | undefined): PackSettings {
  const name = tidy(value)
  return typeof name === 'string' && !noNames.includes(name.toLowerCase()) ? { [key]: name } : {}
}

function hires(txt2img: Section): PackSettings {
  const read = hiresSchema.safeParse({
    scale: tidy(txt2img.hr_scale),
    upscaler: tidy(txt2img.hr_upscaler),
    steps: tidy(txt2img.hr_second_pass_steps ?? txt2img.hires_steps),
    denoisingStrength: tidy(txt2img.denoising_strength),
  })
  return read.success ? { hires: read.data } : {}
}

/** `refiner_switch_at` was a share, or a percentage. */
function refiner(txt2img: Section): PackSettings {
  const at = Number(txt2img.refiner_switch_at ?? 0.8)
  const checkpoint = named('checkpoint', txt2img.refiner_checkpoint ?? txt2img.refiner_model_name).checkpoint
  const read = refinerSchema.safeParse({ checkpoint, switchAt: tidy(at > 1 ? at / 100 : at) })
  return read.success ? { refiner: read.data } : {}
}

const section = (value: JsonValue | undefined): Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, JsonValue>) : {}

/** Sliders have left 5.0000000000000036 in files. */
function tidy(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
