import { listProcesses, startTimeOf, workingSetBytesOf } from './native-win32.ts'
import type { ProcessStat } from './process-stat.ts'

/** As everywhere, memory is counted in pages. */
const pageBytes = 4096

/** The process table of Windows. Groups, sessions and times are not in it. */
export function readWin32(): ProcessStat[] {
  const rows = listProcesses().map((row) => ({ ...row, startTime: startTimeOf(row.pid) }))
  const started = new Map(rows.map(({ pid, startTime }) => [pid, startTime]))
  return rows.flatMap((row) => {
    const { startTime, parentPid } = row
    // Not ours to look at, or gone.
    if (startTime === undefined) return []
    const parentStart = started.get(parentPid)
    // A parent that is younger than its child is somebody else with the number of the real one.
    const real = parentStart !== undefined && BigInt(parentStart) <= BigInt(startTime)
    const rssPages = Math.round(workingSetBytesOf(row.pid) / pageBytes)
    return [{ ...blank, ...row, rssPages, startTime, parentPid: real ? parentPid : 0 }]
  })
}

export function readWin32Process(pid: number): ProcessStat | undefined {
  const startTime = startTimeOf(pid)
  return startTime === undefined ? undefined : { ...blank, pid, name: '', threads: 0, startTime, parentPid: 0 }
}

const blank = { state: 'R', groupId: -1, sessionId: -1, userTicks: 0, systemTicks: 0, rssPages: 0 }
