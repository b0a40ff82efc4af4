import { z } from 'zod'

export const shutdownStepSchema = z.object({
  phase: z.string(),
  name: z.string(),
  ms: z.int(),
  error: z.string().nullable(),
})

/** `last-shutdown.json`: how the last run ended. `forced` is written by the watchdog, when the sequence hung. */
export const lastShutdownSchema = z.object({
  version: z.literal(1),
  runId: z.string(),
  appVersion: z.string(),
  trigger: z.string(),
  detail: z.string().nullable(),
  endedAtMs: z.int(),
  ms: z.int(),
  /** Whether grace was cut short. */
  graceCut: z.boolean(),
  steps: z.array(shutdownStepSchema),
  /** Processes that had to be killed, and whatever else is worth knowing but is not unclean. */
  remarks: z.array(z.string()),
  /** What was left: processes, handles, threads. Empty is what StableNew promises. */
  left: z.array(z.string()),
  verdict: z.enum(['clean', 'unclean', 'forced']),
  exitCode: z.int(),
})
export type LastShutdown = z.infer<typeof lastShutdownSchema>
