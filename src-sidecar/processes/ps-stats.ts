import { spawnSync } from 'node:child_process'
import type { ProcessStat } from './process-stat.ts'

const line = /^\s*(\d+)\s+(\d+)\s+(-?\d+)\s+(\S+)\s+(\d+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/

/** The process table by `ps`, for systems without /proc. Sessions and threads are not to be had everywhere and left at 0. */
export function readPs(pid?: number): ProcessStat[] {
  const which = pid === undefined ? ['-ax'] : ['-p', String(pid)]
  const ps = spawnSync('ps', [...which, '-o', 'pid=,ppid=,pgid=,stat=,rss=,lstart=,comm='], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
    maxBuffer: 16 * 1024 * 1024,
  })
  const stats: ProcessStat[] = []
  for (const text of (ps.stdout ?? '').split('\n')) {
    const found = line.exec(text)
    // `ps` sees itself.
    if (!found || Number(found[1]) === ps.pid) continue
    stats.push({
      pid: Number(found[1]),
      parentPid: Number(found[2]),
      groupId: Number(found[3]),
      sessionId: 0,
      state: found[4]![0]!,
      rssPages: Number(found[5]) / 4,
      startTime: found[6]!,
      name: found[7]!,
      threads: 0,
      userTicks: 0,
      systemTicks: 0,
    })
  }
  return stats
}
