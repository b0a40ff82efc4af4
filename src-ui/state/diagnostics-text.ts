import type { KeptAwake, Recycled } from '../../src-sidecar/contract/diagnostics.ts'
import { count, megabytes } from './format.ts'

/** That a backend was restarted, and why. */
export function recycledText({ name, why, rssBytes, jobs }: Recycled): { title: string; detail: string } {
  const detail = why === 'memory' ? `Its memory was at ${megabytes(rssBytes)}.` : `It had run ${count(jobs, 'job')}.`
  return { title: `${name} was restarted between two jobs`, detail }
}

/** Whether the machine may fall asleep. */
export const keptAwakeText = ({ state, why }: KeptAwake): string =>
  state === 'on'
    ? 'The machine is kept from falling asleep while jobs run.'
    : state === 'off'
      ? 'The machine may fall asleep: no job runs.'
      : `The machine may fall asleep while jobs run; it can't be kept from it: ${why}.`
