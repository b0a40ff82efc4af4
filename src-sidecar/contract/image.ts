import { z } from 'zod'
import { recipeSchema } from './recipe.ts'

export const ratingSchema = z.int().min(1).max(5)

/** One image of the history: what was asked for (`recipe`) and what was really used (the rest). */
export const imageSchema = z.object({
  id: z.int(),
  jobId: z.int(),
  /** Place among the job's images, from 0. */
  imageIndex: z.int(),
  /** Which of the recipe's stages made it, from 0; see `stageNames`. */
  stage: z.int(),
  /** A later stage went on with it. */
  intermediate: z.boolean(),
  packName: z.string(),
  /** Which prompt of its pack, from 0; null where it is of no pack. */
  promptIndex: z.int().nullable(),
  path: z.string(),
  fileName: z.string(),
  width: z.int(),
  height: z.int(),
  sizeBytes: z.int(),
  seed: z.int(),
  /** Checkpoint as the backend named it. */
  checkpoint: z.string(),
  backend: z.string(),
  /** From the request to the last byte of the answer, with the stages before. */
  durationMs: z.int(),
  /** A1111's infotext, as in the PNG's `parameters` chunk. */
  parameters: z.string(),
  recipe: recipeSchema,
  createdAtMs: z.int(),
  /** What the user thinks of it, 1 to 5; null: not rated. */
  rating: ratingSchema.nullable(),
  ratedAtMs: z.int().nullable(),
  /** In the order of the alphabet. */
  tags: z.array(z.string()),
  /** Its file was found to be gone. */
  missing: z.boolean(),
})
export type Image = z.infer<typeof imageSchema>

/** `PUT /api/images/:id/rating`; null takes it back. */
export const ratingRequestSchema = z.object({ rating: ratingSchema.nullable() })

/** `PUT /api/images/:id/tags`: all that it has from now on. */
export const tagsRequestSchema = z.object({ tags: z.array(z.string().trim().min(1).max(100)).max(100) })
