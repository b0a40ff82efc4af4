import type { PackSettings } from '../contract/pack.ts'
import { hiresSchema, recipeSchema, refinerSchema, type Stage, stageSchema } from '../contract/recipe.ts'
import { settingNames } from '../contract/sweep.ts'
import type { JsonValue } from './formats/json-tree.ts'

type Section = Readonly<Record<string, JsonValue>>

/** Sections of `preset_data` and the names in them that are used; a stage counts where `pipeline` switches it on. */
export const usedNames = {
  // biome-ignore format: a list
  txt2img: [
    'steps', 'sampler_name', 'scheduler', 'cfg_scale', 'width', 'height', 'seed', 'clip_skip', 'model', 'model_name', 'vae', 'vae_name',
    'enable_hr', 'hr_scale', 'hr_upscaler', 'hr_second_pass_steps', 'hires_steps', 'denoising_strength',
    'use_refiner', 'refiner_switch_at', 'refiner_checkpoint', 'refiner_model_name',
  ],
  img2img: ['steps', 'sampler_name', 'scheduler', 'cfg_scale', 'denoising_strength'],
  // biome-ignore format: a list
  adetailer: [
    'adetailer_model', 'adetailer_prompt', 'adetailer_negative_prompt', 'adetailer_confidence', 'adetailer_denoise',
    'ad_model', 'ad_prompt', 'ad_negative_prompt', 'ad_confidence', 'ad_denoising_strength',
  ],
  upscale: ['upscaler', 'upscaler_1', 'upscaling_resize', 'scale'],
  // biome-ignore format: a list
  pipeline: [
    'txt2img_enabled', 'img2img_enabled', 'adetailer_enabled', 'upscale_enabled', 'images_per_prompt', 'n_iter', 'seed_mode',
    'filename_pattern', 'image_format', 'image_quality', 'save_intermediates',
  ],
} as const
export type SectionName = keyof typeof usedNames

/**
 * The settings that a `.json` pack brings along: `txt2img` with its checkpoint, hires fix and refiner, the stages that `pipeline`
 * switches on, its number of images, its seed and its file names. What is missing, out of range or of another type is passed over;
 * a seed of −1 is random, and so none.
 */
export function ownSettings(settings: Section): PackSettings {
  const [txt2img, pipeline] = [section(settings.txt2img), section(settings.pipeline)]
  const { model: _, ...plain } = settingNames
  const names = { ...plain, clip_skip: 'clipSkip' } as const
  const known = Object.entries(names).flatMap(([name, key]) => {
    const value = recipeSchema.shape[key].safeParse(tidy(txt2img[name]))
    return value.success && value.data !== undefined ? [[key, value.data]] : []
  })
  const stages = ownStages(settings, pipeline)
  const read: PackSettings = {
    ...Object.fromEntries(known),
    ...named('checkpoint', txt2img.model ?? txt2img.model_name),
    ...named('vae', txt2img.vae ?? txt2img.vae_name),
    ...(txt2img.enable_hr === true && hires(txt2img)),
    ...(txt2img.use_refiner === true && refiner(txt2img)),
    ...(stages.length > 0 && { stages }),
    ...images(pipeline),
    ...file(pipeline),
  }
  const mode = seedModes.get(String(pipeline.seed_mode).toLowerCase())
  if (mode === 'random') delete read.seed
  return mode === 'increment' && read.seed !== undefined ? { ...read, seedMode: mode } : read
}

const seedModes = new Map([
  ['fixed', 'fixed'],
  ['increment', 'increment'],
  ['incremental', 'increment'],
  ['sequential', 'increment'],
  ['random', 'random'],
])

/** Images of a prompt: so many, so many times. */
function images({ images_per_prompt, n_iter }: Section): PackSettings {
  const times = [images_per_prompt, n_iter].filter((value) => Number.isInteger(value) && Number(value) > 0).map(Number)
  const product = recipeSchema.shape.images.max(1000).safeParse(times.reduce((a, b) => a * b, 1))
  return times.length > 0 && product.success ? { images: product.data } : {}
}

