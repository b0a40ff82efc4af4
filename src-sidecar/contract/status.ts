import { z } from 'zod'
import { problemSchema } from './job.ts'
import { lastShutdownSchema } from './last-shutdown.ts'
import { containmentLevels } from './settings.ts'
import { storageTroubleSchema } from './storage.ts'

export const shellKinds = ['neutralino', 'browser', 'none'] as const
export type ShellKind = (typeof shellKinds)[number]

// biome-ignore format: a list
export const capabilityNames = [
  'progress', 'taskProgress', 'interrupt', 'skip', 'img2img', 'upscale', 'checkpoints', 'samplers', 'schedulers', 'upscalers',
  'loras', 'embeddings', 'memory', 'unload', 'adetailer', 'modules',
] as const

/** Something that servers may have or lack. */
export const backendCapabilitySchema = z.object({ name: z.enum(capabilityNames), available: z.boolean() })
export type BackendCapability = z.infer<typeof backendCapabilitySchema>

export const backendStatusSchema = z.object({
  id: z.string(),
  kind: z.enum(['draft', 'sdapi', 'comfyui']),
  name: z.string(),
  /** `stopped` is ordinary: it starts when the first job needs it. */
  state: z.enum(['stopped', 'starting', 'ready', 'failed']),
  problem: problemSchema.nullable(),
  /** Asked once per start of the server; null while that is not known, and for the draft engine, which has what is needed. */
  capabilities: z.array(backendCapabilitySchema).nullable().default(null),
})
export type BackendStatus = z.infer<typeof backendStatusSchema>

export const closingSchema = z.object({
  trigger: z.string(),
  /** What is waited for now. */
  step: z.string(),
  sinceMs: z.int(),
})
export type Closing = z.infer<typeof closingSchema>

export const statusSchema = z.object({
  version: z.string(),
  runId: z.string(),
  shell: z.enum(shellKinds),
  /** What it runs on: `v24.21.0`, `linux x64 6.18`. */
  system: z.object({ node: z.string(), platform: z.string() }),
  dataFolder: z.string(),
  packsFolder: z.string(),
  imagesFolder: z.string(),
  logFile: z.string(),
  /** Those that are switched on, in the order of the settings. */
  backends: z.array(backendStatusSchema),
  /** How backends are held on this machine, and why not better. */
  containment: z.object({ level: z.enum(containmentLevels), reasons: z.array(z.string()) }),
  /** Set from the moment the app began to close. */
  closing: closingSchema.nullable(),
  /** What the user should know of the start (a settings file set aside, a job of the last run resumed, …). */
  notices: z.array(z.string()),
  /** Why nothing can be saved now, and nothing is begun; null where all is well. */
  storage: storageTroubleSchema.nullable(),
  /** How the run before this one ended; null where nothing was written. */
  lastShutdown: lastShutdownSchema.nullable(),
})
export type Status = z.infer<typeof statusSchema>
