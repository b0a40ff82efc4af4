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

/** What is done with a picture that is there already, in place of making a new one of noise. */
export const sourceSchema = z.discriminatedUnion('as', [
  z.object({ as: z.literal('img2img'), path: pathSchema, denoisingStrength: strengthSchema.default(0.5) }),
  z.object({
    as: z.literal('upscale'),
    path: pathSchema,
    /** As the backend lists it. */
    upscaler: nameSchema,
    scale: z.number().min(1).max(8).default(2),
  }),
])
export type Source = z.infer<typeof sourceSchema>

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
  samplerName: z.string().min(1).max(200),
  scheduler: z.string().min(1).max(200),
  steps: z.int().min(1).max(1000),
  cfgScale: z.number().min(0).max(100),
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
  samplerName: true,
  scheduler: true,
  steps: true,
  cfgScale: true,
  width: true,
  height: true,
})
export type RecipeDefaults = z.infer<typeof recipeDefaultsSchema>
