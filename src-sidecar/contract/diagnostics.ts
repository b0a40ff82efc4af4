import { z } from 'zod'
import { containmentLevels } from './settings.ts'

/** Memory of one backend's whole process tree, its guard left out. */
export const backendSampleSchema = z.object({
  /** Of this very start: a restarted backend has another. */
  id: z.string(),
  rssBytes: z.number(),
  processes: z.int(),
  /** Null where nothing tells it. */
  vramBytes: z.number().nullable(),
})
export type BackendSample = z.infer<typeof backendSampleSchema>

export const sampleSchema = z.object({
  atMs: z.int(),
  app: z.object({
    rssBytes: z.number(),
    heapUsedBytes: z.number(),
    /** Held outside of V8's heap, array buffers included. */
    externalBytes: z.number(),
    /** What the event loop waits for. */
    handles: z.int(),
    /** Null where the system does not tell; so the threads. */
    descriptors: z.int().nullable(),
    threads: z.int().nullable(),
    /** How late the event loop was since the last sample. */
    delayMeanMs: z.number(),
    delayMaxMs: z.number(),
  }),
  backends: z.array(backendSampleSchema),
})
export type Sample = z.infer<typeof sampleSchema>

/** Memory that grows and does not stop: a Theil–Sen slope with its 95 % limits. */
export const leakSchema = z.object({
  subject: z.enum(['app', 'backend']),
  /** Of the backend's start; empty for the app. */
  id: z.string(),
  /** For people. */
  name: z.string(),
  kbPerS: z.number(),
  lowKbPerS: z.number(),
  highKbPerS: z.number(),
  /** The time that it was judged by. */
  windowMs: z.int(),
  rssBytes: z.number(),
  atMs: z.int(),
})
export type Leak = z.infer<typeof leakSchema>

/** A backend that was restarted between two jobs, so that it gives its memory back. */
export const recycledSchema = z.object({
  name: z.string(),
  why: z.enum(['memory', 'jobs']),
  /** Before it was ended. */
  rssBytes: z.number(),
  /** That it had run. */
  jobs: z.int(),
  atMs: z.int(),
})
export type Recycled = z.infer<typeof recycledSchema>

/** Who a process is to us: `helper` is what the guard or the sidecar needs, `member` what a command has started. */
export const processParts = ['app', 'guard', 'helper', 'leader', 'member'] as const

export const processRowSchema = z.object({
  pid: z.int(),
  parentPid: z.int(),
  name: z.string(),
  /** R, S, D, T … as in proc(5). */
  state: z.string(),
  threads: z.int(),
  rssBytes: z.number(),
  cpuMs: z.number(),
  part: z.enum(processParts),
  /** Of the contained process that it belongs to: `backend`, `window`, `tool`; null for the app. */
  role: z.string().nullable(),
  /** What holds it; null for the app and what belongs to no contained process. */
  containment: z.enum(containmentLevels).nullable(),
})
export type ProcessRow = z.infer<typeof processRowSchema>

export const threadSchema = z.object({
  kind: z.enum(['worker', 'loop']),
  name: z.string(),
  purpose: z.string(),
  startedAtMs: z.int(),
})
export type Thread = z.infer<typeof threadSchema>

/** Whether the machine is kept from falling asleep; `unavailable`: that can't be done here, and is not tried again. */
export const keptAwakeSchema = z.object({ state: z.enum(['off', 'on', 'unavailable']), why: z.string().nullable() })
export type KeptAwake = z.infer<typeof keptAwakeSchema>

export const diagnosticsSchema = z.object({
  everyMs: z.int(),
  /** What taking one sample costs, in time of the processor, as the mean of all. */
  sampleMs: z.number(),
  /** Oldest first; those after `since`. */
  samples: z.array(sampleSchema),
  leaks: z.array(leakSchema),
  /** The latest ones, newest first. */
  recycled: z.array(recycledSchema),
  /** Parents first, the app's own process at the top. */
  processes: z.array(processRowSchema),
  threads: z.array(threadSchema),
  /** What the event loop waits for, by kind. */
  handles: z.record(z.string(), z.int()),
  keptAwake: keptAwakeSchema,
})
export type Diagnostics = z.infer<typeof diagnosticsSchema>

export const diagnosticsQuerySchema = z.object({ since: z.coerce.number().int().min(0).default(0) })

export const heapSnapshotSchema = z.object({ path: z.string(), bytes: z.int(), ms: z.int() })
export type HeapSnapshot = z.infer<typeof heapSnapshotSchema>
