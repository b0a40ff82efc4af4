import { z } from 'zod'
import { leakSchema, recycledSchema } from './diagnostics.ts'
import { imageSchema } from './image.ts'
import { folderExportSchema } from './image-export.ts'
import { importStateSchema } from './image-import.ts'
import { jobProgressSchema, jobSchema } from './job.ts'
import { missingWorkSchema } from './missing-files.ts'
import { backendStatusSchema, closingSchema } from './status.ts'
import { storageTroubleSchema } from './storage.ts'

/**
 * What `GET /api/events` sends, as server-sent events: `event:` is the type, `data:` this object as JSON.
 * After every (re)connect comes `hello`: fetch the state anew then, for nothing is replayed.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), runId: z.string() }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  /** More jobs changed than is worth telling one by one: fetch the queue anew. */
  z.object({ type: z.literal('queue') }),
  z.object({ type: z.literal('progress'), progress: jobProgressSchema }),
  z.object({ type: z.literal('image'), image: imageSchema }),
  /** Rating or tags of an image that is known already. */
  z.object({ type: z.literal('image-changed'), image: imageSchema }),
  z.object({ type: z.literal('import'), import: importStateSchema }),
  z.object({ type: z.literal('export'), export: folderExportSchema }),
  z.object({ type: z.literal('missing'), work: missingWorkSchema }),
  /** The files of these images were found to be gone, or to be there again. */
  z.object({ type: z.literal('files'), missing: z.boolean(), ids: z.array(z.int()) }),
  /** They are in the history no more. */
  z.object({ type: z.literal('images-removed'), ids: z.array(z.int()) }),
  z.object({ type: z.literal('packs') }),
  z.object({ type: z.literal('backends'), backends: z.array(backendStatusSchema) }),
  z.object({ type: z.literal('closing'), closing: closingSchema }),
  /** The last event: nothing comes after it, don't reconnect. */
  z.object({ type: z.literal('bye') }),
  /** Memory that grows and does not stop; once for the app and for each start of a backend. A notice of it is in the status. */
  z.object({ type: z.literal('leak'), leak: leakSchema }),
  /** Nothing can be saved (or again it can: null), and what the status says of it is new. */
  z.object({ type: z.literal('storage'), storage: storageTroubleSchema.nullable() }),
  /** There are new notices in the status. */
  z.object({ type: z.literal('notices') }),
  z.object({ type: z.literal('recycled'), recycled: recycledSchema }),
  /** Another start of the app asks for the window. */
  z.object({ type: z.literal('front') }),
])
export type AppEvent = z.infer<typeof eventSchema>
