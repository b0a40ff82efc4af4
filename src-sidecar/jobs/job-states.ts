import type { JobState } from '../contract/job.ts'

/**
 * The states of a job, as one pure table. Only `job-store.ts` and `bulk-cancel.ts` change a job's state, and only along these lines.
 *
 *   queued → running → completed | failed | cancelled
 *                    → interrupted → queued      (closing, or the app or the backend went down: it goes on at image k)
 *                                  → quarantined (it took the app or its backend down too often)
 */
export const transitions = {
  claim: { from: ['queued'], to: 'running' },
  complete: { from: ['running'], to: 'completed' },
  fail: { from: ['running'], to: 'failed' },
  cancelRunning: { from: ['running'], to: 'cancelled' },
  cancelPending: { from: ['queued'], to: 'cancelled' },
  interrupt: { from: ['running'], to: 'interrupted' },
  requeue: { from: ['interrupted'], to: 'queued' },
  quarantine: { from: ['interrupted'], to: 'quarantined' },
  retry: { from: ['failed', 'cancelled', 'quarantined'], to: 'queued' },
} as const satisfies Record<string, { from: readonly JobState[]; to: JobState }>

export type Transition = keyof typeof transitions

export const canTransition = (transition: Transition, from: JobState): boolean =>
  (transitions[transition].from as readonly JobState[]).includes(from)

/** States as SQL has them, for `IN`. */
export const list = (states: readonly JobState[]): string => states.map((state) => `'${state}'`).join(', ')

/** After this many attempts that took the app or its backend down, a job is not run again by itself. */
export const maxCrashes = 3
