import type { Queue } from '../../src-sidecar/contract/job.ts'
import { jobFraction } from './queue-changes.ts'

/** What the task bar tells: "37% · 12 left · StableNew". */
export function documentTitle(queue: Queue): string {
  const job = queue.running[0]
  const left = queue.pendingTotal + queue.running.length
  if (!job) return left ? `${left} left · StableNew` : 'StableNew'
  const progress = queue.progress.find((one) => one.jobId === job.id)
  return `${Math.floor(jobFraction(job, progress) * 100)}% · ${left} left · StableNew`
}
