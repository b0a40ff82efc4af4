import { z } from 'zod'

const folderSchema = z.string().trim().min(1).max(4096)

/** Where images have lost their files: a folder that is gone with all that was in it, or one that is there and lacks some. */
export const missingPlaceSchema = z.object({
  folder: z.string(),
  /** The folder itself is not there: moved, deleted, or on a drive that is not plugged in. The highest one that is gone is named. */
  isGone: z.boolean(),
  images: z.int(),
})
export type MissingPlace = z.infer<typeof missingPlaceSchema>

/** What is done about missing files, one at a time: looking whether files are there, finding those that were moved, removing rows. */
export const missingWorkSchema = z.object({
  what: z.enum(['look', 'find', 'remove']),
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  /** Images that were looked at, of how many. */
  seen: z.int(),
  of: z.int(),
  /** Their file was there before, and is not. */
  gone: z.int(),
  /** Their file was missing, and is there again. */
  back: z.int(),
  /** Their file was found at its new place. */
  found: z.int(),
  /** They were removed from the history. */
  removed: z.int(),
  /** Why it failed. */
  problem: z.string().nullable(),
})
export type MissingWork = z.infer<typeof missingWorkSchema>

/** `GET /api/missing` */
export const missingFilesSchema = z.object({
  /** That runs, or ran last. */
  work: missingWorkSchema.nullable(),
  /** Images whose file is missing. */
  images: z.int(),
  /** Those with the most images first. */
  places: z.array(missingPlaceSchema),
  /** How many places more there are. */
  more: z.int(),
})
export type MissingFiles = z.infer<typeof missingFilesSchema>

/** `POST /api/missing/find`: what was below `folder` is below `movedTo` now. */
export const findMovedRequestSchema = z.object({ folder: folderSchema, movedTo: folderSchema })
export type FindMovedRequest = z.infer<typeof findMovedRequestSchema>

/** `POST /api/missing/remove`: of these images, or of those below a folder, the ones whose file is missing. */
export const removeMissingRequestSchema = z.union([
  z.object({ ids: z.array(z.int()).min(1).max(100_000) }),
  z.object({ folder: folderSchema }),
])
export type RemoveMissingRequest = z.infer<typeof removeMissingRequestSchema>
