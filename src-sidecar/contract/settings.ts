import { z } from 'zod'
import { recipeDefaultsSchema } from './recipe.ts'
import { workflowSettingsSchema } from './workflow.ts'

const text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/, 'must not hold a NUL character')

/** How StableNew starts a server, and that it ends it too. */
export const managedSettingsSchema = z.object({
  /** A program: a name that PATH finds, or a path; `./webui.sh` is looked for in `cwd`. */
  command: text.regex(/\S/, 'name the program that starts the server'),
  args: z.array(text).max(200).default([]),
  /** Its working folder; empty: the one that an absolute `command` lies in, else the root folder. */
  cwd: text.default(''),
  /** On top of StableNew's own. */
  env: z.record(z.string().regex(/^[^=\0]+$/, 'is no name of a variable'), text).default({}),
  /** From its start until it answers. */
  startupLimitS: z.int().min(1).max(3600).default(300),
  /** When StableNew starts, in place of with the first image. */
  startAtLaunch: z.boolean().default(false),
})
export type ManagedSettings = z.infer<typeof managedSettingsSchema>

export const backendIdSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, 'small letters, digits and hyphens, at most 40')

/** What every backend has, whatever its kind. */
const namedSchema = z.object({
  /** Given once: jobs that are kept for it name it. */
  id: backendIdSchema,
  /** For people; empty: what it is and where. */
  name: z.string().trim().max(60).default(''),
  /** Switched off it gets no jobs, and is stopped where it is ours. */
  enabled: z.boolean().default(true),
})

/** HTTP Basic where `username` is not empty: A1's `--api-auth user:password`, or a proxy's. */
const serverSchema = namedSchema.extend({
  url: z.url({ protocol: /^https?$/ }),
  username: z.string().max(200).default(''),
  password: z.string().max(200).default(''),
  /** Minutes without a sign of progress after which it is interrupted, and restarted where it takes no interrupt. */
  hungAfterMin: z.int().min(1).max(1440).default(10),
  /** Null: the user runs it, and it is never started or stopped from here. */
  managed: managedSettingsSchema.nullable().default(null),
})

export const sdapiSettingsSchema = serverSchema.extend({ kind: z.literal('sdapi') })
export type SdapiSettings = z.infer<typeof sdapiSettingsSchema>

export const comfyuiSettingsSchema = serverSchema.extend({
  kind: z.literal('comfyui'),
  /** As ComfyUI lists it, with or without folder and extension; empty: the first that it has, or the workflow's. */
  checkpoint: z.string().max(1000).default(''),
  /** The user's own, in place of StableNew's. */
  workflow: workflowSettingsSchema.nullable().default(null),
})
export type ComfyuiSettings = z.infer<typeof comfyuiSettingsSchema>

/** The built-in draft engine, or a server: one with `/sdapi/v1`, or a ComfyUI. */
export const backendSettingsSchema = z.discriminatedUnion('kind', [
  namedSchema.extend({ kind: z.literal('draft'), stepMs: z.int().min(0).max(60_000).default(40) }),
  sdapiSettingsSchema,
  comfyuiSettingsSchema,
])
export type BackendSettings = z.infer<typeof backendSettingsSchema>

export const containmentLevels = ['namespace', 'shim', 'group'] as const
export const containmentChoices = ['auto', ...containmentLevels] as const

export const settingsSchema = z.object({
  version: z.literal(2),
  /** Each gets jobs of the queue, one at a time. */
  backends: z
    .array(backendSettingsSchema)
    .min(1, 'keep one backend at least')
    .max(20)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'two backends have the same id'),
  recipe: recipeDefaultsSchema,
  /** What becomes of the running image at the end; `ask` asks at *Exit* and finishes it elsewhere. */
  runningImageAtExit: z.enum(['finish', 'cancel', 'ask']).default('finish'),
  /** A backend that we have started and whose processes hold more is restarted between two jobs; null: never. */
  recycleAboveMb: z.int().min(128).max(4_194_304).nullable().default(24_576),
  /** The same after so many jobs; null: never. */
  recycleAfterJobs: z.int().min(1).max(1_000_000).nullable().default(null),
  /** Minutes without work after which a backend is asked to give the memory of its models back; null: never. */
  freeMemoryAfterMin: z.int().min(1).max(10_000).nullable().default(null),
  /** How backends are held; in force at the next start. `auto` is the best that the machine allows. */
  containment: z.enum(containmentChoices).default('auto'),
})
export type Settings = z.infer<typeof settingsSchema>

export const defaultSettings: Settings = {
  version: 2,
  backends: [{ id: 'draft', name: '', enabled: true, kind: 'draft', stepMs: 40 }],
  runningImageAtExit: 'finish',
  containment: 'auto',
  recycleAboveMb: 24_576,
  recycleAfterJobs: null,
  freeMemoryAfterMin: null,
  recipe: { samplerName: 'Euler a', scheduler: 'Automatic', steps: 20, cfgScale: 7, width: 512, height: 512 },
}
