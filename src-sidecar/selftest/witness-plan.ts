import { z } from 'zod'
import { closeNames, selftestPhases, selftestResultSchema } from '../contract/selftest.ts'

/** What a witness is told, as JSON in its first argument. */
export const witnessPlanSchema = z.object({
  /** Of a scenario; `M` are the cycles in one process. */
  id: z.string(),
  close: z.enum(closeNames).nullable(),
  watchMs: z.number(),
  cycles: z.int(),
  program: z.string(),
  nodeFlags: z.array(z.string()),
  draftArgs: z.string(),
  /** `settings.json` for the app under test; null for the defaults. */
  settings: z.unknown(),
  dataDir: z.string(),
})
export type WitnessPlan = z.infer<typeof witnessPlanSchema>

/** What it says, a line of JSON each. */
export const witnessLineSchema = z.union([
  z.object({ phase: z.enum(selftestPhases) }),
  z.object({ result: selftestResultSchema }),
])
