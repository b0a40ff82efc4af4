import { z } from 'zod'

/** What keeps images, or the database, from being written. */
export const storageTroubleKinds = ['full', 'read-only', 'gone', 'hangs', 'failing', 'damaged'] as const
export type StorageTroubleKind = (typeof storageTroubleKinds)[number]

/** While it is there, nothing is begun. All but `damaged` end by themselves, once the folder can be written again. */
export const storageTroubleSchema = z.object({
  kind: z.enum(storageTroubleKinds),
  folder: z.string(),
  /** Of the folder's disk; null where it does not say. */
  freeBytes: z.int().nullable(),
  sinceMs: z.int(),
  /** Images that are made and wait in memory to be saved. */
  inHand: z.int(),
  /** What it is, where, and what to do. */
  message: z.string(),
})
export type StorageTrouble = z.infer<typeof storageTroubleSchema>
