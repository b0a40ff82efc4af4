import { z } from 'zod'

/** `POST /api/imports`: a folder with images of A1111, ComfyUI or StableNew, with its subfolders. */
export const importRequestSchema = z.object({ folder: z.string().trim().min(1).max(4096) })

export const importStateSchema = z.object({
  folder: z.string(),
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  /** Image files that were looked at, of those found so far. */
  seen: z.int(),
  found: z.int(),
  /** New in the history. */
  added: z.int(),
  /** Were moved, and are known again at their new place. */
  relinked: z.int(),
  /** Were in the history already. */
  known: z.int(),
  /** Are no images, or can't be read, folders among them. */
  unreadable: z.int(),
  /** Why it failed. */
  problem: z.string().nullable(),
})
export type ImportState = z.infer<typeof importStateSchema>
