import { z } from 'zod'

export const backendLogQuerySchema = z.object({
  /** At most so many, the last ones. */
  lines: z.coerce.number().int().min(1).max(2000).default(200),
  /** `next` of the answer before: only what has come since. */
  after: z
    .string()
    .regex(/^\d+:\d+$/, 'is no place in a log')
    .optional(),
})
export type BackendLogQuery = z.infer<typeof backendLogQuerySchema>

/** `GET /api/backends/:id/log`: what a backend has said, at most 64 KB of it. */
export const backendLogSchema = z.object({
  /** Whole ones, without colours; empty where there is no log yet. */
  lines: z.array(z.string()),
  /** Follow directly on those of the question's `after`. Else they take the place of all that is shown. */
  continued: z.boolean(),
  next: z.string(),
})
export type BackendLog = z.infer<typeof backendLogSchema>
