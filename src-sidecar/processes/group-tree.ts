import type { ChildProcess } from 'node:child_process'
import { descendantsOf, isAlive, type ProcessStat, readAllStats } from './process-stat.ts'
import { hasMark, SPAWN_ID } from './run-token.ts'
import type { ProcessTree } from './shim-core.ts'
import { signalChecked } from './signal-checked.ts'

/**
 * The command's process group and session, what descends from it, and what carries its mark, without native calls. What
 * clears its environment and leaves group and parent escapes, and a chain that forks and exits may outrun the scan.
 */
export class GroupTree implements ProcessTree {
  readonly #spawnId: string
  #leaderPid: number | undefined

  constructor(spawnId: string) {
    this.#spawnId = spawnId
  }

  started(leader: ChildProcess): void {
    this.#leaderPid = leader.pid
  }

  signal(signal: NodeJS.Signals): void {
    for (const { pid, startTime } of this.#members(true)) {
      signalChecked(pid, startTime, signal)
      // A stopped process acts on no other signal.
      if (signal !== 'SIGKILL') signalChecked(pid, startTime, 'SIGCONT')
    }
  }

  kill(): void {
    this.signal('SIGKILL')
  }

  empty(): boolean {
    // Reading every environment is the dear part: only when the rest is gone.
    return this.#members(false).length === 0 && this.#members(true).length === 0
  }

  #members(byMark: boolean): ProcessStat[] {
    return membersOfGroup({ guardPid: process.pid, leaderPid: this.#leaderPid, spawnId: this.#spawnId, byMark })
  }
}

/** What is known to belong to a tree at the group level, without its guard. */
export function membersOfGroup(tree: {
  guardPid: number
  leaderPid: number | undefined
  spawnId: string
  byMark: boolean
}): ProcessStat[] {
  const { guardPid, leaderPid, spawnId, byMark } = tree
  const stats = readAllStats()
  const found = new Map<number, ProcessStat>()
  const add = (root: ProcessStat) => {
    found.set(root.pid, root)
    for (const below of descendantsOf(root.pid, stats)) found.set(below.pid, below)
  }
  for (const stat of stats) {
    const { pid, parentPid, groupId, sessionId } = stat
    if (pid === guardPid || pid === process.pid) continue
    if (parentPid === guardPid || groupId === leaderPid || sessionId === leaderPid) add(stat)
    else if (byMark && hasMark(pid, SPAWN_ID, spawnId)) add(stat)
  }
  return [...found.values()].filter(isAlive)
}
