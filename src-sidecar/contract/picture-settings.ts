import { z } from 'zod'
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
