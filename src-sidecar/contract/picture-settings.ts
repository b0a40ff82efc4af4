import { z } from 'zod'
import { queueImageRequestSchema } from './image-request.ts'
import { recipeDefaultsSchema, recipeSchema } from './recipe.ts'

/** How a picture was made, as the text in it says. */
export const pictureSettingsSchema = z.object({
  from: z.enum(['a1111', 'comfyui']),
  prompt: z.string(),
  negativePrompt: z.string(),
  /** Absent: not said. */
  seed: recipeSchema.shape.seed.optional(),
  /** Only what is said, and is in range. */
  settings: recipeDefaultsSchema.partial(),
  /** Names of what is said too, and has no place in a recipe. */
  ignored: z.array(z.string()),
})
export type PictureSettings = z.infer<typeof pictureSettingsSchema>

/** What a picture may have, in bytes. */
export const maxPictureBytes = 100 * 2 ** 20

/** A picture that was dropped on the window. */
export const readPictureSchema = z.object({
  format: z.enum(['png', 'jpeg', 'webp']),
  width: z.int(),
  height: z.int(),
  /** Null where the picture does not say how it was made. */
  settings: pictureSettingsSchema.nullable(),
})
export type ReadPicture = z.infer<typeof readPictureSchema>

/** A job of such a picture; without `source` one that only takes its settings. */
export const queuePictureRequestSchema = queueImageRequestSchema.extend({
  source: queueImageRequestSchema.shape.source.optional(),
  /** Of its file. */
  name: z.string().max(1000).default(''),
  prompt: z.string().max(100_000).default(''),
  negativePrompt: z.string().max(100_000).default(''),
})
export type QueuePictureRequest = z.input<typeof queuePictureRequestSchema>
