import { peekExitedChild, rawKill, reapChild } from './native-linux.ts'
import { descendantsOf, isAlive, readChildren } from './process-stat.ts'
import type { ProcessTree } from './shim-core.ts'
import { signalIfSame } from './signal-if-same.ts'

/**
 * Everything below this process, which is a subreaper: what leaves its parent, session or environment comes back here as
 * our child, so that "no child left" means that nothing of the tree is left.
 */
export class SubreaperTree implements ProcessTree {
  readonly #isLibuvChild: (pid: number) => boolean

  /** `isLibuvChild` tells which of our children were started through Node: those are reaped by libuv alone. */
  constructor(isLibuvChild: (pid: number) => boolean) {
    this.#isLibuvChild = isLibuvChild
  }

  signal(signal: NodeJS.Signals): void {
    for (const { pid, startTime } of descendantsOf(process.pid)) {
      signalIfSame(pid, startTime, signal)
      // A stopped process acts on no other signal.
      if (signal !== 'SIGKILL') signalIfSame(pid, startTime, 'SIGCONT')
    }
  }

  kill(): void {
    for (const stat of descendantsOf(process.pid)) if (isAlive(stat)) signalIfSame(stat.pid, stat.startTime, 'SIGKILL')
    // A chain that forks and exits outruns a walk over all of /proc, but each link becomes our direct child at once. The
    // number of an unreaped child can't be given to another process, so no identity check is needed.
    const until = performance.now() + 4
    do for (const pid of readChildren(process.pid) ?? []) rawKill(pid, 'SIGKILL')
    while (!this.empty() && performance.now() < until)
  }

  reap(): void {
    this.empty()
  }

  empty(): boolean {
    for (;;) {
      const exited = peekExitedChild()
      if (exited === 'childless') return true
      if (exited === 'none' || this.#isLibuvChild(exited)) return false
      if (!reapChild(exited)) return false
    }
  }
}
