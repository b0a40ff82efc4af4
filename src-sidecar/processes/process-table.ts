import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { descendantsOf, isAlive, type ProcessStat, readAllStats, readProcessStat } from './process-stat.ts'

/** One process for Diagnostics and verification. */
export interface ProcessRow {
  pid: number
  parentPid: number
  name: string
  /** R, S, D, T … as in proc(5). */
  state: string
  startTime: string
  threads: number
  rssBytes: number
  /** User and system time since its start. */
  cpuMs: number
}

const MS_PER_TICK = 10
const pageBytes = readPageBytes()

/** Everything alive below `rootPid` (default: this process), parents first. Takes about 10 ms where 500 processes run. */
export function readProcessTable(rootPid = process.pid): ProcessRow[] {
  return descendantsOf(rootPid, readAllStats()).filter(isAlive).map(toRow)
}

/** This process itself; its memory as Node tells it, which every system does. */
export function readOwnRow(): ProcessRow {
  const { rss } = process.memoryUsage()
  const stat = readProcessStat(process.pid)
  const { user, system } = process.cpuUsage()
  const own = { pid: process.pid, parentPid: process.ppid, name: process.title, state: 'R', startTime: '', threads: 0 }
  return { ...own, ...(stat && toRow(stat)), parentPid: process.ppid, rssBytes: rss, cpuMs: Math.round((user + system) / 1000) }
}

function toRow(stat: ProcessStat): ProcessRow {
  const { pid, parentPid, name, state, startTime, threads } = stat
  const rssBytes = stat.rssPages * pageBytes
  return { pid, parentPid, name, state, startTime, threads, rssBytes, cpuMs: (stat.userTicks + stat.systemTicks) * MS_PER_TICK }
}

/** From the auxiliary vector, where the kernel tells each process; 4,096 where there is none. */
function readPageBytes(): number {
  const AT_PAGESZ = 6n
  try {
    const vector = readFileSync('/proc/self/auxv')
    for (let at = 0; at + 16 <= vector.length && endianness() === 'LE'; at += 16) {
      if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8))
    }
  } catch {
    // No /proc.
  }
  return 4096
}
