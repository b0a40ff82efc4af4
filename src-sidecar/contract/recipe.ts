import { z } from 'zod'

/** What a job is made of, frozen when it is queued. Field names are the field's own terms; sizes in pixels. */
export const recipeSchema = z.object({
  version: z.literal(1),
  prompt: z.string().max(100_000),
  negativePrompt: z.string().max(100_000),
  /** As the backend lists it; absent: whatever it has loaded. */
  checkpoint: z.string().min(1).max(1000).optional(),
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
})
export type Recipe = z.infer<typeof recipeSchema>

/** The part of a recipe that the settings give to every prompt. */
export const recipeDefaultsSchema = recipeSchema.pick({
  samplerName: true,
  scheduler: true,
  steps: true,
  cfgScale: true,
  width: true,
  height: true,
})
export type RecipeDefaults = z.infer<typeof recipeDefaultsSchema>
