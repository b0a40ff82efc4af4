import { z } from 'zod'
import { managedSettingsSchema } from './settings.ts'

/** A server that is installed on this machine, and how StableNew would start it. */
export const foundBackendSchema = z.object({
  kind: z.enum(['sdapi', 'comfyui']),
  /** Its program: `Forge`, `ComfyUI`. */
  name: z.string(),
  /** Absolute. */
  folder: z.string(),
  /** Where it will answer; a port that was free when this was asked, and another one for each that can be started. */
  url: z.string(),
  /** Ready for the settings; null where it can't be started from here, for the reason in `why`. */
  managed: managedSettingsSchema.nullable(),
  /** For people: where the command comes from, or what is missing. */
  why: z.string(),
})
export type FoundBackend = z.infer<typeof foundBackendSchema>

/** `GET /api/backends/found` */
export const foundBackendsSchema = z.object({
  found: z.array(foundBackendSchema),
  /** False where the time ran out before every usual place was looked at. */
  complete: z.boolean(),
})
export type FoundBackends = z.infer<typeof foundBackendsSchema>
