import { z } from 'zod'
import { recipeSchema } from './recipe.ts'

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
})
export type Image = z.infer<typeof imageSchema>

/** Newest first; `before` is the id below which the page starts. */
export const imagesQuerySchema = z.object({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(60),
})

export const imagePageSchema = z.object({
  images: z.array(imageSchema),
  total: z.int(),
  /** `before` of the next page; null on the last. */
  next: z.int().nullable(),
})
export type ImagePage = z.infer<typeof imagePageSchema>
