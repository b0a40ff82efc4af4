import type { Recycled } from '../../src-sidecar/contract/diagnostics.ts'
import { count, megabytes } from './format.ts'

/** That a backend was restarted, and why. */
export function recycledText({ name, why, rssBytes, jobs }: Recycled): { title: string; detail: string } {
  const detail = why === 'memory' ? `Its memory was at ${megabytes(rssBytes)}.` : `It had run ${count(jobs, 'job')}.`
  return { title: `${name} was restarted between two jobs`, detail }
}
