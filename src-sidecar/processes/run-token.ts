import { readFileSync } from 'node:fs'

/** Marks every process of one run of the sidecar. */
export const RUN_TOKEN = 'STABLENEW_RUN_TOKEN'
/** Marks every process of one tree; begins with the run token. */
export const SPAWN_ID = 'STABLENEW_SPAWN_ID'

/**
 * Whether a process was started with `name=value` in its environment. False too for a process that hides or erases it
 * (another user's, or one that sets its own title): the mark proves that something is ours, never that it is not.
 */
export function hasMark(pid: number, name: string, value: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${name}=${value}\0`)
  } catch {
    return false
  }
}
