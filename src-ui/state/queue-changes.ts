import type { Job, JobProgress, JobState, Queue } from '../../src-sidecar/contract/job.ts'

export const emptyQueue: Queue = {
  paused: false,
  running: [],
  progress: [],
  pending: [],
  pendingTimes: [],
  pendingTotal: 0,
  ended: [],
  remainingMs: null,
  working: false,
}

const endedKept = 50
const pendingStates: readonly JobState[] = ['queued', 'interrupted']

export const isPending = (job: Job) => pendingStates.includes(job.state)
export const isEnded = (job: Job) => !isPending(job) && job.state !== 'running'
export const canRetry = (job: Job) => job.state === 'failed' || job.state === 'cancelled' || job.state === 'quarantined'

/**
 * What runs and what has ended, after one job changed. How many wait, in which order and how long it takes is the sidecar's to say,
 * so the queue is fetched anew a little later.
 */
export function withJob(queue: Queue, job: Job): Queue {
  const others = (jobs: Job[]) => jobs.filter((one) => one.id !== job.id)
  const wasRunning = queue.running.some((one) => one.id === job.id)
  const wasEnded = queue.ended.some((one) => one.id === job.id)
  const next: Queue = {
    ...queue,
    running: others(queue.running),
    ended: others(queue.ended),
    progress: job.state === 'running' ? queue.progress : queue.progress.filter((one) => one.jobId !== job.id),
  }
  if (job.state === 'running') next.running.push(job)
  else if (isEnded(job)) next.ended = [job, ...next.ended].slice(0, endedKept)
  // One that neither ran nor had ended was waiting, or is new: only the first can begin.
  if (job.state === 'running' && !wasRunning) next.pendingTotal = Math.max(0, queue.pendingTotal - 1)
  if (isPending(job) && (wasRunning || wasEnded)) next.pendingTotal += 1
  return next
}

/** A backend makes one image at a time: the job before, which is only being saved, has none any more. */
export function withProgress(queue: Queue, progress: JobProgress): Queue {
  const others = queue.progress.filter((one) => one.jobId !== progress.jobId && one.backendId !== progress.backendId)
  return { ...queue, progress: [...others, progress] }
}

/** Of the whole job, 0 to 1: its finished images and the part of the current one. */
export function jobFraction(job: Job, progress: JobProgress | undefined): number {
  const current = progress && progress.imageIndex >= job.imagesDone ? progress.fraction : 0
  return Math.min(1, (job.imagesDone + current) / job.recipe.images)
}
