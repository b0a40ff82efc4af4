import { closeSync } from 'node:fs'
import { openPidfd, sendPidfdSignal } from './native-linux.ts'
import { isSame, signalChecked } from './signal-checked.ts'

/**
 * Signals the process that had this number at this start time, never a later one with the same number: the descriptor is
 * opened first and the start time read after it, so that the signal can't reach a stranger in between. Linux only.
 * @returns whether the signal was sent
 */
export function signalIfSame(pid: number, startTime: string, signal: NodeJS.Signals): boolean {
  const fd = openPidfd(pid)
  // Gone, or no descriptors here (old kernel, container filter).
  if (fd === undefined) return signalChecked(pid, startTime, signal)
  try {
    return isSame(pid, startTime) && sendPidfdSignal(fd, signal)
  } finally {
    closeSync(fd)
  }
}
