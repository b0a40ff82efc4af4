import { z } from 'zod'
import { packFindingSchema, packMatrixSchema, packPreviewSchema } from './pack.ts'
import { recipeSchema } from './recipe.ts'

export const editRowSchema = z.object({
  /** Place in the file, from 0, of the prompt that it was or was copied from; null: a new one. */
  from: z.int().min(0).nullable(),
  /** Lines as they stand in the file. */
  prompt: z.string().max(100_000),
  negativePrompt: z.string().max(100_000),
})
export type EditRow = z.infer<typeof editRowSchema>

/** What can be edited of a pack; everything else in its files is kept. */
export const packEditSchema = z.object({
  rows: z.array(editRowSchema).max(5000),
  /** Null: none. */
  matrix: packMatrixSchema.nullable(),
})
export type PackEdit = z.infer<typeof packEditSchema>

/** Tags that stand beside the texts of a `.json` pack; they are shown and kept. */
export const rowTagsSchema = z.object({ before: z.string(), after: z.string(), negativeBefore: z.string() })
export type RowTags = z.infer<typeof rowTagsSchema>

export const editablePackSchema = z.object({
  id: z.string(),
  name: z.string(),
  source: z.enum(['example', 'user']),
  files: z.array(z.string()),
  /** Changes with any byte of its files. */
  version: z.string(),
  edit: packEditSchema,
  /** By `from`. */
  tags: z.array(rowTagsSchema),
  /** Names of wildcard lists, at most 5000. */
  wildcards: z.array(z.string()),
  /** What its file can hold. */
  can: z.object({ lines: z.boolean(), matrix: z.boolean() }),
  /** Work that was not saved, and the version that it began with. */
  draft: z.object({ version: z.string(), edit: packEditSchema, savedAtMs: z.int() }).nullable(),
})
export type EditablePack = z.infer<typeof editablePackSchema>

const packId = z.string().min(1).max(1000)

/** Keeps unsaved work, so that it survives a crash, and tells what it would make. */
export const draftRequestSchema = z.object({
  packId,
  version: z.string().max(100),
  edit: packEditSchema,
  drawSeed: recipeSchema.shape.seed,
  length: z.int().min(1).max(200).default(20),
  /** `false` only looks: nothing differs from the file, or the pack is no own one. */
  keep: z.boolean().default(true),
})
export type DraftRequest = z.input<typeof draftRequestSchema>

export const draftAnswerSchema = z.object({
  preview: packPreviewSchema,
  findings: z.array(packFindingSchema),
  /** Version of the files now: another one where they were changed on disk. */
  version: z.string().nullable(),
})
export type DraftAnswer = z.infer<typeof draftAnswerSchema>

export const savePackRequestSchema = z.object({
  packId,
  version: z.string().max(100),
  edit: packEditSchema,
  /** Also where the files were changed on disk since. */
  overwrite: z.boolean().default(false),
})
export type SavePackRequest = z.input<typeof savePackRequestSchema>

export const discardDraftSchema = z.object({ packId })

/** A new pack, or a copy of one, with its unsaved changes where `edit` is given. */
export const newPackRequestSchema = z.object({
  name: z.string().max(200),
  copyOf: packId.optional(),
  version: z.string().max(100).optional(),
  edit: packEditSchema.optional(),
})
export type NewPackRequest = z.input<typeof newPackRequestSchema>

export const savedPackSchema = z.object({ id: z.string(), version: z.string() })
export type SavedPack = z.infer<typeof savedPackSchema>
