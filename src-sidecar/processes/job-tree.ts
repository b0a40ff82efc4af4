import type { ChildProcess } from 'node:child_process'
import treeKill from 'tree-kill'
import { enterNewJob, type JobHandle, listJob, sendConsoleEvent, terminateInJob } from './native-win32.ts'
import type { ProcessTree } from './shim-core.ts'

/**
 * Windows: all that was born into this process's job object. The kernel ends what is left of it when this process ends,
 * however it ends. Where a job is refused, only what `taskkill /T` finds is reached.
 */
export class JobTree implements ProcessTree {
  readonly #job: JobHandle | undefined
  #leader: ChildProcess | undefined

  constructor() {
    try {
      this.#job = enterNewJob()
    } catch (thrown) {
      console.error(`StableNew: ${(thrown as Error).message}; processes that leave their parent may escape`)
    }
  }

  started(leader: ChildProcess): void {
    this.#leader = leader
  }

  signal(signal: NodeJS.Signals): void {
    sendConsoleEvent(signal === 'SIGINT' ? 'ctrl-c' : 'ctrl-break')
  }

  kill(): void {
    if (this.#job !== undefined) for (const pid of this.#others()) terminateInJob(this.#job, pid)
    // The tree is known to taskkill only while its root lives.
    else if (this.#leader?.pid !== undefined && this.#leaderRuns()) treeKill(this.#leader.pid, 'SIGKILL', () => {})
  }

  empty(): boolean {
    return this.#job === undefined ? !this.#leaderRuns() : this.#others().length === 0
  }

  #others(): number[] {
    return listJob(this.#job).filter((pid) => pid !== process.pid)
  }

  #leaderRuns(): boolean {
    return this.#leader !== undefined && this.#leader.exitCode === null && this.#leader.signalCode === null
  }
}
