import { z } from 'zod'
import { recipeDefaultsSchema } from './recipe.ts'
import { backendIdSchema } from './settings.ts'

export const packPromptSchema = z.object({
  /** From 0. */
  index: z.int(),
  /** Line in the file where the block starts, from 1. */
  line: z.int(),
  prompt: z.string(),
  negativePrompt: z.string(),
})
export type PackPrompt = z.infer<typeof packPromptSchema>

/** Why a pack can't be used; the line counts from 1 and is null where the whole file is meant. */
export const packProblemSchema = z.object({ message: z.string(), line: z.int().nullable() })
export type PackProblem = z.infer<typeof packProblemSchema>

export const packSummarySchema = z.object({
  /** `example/<file>` or `user/<file>`. */
  id: z.string(),
  name: z.string(),
  source: z.enum(['example', 'user']),
  path: z.string(),
  promptCount: z.int(),
  problem: packProblemSchema.nullable(),
})
export type PackSummary = z.infer<typeof packSummarySchema>

export const packSchema = packSummarySchema.extend({ prompts: z.array(packPromptSchema) })
export type Pack = z.infer<typeof packSchema>

export const packsSchema = z.object({ packs: z.array(packSummarySchema), userFolder: z.string() })
export type Packs = z.infer<typeof packsSchema>

/** Without `prompts` (indexes) the whole pack is queued. */
export const queuePackRequestSchema = z.object({
  packId: z.string().min(1).max(1000),
  prompts: z.array(z.int().min(0)).min(1).max(100_000).optional(),
  images: z.int().min(1).max(1000).default(1),
  settings: recipeDefaultsSchema.partial().default({}),
  /** The only backend that may do it; absent: any. */
  pinnedTo: backendIdSchema.optional(),
  /** First seed of every job; absent: random. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
})
export type QueuePackRequest = z.input<typeof queuePackRequestSchema>

export const queuedSchema = z.object({ jobIds: z.array(z.int()) })
export type Queued = z.infer<typeof queuedSchema>
