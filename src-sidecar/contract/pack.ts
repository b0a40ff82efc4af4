import { z } from 'zod'
import { chosenSchema, recipeDefaultsSchema, recipeSchema } from './recipe.ts'
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
  /** Names of its files: one, or `{name}.txt` and `{name}.json`. */
  files: z.array(z.string()),
  promptCount: z.int(),
  problem: packProblemSchema.nullable(),
})
export type PackSummary = z.infer<typeof packSummarySchema>

/** What a pack sets itself, over the defaults and below what is asked for when it is queued. */
export const packSettingsSchema = recipeDefaultsSchema
  .omit({ adetailer: true })
  .extend({
    seed: recipeSchema.shape.seed,
    images: recipeSchema.shape.images,
    /** Whether the seed counts on from job to job; absent: each begins with it. */
    seedMode: z.enum(['fixed', 'increment']),
  })
  .partial()
export type PackSettings = z.infer<typeof packSettingsSchema>

/**
 * What the matrix gives to each prompt, of the combinations of the slots that it uses:
 * - `fanout`: every one;
 * - `sequential`: one, the next for each prompt;
 * - `rotate`: one, the next for each job (it differs from `sequential` where search-and-replace makes several of a prompt);
 * - `random`: every one in an order that the seed gives.
 */
export const matrixModes = ['fanout', 'sequential', 'rotate', 'random'] as const
export type MatrixMode = (typeof matrixModes)[number]

export const matrixSlotSchema = z.object({ name: z.string(), values: z.array(z.string()) })
export const packMatrixSchema = z.object({
  mode: z.enum(matrixModes),
  /** At most so many combinations of a prompt; 0: all. */
  limit: z.int().min(0),
  slots: z.array(matrixSlotSchema),
})
export type PackMatrix = z.infer<typeof packMatrixSchema>

/** What is wrong in a pack, where, and what to do. */
export const packFindingSchema = z.object({
  /** `error`: what it concerns can't be queued. */
  severity: z.enum(['error', 'warning']),
  file: z.string(),
  /** From 1, in characters; null where the whole file is meant. */
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: z.string(),
  suggestion: z.string(),
})
export type PackFinding = z.infer<typeof packFindingSchema>

/** A whole number, however large, in decimal digits. */
const digitsSchema = z.string().regex(/^\d+$/)

export const packSchema = packSummarySchema.extend({
  /** One page of them; indexes tell which. */
  prompts: z.array(packPromptSchema),
  settings: packSettingsSchema,
  matrix: packMatrixSchema.nullable(),
  /** Errors first, at most 200. */
  findings: z.array(packFindingSchema),
  findingCount: z.int(),
  /** Prompts that the whole pack expands to; null where it can't be read. */
  jobCount: digitsSchema.nullable(),
})
export type Pack = z.infer<typeof packSchema>

export const packsSchema = z.object({ packs: z.array(packSummarySchema), userFolder: z.string() })
export type Packs = z.infer<typeof packsSchema>

export const packQuerySchema = z.object({
  id: z.string().min(1).max(1000),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(5000).default(2000),
})

const seedSchema = recipeSchema.shape.seed

/** A setting that takes each of its values in turn, for every prompt. */
export const sweepSchema = z.object({
  key: z.enum(['checkpoint', 'samplerName', 'scheduler', 'steps', 'cfgScale', 'width', 'height', 'seed']),
  values: z
    .array(z.union([z.number(), z.string().max(200)]))
    .min(1)
    .max(10_000),
})
export type Sweep = z.infer<typeof sweepSchema>

/** What one request may queue. */
export const maxJobsAtOnce = 100_000

/** Which jobs of a pack: without `prompts` (indexes) those of all. */
export const packChoiceSchema = z.object({
  prompts: z.array(z.int().min(0)).min(1).max(maxJobsAtOnce).optional(),
  /** What wildcards, braces and the random orders are drawn by. */
  drawSeed: seedSchema.optional(),
  sweeps: z.array(sweepSchema).max(6).default([]),
  /** Only the first so many jobs. */
  limit: z.int().min(1).optional(),
})
export type PackChoice = z.input<typeof packChoiceSchema>

export const queuePackRequestSchema = packChoiceSchema.extend({
  packId: z.string().min(1).max(1000),
  /** Absent: as the pack says, otherwise 1. */
  images: z.int().min(1).max(1000).optional(),
  settings: recipeDefaultsSchema.partial().default({}),
  /** The only backend that may do it; absent: any. */
  pinnedTo: backendIdSchema.optional(),
  /** First seed of every job; absent: as the pack says, otherwise random. */
  seed: seedSchema.optional(),
})
export type QueuePackRequest = z.input<typeof queuePackRequestSchema>

export const queuedSchema = z.object({ jobIds: z.array(z.int()) })
export type Queued = z.infer<typeof queuedSchema>

/** Part of what a pack would be queued as, nothing of it being queued. */
export const previewRequestSchema = packChoiceSchema.extend({
  packId: z.string().min(1).max(1000),
  drawSeed: seedSchema,
  offset: z.int().min(0).default(0),
  length: z.int().min(1).max(200).default(20),
})
export type PreviewRequest = z.input<typeof previewRequestSchema>

export const previewJobSchema = z.object({
  promptIndex: z.int(),
  prompt: z.string(),
  negativePrompt: z.string(),
  chosen: chosenSchema,
  /** Why this one can't be made; then it has no texts. */
  problem: z.string().nullable(),
})
export type PreviewJob = z.infer<typeof previewJobSchema>

export const packPreviewSchema = z.object({
  /** How many in all; null where that can't be told. */
  count: digitsSchema.nullable(),
  /** Those from `offset` on. */
  jobs: z.array(previewJobSchema),
  /** Why none of it can be made. */
  problem: z.string().nullable(),
})
export type PackPreview = z.infer<typeof packPreviewSchema>
