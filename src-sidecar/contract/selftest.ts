import { z } from 'zod'
import { shutdownStepSchema } from './last-shutdown.ts'

export const closeNames = ['window', 'exit-button', 'stdin-eof', 'sigterm', 'sigkill-shell'] as const
/** How a scenario closes the app. */
export type CloseName = (typeof closeNames)[number]

/** `warned` is passed, with something to look at; `not-run` could not be tried here, and its remark says why. */
export const selftestOutcomes = ['passed', 'warned', 'failed', 'not-run'] as const
export type SelftestOutcome = (typeof selftestOutcomes)[number]

export const selftestPhases = ['waiting', 'launching', 'working', 'closing', 'watching', 'next launch', 'done'] as const
export type SelftestPhase = (typeof selftestPhases)[number]

/** What was measured from outside. Null where the system does not tell, or where it did not come to that. */
export const selftestFiguresSchema = z.object({
  /** From the request to close until the app's process had ended. */
  exitMs: z.int().nullable(),
  exitCode: z.int().nullable(),
  /** From the app's end until nothing of its tree was left. */
  emptyMs: z.int().nullable(),
  watchedMs: z.int().nullable(),
  /** Of the whole tree: sum of resident memory, shared pages counted for each. */
  peakRssBytes: z.int().nullable(),
  /** The same right before the close. */
  rssBytes: z.int().nullable(),
  peakProcesses: z.int(),
  peakThreads: z.int(),
  peakDescriptors: z.int().nullable(),
  ports: z.array(z.int()),
})
export type SelftestFigures = z.infer<typeof selftestFiguresSchema>

/** One run of one scenario. */
export const selftestResultSchema = z.object({
  outcome: z.enum(selftestOutcomes),
  /** What was wrong, a sentence each. Empty unless it failed. */
  findings: z.array(z.string()),
  /** Worth knowing: why it was not run, what is above a soft limit. */
  remarks: z.array(z.string()),
  figures: selftestFiguresSchema,
  /** Of the shutdown, by the app's own report. */
  steps: z.array(shutdownStepSchema),
})
export type SelftestResult = z.infer<typeof selftestResultSchema>

export const selftestRunSchema = z.object({
  /** `T1` … `T6`, `F1` …, `M`. */
  id: z.string(),
  title: z.string(),
  /** From 1. */
  repeat: z.int(),
  close: z.enum(closeNames).nullable(),
  phase: z.enum(selftestPhases),
  result: selftestResultSchema.nullable(),
})
export type SelftestRun = z.infer<typeof selftestRunSchema>

/** The file that a user can attach to a bug report. */
export const selftestReportSchema = z.object({
  version: z.literal(1),
  appVersion: z.string(),
  startedAtMs: z.int(),
  ms: z.int(),
  system: z.object({
    platform: z.string(),
    release: z.string(),
    arch: z.string(),
    node: z.string(),
    cpus: z.string(),
    memoryBytes: z.int(),
    containment: z.string(),
  }),
  options: z.object({ repeat: z.int(), watchS: z.number(), close: z.string(), backend: z.string(), faults: z.boolean() }),
  runs: z.array(selftestRunSchema),
  verdict: z.enum(['passed', 'failed']),
})
export type SelftestReport = z.infer<typeof selftestReportSchema>

/** A short one by default: what a user has the patience for. */
export const selftestRequestSchema = z.object({
  repeat: z.int().min(1).max(100).default(1),
  watchS: z.number().min(0).max(3600).default(5),
  faults: z.boolean().default(false),
})
export type SelftestRequest = z.infer<typeof selftestRequestSchema>

/** The selftest that the app itself has started last. */
export const selftestStateSchema = z.object({
  running: z.boolean(),
  runs: z.array(selftestRunSchema),
  /** Null as long as it runs, and where none was run or it was stopped. */
  verdict: z.enum(['passed', 'failed']).nullable(),
  /** Where the report lies. */
  file: z.string().nullable(),
  /** Why it could not be run. */
  problem: z.string().nullable(),
})
export type SelftestState = z.infer<typeof selftestStateSchema>
