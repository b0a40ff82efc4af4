import type { Job, JobProgress, JobState, Queue } from '../../src-sidecar/contract/job.ts'

export const emptyQueue: Queue = {
  paused: false,
  running: [],
  working: false,
  pendingTimes: [],
  progress: [],
  pending: [],
  pendingTotal: 0,
  ended: [],
  remainingMs: null,
}

const endedKept = 50
const pendingStates: readonly JobState[] = ['queued', 'interrupted']

export const isPending = (job: Job) => pendingStates.includes(job.state)
export const isEnded = (job: Job) => !isPending(job) && job.state !== 'running'
export const canRetry = (job: Job) => job.state === 'failed' || job.state === 'cancelled' || job.state === 'quarantined'

/**
 * The queue after one job changed. Right for what this page shows; the order of pending jobs and the time left are the
 * sidecar's to say, so the queue is fetched anew a little later.
 */
export function withJob(queue: Queue, job: Job): Queue {
  const others = (jobs: Job[]) => jobs.filter((one) => one.id !== job.id)
  const place = queue.pending.findIndex((one) => one.id === job.id)
  const wasPending = place >= 0
  const wasShown = wasPending || [...queue.running, ...queue.ended].some((one) => one.id === job.id)
  const next: Queue = {
    ...queue,
    running: others(queue.running),
    ended: others(queue.ended),
    pending: others(queue.pending),
    progress: job.state === 'running' ? queue.progress : queue.progress.filter((one) => one.jobId !== job.id),
  }

  if (job.state === 'running') next.running.push(job)
  else if (isEnded(job)) next.ended = [job, ...next.ended].slice(0, endedKept)
  else if (wasPending) next.pending.splice(place, 0, job)
  else if (queue.pending.length === queue.pendingTotal) next.pending.push(job)

  if (wasPending && !isPending(job)) next.pendingTotal = Math.max(next.pending.length, queue.pendingTotal - 1)
  // One that is not among those shown may be new or further down; the next answer tells.
  if (!wasPending && isPending(job) && (wasShown || queue.pending.length === queue.pendingTotal)) next.pendingTotal += 1
  return next
}

export function withProgress(queue: Queue, progress: JobProgress): Queue {
  return { ...queue, progress: [...queue.progress.filter((one) => one.jobId !== progress.jobId), progress] }
}

/** Of the whole job, 0 to 1: its finished images and the part of the current one. */
export function jobFraction(job: Job, progress: JobProgress | undefined): number {
  const current = progress && progress.imageIndex >= job.imagesDone ? progress.fraction : 0
  return Math.min(1, (job.imagesDone + current) / job.recipe.images)
}
