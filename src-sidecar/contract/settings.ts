import { z } from 'zod'
import { recipeDefaultsSchema } from './recipe.ts'

/** The built-in draft engine, or a server with `/sdapi/v1` that the user runs. */
export const backendSettingsSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('draft'), stepMs: z.int().min(0).max(60_000).default(40) }),
  z.object({
    kind: z.literal('sdapi'),
    url: z.url({ protocol: /^https?$/ }),
    /** HTTP Basic, as `--api-auth user:password` sets it on the server. */
    username: z.string().max(200).default(''),
    password: z.string().max(200).default(''),
  }),
])
export type BackendSettings = z.infer<typeof backendSettingsSchema>

export const containmentLevels = ['namespace', 'shim', 'group'] as const
export const containmentChoices = ['auto', ...containmentLevels] as const

export const settingsSchema = z.object({
  version: z.literal(1),
  backend: backendSettingsSchema,
  recipe: recipeDefaultsSchema,
  /** What becomes of the running image at the end; `ask` asks at *Exit* and finishes it elsewhere. */
  runningImageAtExit: z.enum(['finish', 'cancel', 'ask']).default('finish'),
  /** How backends are held; in force at the next start. `auto` is the best that the machine allows. */
  containment: z.enum(containmentChoices).default('auto'),
})
export type Settings = z.infer<typeof settingsSchema>

export const defaultSettings: Settings = {
  version: 1,
  backend: { kind: 'draft', stepMs: 40 },
  runningImageAtExit: 'finish',
  containment: 'auto',
  recipe: { samplerName: 'Euler a', scheduler: 'Automatic', steps: 20, cfgScale: 7, width: 512, height: 512 },
}
