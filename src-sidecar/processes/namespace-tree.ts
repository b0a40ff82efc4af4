import { rawKill } from './native-linux.ts'
import type { ProcessTree } from './shim-core.ts'
import { SubreaperTree } from './subreaper-tree.ts'

/** The PID namespace whose init this process is: `kill(-1)` reaches all of it but us, in one system call. */
export class NamespaceTree implements ProcessTree {
  readonly #orphans: SubreaperTree

  constructor(isLibuvChild: (pid: number) => boolean) {
    this.#orphans = new SubreaperTree(isLibuvChild)
  }

  signal(signal: NodeJS.Signals): void {
    rawKill(-1, signal)
    // A stopped process acts on no other signal.
    if (signal !== 'SIGKILL') rawKill(-1, 'SIGCONT')
  }

  kill(): void {
    rawKill(-1, 'SIGKILL')
  }

  reap(): void {
    this.#orphans.empty()
  }

  empty(): boolean {
    return this.#orphans.empty()
  }
}
