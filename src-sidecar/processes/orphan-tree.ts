import { peekExitedChild, rawKill, reapChild } from './native-linux.ts'
import { descendantsOf, isAlive, readAllStats, readChildren, readProcessStat } from './process-stat.ts'
import { signalIfSame } from './signal-if-same.ts'

/**
 * What the sidecar, itself a subreaper, has been left by guards that were killed: all its children but those that Node
 * started. Nothing else can be among them, for what the user opens is never started below the sidecar.
 */
export class OrphanTree {
  readonly #isNodesChild: (pid: number) => boolean

  constructor(isNodesChild: (pid: number) => boolean) {
    this.#isNodesChild = isNodesChild
  }

  /** Takes the zombies among them away; stops at one that Node has not looked at yet, to be called again. */
  reap(): void {
    for (;;) {
      const exited = peekExitedChild()
      if (typeof exited !== 'number' || this.#isNodesChild(exited) || !reapChild(exited)) return
    }
  }

  /** One round of SIGKILL, some milliseconds long. @returns whether there was anything to kill */
  kill(): boolean {
    this.reap()
    const stats = readAllStats()
    const roots = this.#roots(stats)
    for (const root of roots) {
      for (const { pid, startTime } of descendantsOf(root.pid, stats)) signalIfSame(pid, startTime, 'SIGKILL')
    }
    let found = roots.length > 0
    // A chain that forks and exits outruns a walk over all of /proc, but each link becomes our direct child at once. The
    // number of an unreaped child can't be given to another process, so no identity check is needed.
    for (const until = performance.now() + 4; performance.now() < until; this.reap()) {
      for (const pid of readChildren(process.pid) ?? roots.map(({ pid }) => pid)) {
        if (this.#isNodesChild(pid) || !isAlive(readProcessStat(pid))) continue
        found = rawKill(pid, 'SIGKILL') || found
      }
    }
    return found
  }

  /** The numbers of those that are alive. */
  left(): number[] {
    this.reap()
    return this.#roots(readAllStats()).map(({ pid }) => pid)
  }

  #roots(stats: ReturnType<typeof readAllStats>) {
    return stats.filter((stat) => stat.parentPid === process.pid && isAlive(stat) && !this.#isNodesChild(stat.pid))
  }
}
