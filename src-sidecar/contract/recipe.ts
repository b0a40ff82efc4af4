import { z } from 'zod'

const byName = z.record(z.string(), z.string())

/**
 * What was chosen for a job where its pack gives a choice, by name: values of slots and wildcards as they stand in the
 * prompt, and values of swept settings.
 */
export const chosenSchema = z.object({ slots: byName, wildcards: byName, sweep: byName }).partial()
export type Chosen = z.infer<typeof chosenSchema>

const nameSchema = z.string().min(1).max(1000)
const strengthSchema = z.number().min(0).max(1)

/** A second pass at a larger size, within the image. */
export const hiresSchema = z.object({
  scale: z.number().min(1).max(8).default(2),
  /** As the backend lists it, or A1's "Latent", "Latent (bicubic)", "Latent (nearest-exact)". */
  upscaler: nameSchema.default('Latent'),
  /** Of the second pass; 0: as many as the first. */
  steps: z.int().min(0).max(1000).default(0),
  denoisingStrength: strengthSchema.default(0.5),
})

/** Another checkpoint for the last steps. */
export const refinerSchema = z.object({ checkpoint: nameSchema, switchAt: strengthSchema.default(0.8) })

/** One pass of ADetailer: what `model` finds (a face, a hand) is made again. */
export const adetailerSchema = z.object({
  model: nameSchema,
  prompt: z.string().max(100_000).default(''),
  negativePrompt: z.string().max(100_000).default(''),
  confidence: strengthSchema.default(0.3),
  denoisingStrength: strengthSchema.default(0.4),
})

const pathSchema = z.string().min(1).max(4096)

const stepsSchema = z.int().min(1).max(1000)
const cfgScaleSchema = z.number().min(0).max(100)
const samplerSchema = z.string().min(1).max(200)

/** The picture is made again, as different from itself as the denoising strength says. What is absent is as in the recipe. */
const img2imgSchema = z.object({
  as: z.literal('img2img'),
  denoisingStrength: strengthSchema.default(0.5),
  steps: stepsSchema.optional(),
  cfgScale: cfgScaleSchema.optional(),
  samplerName: samplerSchema.optional(),
  scheduler: samplerSchema.optional(),
})

const upscaleSchema = z.object({
  as: z.literal('upscale'),
  /** As the backend lists it. */
  upscaler: nameSchema,
  scale: z.number().min(1).max(8).default(2),
})

/** ADetailer alone, on a picture that is there. */
const detailSchema = z.object({ as: z.literal('adetailer'), passes: z.array(adetailerSchema).min(1).max(4) })

const ofPicture = { path: pathSchema }

/** What is done with a picture that is there already, in place of making a new one of noise. */
export const sourceSchema = z.discriminatedUnion('as', [
  img2imgSchema.extend(ofPicture),
  upscaleSchema.extend(ofPicture),
  detailSchema.extend(ofPicture),
])
export type Source = z.infer<typeof sourceSchema>

const ofStage = {
  /** Whether the picture that it begins with is kept in the history. */
  keepInput: z.boolean().default(false),
}

/** What is done with each picture next, before the job goes on to the next one. */
export const stageSchema = z.discriminatedUnion('as', [
  img2imgSchema.extend(ofStage),
  detailSchema.extend(ofStage),
  upscaleSchema.extend(ofStage),
])
export type Stage = z.infer<typeof stageSchema>

export const fileFormats = ['png', 'jpeg', 'webp'] as const

/** What a job is made of, frozen when it is queued. Field names are the field's own terms; sizes in pixels. */
export const recipeSchema = z.object({
  version: z.literal(1),
  prompt: z.string().max(100_000),
  negativePrompt: z.string().max(100_000),
  /** As the backend lists it; absent or empty: whatever it has loaded. */
  checkpoint: z.string().max(1000).optional(),
  /** Absent or empty: the checkpoint's own. */
  vae: z.string().max(1000).optional(),
  /** Layers of CLIP that are left out at the end, from 1 for none. */
  clipSkip: z.int().min(1).max(12).optional(),
  hires: hiresSchema.nullable().optional(),
  refiner: refinerSchema.nullable().optional(),
  adetailer: z.array(adetailerSchema).max(4).optional(),
  /** Absent: txt2img. */
  source: sourceSchema.optional(),
  /** One after another, each with what the one before has made. */
  stages: z.array(stageSchema).max(6).optional(),
  /** Of the file's name; see `imageName`. Absent or empty: the default. */
  filePattern: z.string().max(300).optional(),
  /** Absent: PNG. */
  fileFormat: z.enum(fileFormats).optional(),
  /** Of JPEG and WebP, in percent. */
  fileQuality: z.int().min(1).max(100).optional(),
  samplerName: samplerSchema,
  scheduler: samplerSchema,
  steps: stepsSchema,
  cfgScale: cfgScaleSchema,
  /** Never −1: a random seed is drawn when the job is queued, so that the recipe makes the same picture again. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  width: z.int().min(64).max(8192),
  height: z.int().min(64).max(8192),
  /** How many images the job makes, one request each; seeds count up from `seed`. */
  images: z.int().min(1).max(10_000),
  /** Absent in recipes of before there was a choice. */
  chosen: chosenSchema.optional(),
})
export type Recipe = z.infer<typeof recipeSchema>

/** The part of a recipe that the settings give to every prompt. */
export const recipeDefaultsSchema = recipeSchema.pick({
  checkpoint: true,
  vae: true,
  clipSkip: true,
  hires: true,
  refiner: true,
  adetailer: true,
  stages: true,
  filePattern: true,
  fileFormat: true,
  fileQuality: true,
  samplerName: true,
  scheduler: true,
  steps: true,
  cfgScale: true,
  width: true,
  height: true,
})
export type RecipeDefaults = z.infer<typeof recipeDefaultsSchema>
