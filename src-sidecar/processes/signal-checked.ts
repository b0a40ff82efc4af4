import { isAlive, readProcessStat } from './process-stat.ts'

/** Whether the process that had this number at this start time still runs. */
export function isSame(pid: number, startTime: string): boolean {
  const stat = readProcessStat(pid)
  return isAlive(stat) && stat.startTime === startTime
}

/**
 * Signals a process by number and start time, without native calls: between the check and the signal there are some
 * microseconds in which the number could pass to another process. `signalIfSame` has no such gap.
 * @returns whether the signal was sent
 */
export function signalChecked(pid: number, startTime: string, signal: NodeJS.Signals): boolean {
  if (!isSame(pid, startTime)) return false
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
