import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface SpawnedEvent {
  readonly id: number
  readonly action: 'stdOut' | 'stdErr' | 'exit'
  readonly data: string | number
}

/**
 * Neutralino's `os.spawnProcess`: a shell's command line in a process group of its own, with its stdin held open. Never
 * contained and never ended, as there: the end of its stdin is all that such a process hears of the window's end.
 */
export class SpawnedProcesses {
  readonly #children = new Map<number, ChildProcess>()
  readonly #onEvent: (event: SpawnedEvent) => void

  constructor(onEvent: (event: SpawnedEvent) => void) {
    this.#onEvent = onEvent
  }

  async spawn(command: string): Promise<{ id: number; pid: number }> {
    const child = spawn(command, { shell: true, detached: process.platform !== 'win32', stdio: 'pipe' })
    const id = this.#children.size
    this.#children.set(id, child)
    child.stdin.on('error', () => {})
    child.stdout.on('data', (data) => this.#onEvent({ id, action: 'stdOut', data: String(data) }))
    child.stderr.on('data', (data) => this.#onEvent({ id, action: 'stdErr', data: String(data) }))
    child.once('close', (code, signal) => {
      this.#onEvent({ id, action: 'exit', data: code ?? (signal === null ? 1 : 128) })
      this.#children.delete(id)
    })
    await once(child, 'spawn')
    return { id, pid: child.pid! }
  }

  /** What still runs. */
  list(): { id: number; pid: number }[] {
    return [...this.#children].map(([id, { pid }]) => ({ id, pid: pid! }))
  }

  /** @returns false when there is no such process or no such event. */
  update(id: number, event: string, text: string): boolean {
    const stdin = this.#children.get(id)?.stdin
    if (!stdin) return false
    if (event === 'stdIn') stdin.write(text)
    else if (event === 'stdInEnd') stdin.end()
    return event === 'stdIn' || event === 'stdInEnd'
  }
}
