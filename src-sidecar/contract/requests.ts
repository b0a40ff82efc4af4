import { z } from 'zod'

export const openRequestSchema = z.object({ what: z.enum(['packs', 'images', 'log']) })
export type OpenRequest = z.infer<typeof openRequestSchema>

export const shutdownRequestSchema = z.object({
  now: z.boolean().default(false),
  trigger: z.enum(['exit-button', 'window-close', 'api']).default('api'),
  /** Absent: as the settings say. */
  runningImage: z.enum(['finish', 'cancel']).optional(),
})
export type ShutdownRequest = z.input<typeof shutdownRequestSchema>

/** `POST /api/backends/:id/free-memory`: false where there was nothing to give back, or the server can't. */
export const freedMemorySchema = z.object({ freed: z.boolean() })

/** Stands in answers for a password that is stored, and in requests for keeping it. */
export const storedSecret = '•'
