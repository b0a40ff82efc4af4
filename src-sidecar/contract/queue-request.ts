import { z } from 'zod'
import { priorities } from './job.ts'
import { recipeSchema } from './recipe.ts'

/** So many jobs are changed by one request at most: more would hold up everything else for too long. */
export const maxJobsChanged = 5000

const idSchema = z.int().min(1)
export const idsQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(maxJobsChanged),
  offset: z.coerce.number().int().min(0).default(0),
})
const idsSchema = z.array(idSchema).min(1).max(maxJobsChanged)

/** `finish`: the running image is finished first. `free`: it is interrupted, and the backends give their memory back. */
export const pauseRequestSchema = z.object({ running: z.enum(['finish', 'free']).default('finish') })
export type PauseRequest = z.input<typeof pauseRequestSchema>

/** Of `free`: what became of each backend's memory. `freed` is false where there was none to give back, or it can't. */
export const pausedSchema = z.object({
  paused: z.boolean(),
  freed: z.array(z.object({ backendId: z.string(), freed: z.boolean(), problem: z.string().nullable() })).default([]),
})
export type Paused = z.infer<typeof pausedSchema>

/** Where to: beside a pending job, taking over its priority, or to an end of the queue. The jobs keep their order. */
export const moveTargetSchema = z.union([
  z.object({ before: idSchema }),
  z.object({ after: idSchema }),
  z.object({ to: z.enum(['top', 'bottom']) }),
])
export type MoveTarget = z.infer<typeof moveTargetSchema>
export const moveRequestSchema = z.object({ ids: idsSchema, target: moveTargetSchema })

export const priorityRequestSchema = z.object({ ids: idsSchema, priority: z.enum(priorities) })

/** What of a pending job may be changed: its whole recipe, and the backend that it is kept for. */
export const jobChangeSchema = recipeSchema
  .omit({ version: true, chosen: true, source: true })
  .extend({ pinnedTo: z.string().max(100).nullable() })
  .partial()
  .strict()
export type JobChange = z.infer<typeof jobChangeSchema>
export const editRequestSchema = z.object({ ids: idsSchema, change: jobChangeSchema })

export const duplicateRequestSchema = z.object({
  ids: idsSchema,
  /** Other pictures of the same kind; without it, the same pictures again. */
  newSeeds: z.boolean().default(false),
})

export const jobsRequestSchema = z.object({ ids: idsSchema })

/** All that wait; or those of a pack; `running` says what becomes of the ones that are being made. */
export const cancelRequestSchema = z.object({
  ids: idsSchema.optional(),
  packId: z.string().optional(),
  running: z.enum(['keep', 'cancel']).default('keep'),
})
export type CancelRequest = z.input<typeof cancelRequestSchema>

/** `undo` puts those that were pending back to their places; null where there is nothing to put back. */
export const cancelledSchema = z.object({ cancelled: z.int(), undo: z.int().nullable() })
export type Cancelled = z.infer<typeof cancelledSchema>
export const undoRequestSchema = z.object({ undo: z.int() })

/** How many jobs were changed; some may have been begun meanwhile. */
export const changedSchema = z.object({ changed: z.int() })
export const jobIdsSchema = z.object({ jobIds: z.array(z.int()) })