function file({ filename_pattern, image_format, image_quality }: Section): PackSettings {
  const pattern = recipeSchema.shape.filePattern.safeParse(tidy(filename_pattern))
  const format = recipeSchema.shape.fileFormat.safeParse(String(image_format).toLowerCase().replace(/^jpg$/, 'jpeg'))
  const quality = recipeSchema.shape.fileQuality.safeParse(image_quality)
  return {
    ...(pattern.success && pattern.data && { filePattern: pattern.data }),
    ...(format.success && format.data && { fileFormat: format.data }),
    ...(quality.success && quality.data && { fileQuality: quality.data }),
  }
}

/** In the order in which they have always been. */
function ownStages(settings: Section, pipeline: Section): Stage[] {
  const [img2img, adetailer, upscale] = [section(settings.img2img), section(settings.adetailer), section(settings.upscale)]
  const detail = (name: string, older: string) => tidy(adetailer[`adetailer_${older}`] ?? adetailer[`ad_${name}`])
  const all = {
    img2img: {
      denoisingStrength: tidy(img2img.denoising_strength),
      steps: tidy(img2img.steps),
      cfgScale: tidy(img2img.cfg_scale),
      samplerName: tidy(img2img.sampler_name) || undefined,
      scheduler: tidy(img2img.scheduler) || undefined,
    },
    adetailer: {
      passes: [
        {
          model: detail('model', 'model') ?? 'face_yolov8n.pt',
          prompt: detail('prompt', 'prompt'),
          negativePrompt: detail('negative_prompt', 'negative_prompt'),
          confidence: detail('confidence', 'confidence'),
          denoisingStrength: detail('denoising_strength', 'denoise'),
        },
      ],
    },
    upscale: { upscaler: tidy(upscale.upscaler ?? upscale.upscaler_1), scale: tidy(upscale.upscaling_resize ?? upscale.scale) },
  }
  const keepInput = pipeline.save_intermediates === true
  return Object.entries(all).flatMap(([as, how]) => {
    if (pipeline[`${as}_enabled`] !== true) return []
    const read = stageSchema.safeParse({ as, ...how, keepInput })
    return read.success ? [read.data] : []
  })
}

/**
 * What a `.json` pack sets and StableNew does not use, as `img2img.prompt_adjust`: names that it does not know with a value that
 * means something, what is out of range, and stages that can't be switched off.
 */
export function unusedSettings(settings: Section): string[] {
  const pipeline = section(settings.pipeline)
  const unused = Object.entries(usedNames).flatMap(([name, used]) => {
    if (name !== 'txt2img' && name !== 'pipeline' && pipeline[`${name}_enabled`] !== true) return []
    const unknown = Object.entries(section(settings[name])).filter(
      ([key, value]) => !used.some((one) => one === key) && says(value),
    )
    return unknown.map(([key]) => `${name}.${key}`)
  })
  const mode = pipeline.seed_mode
  if (says(mode) && !seedModes.has(String(mode).toLowerCase())) unused.push(`pipeline.seed_mode "${mode}"`)
  if (pipeline.txt2img_enabled === false) unused.push('pipeline.txt2img_enabled (every job begins with txt2img)')
  for (const { as, wanted } of ['img2img', 'adetailer', 'upscale'].map((as) => ({
    as,
    wanted: pipeline[`${as}_enabled`] === true,
  })))
    if (wanted && !ownStages(settings, pipeline).some((stage) => stage.as === as))
      unused.push(`${as} (a value is out of range or missing)`)
  return unused
}

/** Off, empty, or what stands for "as usual". */
function says(value: JsonValue | undefined): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return !noValues.includes(typeof value === 'string' ? value.trim().toLowerCase() : value)
}
const noValues: (JsonValue | undefined)[] = [undefined, null, false, 0, -1, '', 'none', 'automatic', 'single']

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
