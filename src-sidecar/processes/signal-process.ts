import { closeSync } from 'node:fs'
import { openPidfd, sendPidfdSignal } from './native-linux.ts'
import { isAlive, readProcessStat } from './process-stat.ts'

/**
 * Signals the process that had this number at this start time, never a later one with the same number: the descriptor is
 * opened first, the start time read after it, so that the signal can't reach a stranger in between. Linux only.
 * @returns whether the signal was sent
 */
export function signalIfSame(pid: number, startTime: string, signal: NodeJS.Signals): boolean {
  const fd = openPidfd(pid)
  const same = () => {
    const stat = readProcessStat(pid)
    return isAlive(stat) && stat.startTime === startTime
  }
  if (fd !== undefined) {
    try {
      return same() && sendPidfdSignal(fd, signal)
    } finally {
      closeSync(fd)
    }
  }
  // No descriptors here (old kernel, container filter), or gone: the check alone leaves a window of some microseconds.
  if (!same()) return false
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
