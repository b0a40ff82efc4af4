import { z } from 'zod'
import { recipeDefaultsSchema, sourceSchema } from './recipe.ts'
import { backendIdSchema } from './settings.ts'

const [img2img, upscale] = sourceSchema.options

/** Jobs that begin with an image of the history; what is absent is as it was made. */
export const queueImageRequestSchema = z.object({
  source: z.discriminatedUnion('as', [img2img.omit({ path: true }), upscale.omit({ path: true })]),
  prompt: z.string().max(100_000).optional(),
  negativePrompt: z.string().max(100_000).optional(),
  settings: recipeDefaultsSchema.partial().default({}),
  images: z.int().min(1).max(1000).default(1),
  pinnedTo: backendIdSchema.optional(),
  /** Absent: random. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
})
export type QueueImageRequest = z.input<typeof queueImageRequestSchema>

/** An image made again from its own recipe, with what is given here in place of what it had. */
export const makeAgainRequestSchema = z.object({
  /** `same`: the seed that the image has; with several images they count up from it. */
  seed: z.enum(['same', 'new']).default('same'),
  prompt: z.string().max(100_000).optional(),
  negativePrompt: z.string().max(100_000).optional(),
  settings: recipeDefaultsSchema.partial().default({}),
  images: z.int().min(1).max(1000).default(1),
})
export type MakeAgainRequest = z.input<typeof makeAgainRequestSchema>
