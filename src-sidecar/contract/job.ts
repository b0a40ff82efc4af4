import { z } from 'zod'
import { errorCodes } from './error-codes.ts'
import { recipeSchema } from './recipe.ts'

export const jobStates = ['queued', 'running', 'interrupted', 'completed', 'failed', 'cancelled', 'quarantined'] as const
export type JobState = (typeof jobStates)[number]

/** Those of a higher priority run first. */
export const priorities = ['high', 'normal', 'low'] as const
export type Priority = (typeof priorities)[number]

/** An error as the API, a job and a pack tell it. */
export const problemSchema = z.object({ code: z.enum(errorCodes), message: z.string() })
export type Problem = z.infer<typeof problemSchema>

export const jobSchema = z.object({
  id: z.int(),
  packId: z.string(),
  packName: z.string(),
  /** Place of the prompt in its pack, from 0. */
  promptIndex: z.int(),
  state: z.enum(jobStates),
  recipe: recipeSchema,
  imagesDone: z.int(),
  /** The only backend that may do it; null: any. */
  pinnedTo: z.string().nullable(),
  priority: z.enum(priorities),
  attempt: z.int(),
  problem: problemSchema.nullable(),
  createdAtMs: z.int(),
  startedAtMs: z.int().nullable(),
  endedAtMs: z.int().nullable(),
})
export type Job = z.infer<typeof jobSchema>

export const jobProgressSchema = z.object({
  jobId: z.int(),
  backendId: z.string(),
  /** Which of the job's images is being made, from 0. */
  imageIndex: z.int(),
  /** Which of its stages, from 0, and what they are. */
  stage: z.int(),
  stages: z.array(z.enum(['txt2img', 'img2img', 'adetailer', 'upscale'])),
  /** Of this stage. */
  step: z.int(),
  steps: z.int(),
  /** Of the current image with all its stages, 0 to 1. */
  fraction: z.number(),
  elapsedMs: z.number(),
  /** Time left for the current image; null as long as nothing honest can be said. */
  remainingMs: z.number().nullable(),
  /** Counts up with every new preview; 0 while there is none. Fetch it at `/api/jobs/:id/preview?v=`. */
  previewVersion: z.int(),
})
export type JobProgress = z.infer<typeof jobProgressSchema>

/** Estimates, from what images of that kind took on that backend; null while nothing is known. */
export const jobTimeSchema = z.object({
  /** What is left to make of it, without waiting. */
  workMs: z.number().nullable(),
  /** From now until it is done, if work goes on without a pause. */
  endsInMs: z.number().nullable(),
})
export type JobTime = z.infer<typeof jobTimeSchema>

/** A part of the pending jobs, in the order in which they will run. */
export const pendingPageSchema = z.object({
  pending: z.array(jobSchema),
  /** One for each of `pending`. */
  pendingTimes: z.array(jobTimeSchema),
  pendingTotal: z.int(),
})
export type PendingPage = z.infer<typeof pendingPageSchema>

export const queueSchema = pendingPageSchema.extend({
  /** Nothing new is begun until somebody resumes; kept over restarts. */
  paused: z.boolean(),
  running: z.array(jobSchema),
  progress: z.array(jobProgressSchema),
  /** The latest ended ones, newest first. */
  ended: z.array(jobSchema),
  /** Work left in the whole queue, shared by the backends that are there; null while nothing is known. Waiting is no work. */
  remainingMs: z.number().nullable(),
  /** Whether an image is being made, so that `remainingMs` grows less; not while paused, or a backend starts or is not there. */
  working: z.boolean(),
})
export type Queue = z.infer<typeof queueSchema>

export const queueQuerySchema = z.object({
  limit: z.coerce.number().int().min(0).max(500).default(100),
  offset: z.coerce.number().int().min(0).default(0),
})
export type QueueQuery = z.infer<typeof queueQuerySchema>
