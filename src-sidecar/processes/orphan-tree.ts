import { peekExitedChild, rawKill, reapChild } from './native-linux.ts'
import { descendantsOf, isAlive, readAllStats } from './process-stat.ts'
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

  /** One round of SIGKILL. @returns whether there was anything to kill */
  kill(): boolean {
    this.reap()
    const stats = readAllStats()
    const roots = this.#roots(stats)
    for (const root of roots) {
      for (const { pid, startTime } of descendantsOf(root.pid, stats)) signalIfSame(pid, startTime, 'SIGKILL')
      rawKill(root.pid, 'SIGKILL')
    }
    return roots.length > 0
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
