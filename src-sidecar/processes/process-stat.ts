import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { readPs } from './ps-stats.ts'

const hasProc = process.platform === 'linux'
// Loaded where it can be: it makes native calls of Windows.
const win32 = process.platform === 'win32' ? await import('./win32-stats.ts') : undefined

/** One line of /proc/PID/stat, as far as we need it; from `ps` where there is no /proc. */
export interface ProcessStat {
  pid: number
  name: string
  /** R, S, D, T, Z … as in proc(5). */
  state: string
  parentPid: number
  groupId: number
  sessionId: number
  userTicks: number
  systemTicks: number
  threads: number
  /** Clock ticks since boot (from `ps`: a date), as text: only ever compared. */
  startTime: string
  rssPages: number
}

// One buffer for all reads: a snapshot every second must not grow the heap.
const buffer = Buffer.alloc(4096)

function readSmall(file: string): string | undefined {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, null))
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Undefined when there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  if (win32) return win32.readWin32Process(pid)
  if (!hasProc) return readPs(pid)[0]
  const text = readSmall(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The name may hold spaces and parentheses itself.
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const field = text.slice(close + 2).split(' ', 22)
  if (open < 0 || field.length < 22) return undefined
  return {
    pid,
    name: text.slice(open + 1, close),
    state: field[0]!,
    parentPid: Number(field[1]),
    groupId: Number(field[2]),
    sessionId: Number(field[3]),
    userTicks: Number(field[11]),
    systemTicks: Number(field[12]),
    threads: Number(field[17]),
    startTime: field[19]!,
    rssPages: Number(field[21]),
  }
}

/**
 * Children by the kernel's own list: those of the main thread, where Node starts its children and where orphans come in.
 * Exact only while they stand still. Undefined where the kernel keeps no such list.
 */
export function readChildren(pid: number): number[] | undefined {
  const text = readSmall(`/proc/${pid}/task/${pid}/children`)
  // Each number ends with a space: what comes after the last one was cut off by the size of the buffer.
  return text
    ?.slice(0, text.lastIndexOf(' ') + 1)
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

/** Every process that we are shown, in no order. */
export function readAllStats(): ProcessStat[] {
  if (win32) return win32.readWin32()
  if (!hasProc) return readPs()
  const stats: ProcessStat[] = []
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0)
    if (first < 48 || first > 57) continue
    const stat = readProcessStat(Number(name))
    if (stat) stats.push(stat)
  }
  return stats
}

/** A zombie holds nothing but its number, until its parent looks at it. */
export const isAlive = (stat: ProcessStat | undefined): stat is ProcessStat =>
  stat !== undefined && stat.state !== 'Z' && stat.state !== 'X'

/** All below `rootPid`, without it; parents before children. */
export function descendantsOf(rootPid: number, stats: readonly ProcessStat[] = readAllStats()): ProcessStat[] {
  const children = new Map<number, ProcessStat[]>()
  for (const stat of stats) {
    const siblings = children.get(stat.parentPid)
    if (siblings) siblings.push(stat)
    else children.set(stat.parentPid, [stat])
  }
  const found = [...(children.get(rootPid) ?? [])]
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]!.pid) ?? []))
  return found
}
