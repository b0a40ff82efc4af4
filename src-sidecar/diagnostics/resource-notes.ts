import { takeSnapshot } from '../lifecycle/resource-snapshot.ts'
import type { Logger } from '../logging/logger.ts'
import { heldBytes } from './collect-garbage.ts'

/**
 * Writes memory, handles and threads into the log, for `--diagnose`. All garbage is collected before, so that two notes can
 * be compared; each stops the app for some 50 ms.
 */
export class ResourceNotes {
  readonly #logger: Logger
  readonly #running = new Set<number>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  note(when: string): void {
    const held = heldBytes()
    const kinds: Record<string, number> = {}
    for (const { kind } of takeSnapshot()) kinds[kind] = (kinds[kind] ?? 0) + 1
    this.#logger.info({ when, heldBytes: held, rssBytes: process.memoryUsage.rss(), ...kinds }, 'resources')
  }

  /** Before a job and after it, by the states that it goes through. */
  job({ id, state }: { id: number; state: string }): void {
    if (state === 'running') {
      this.#running.add(id)
      this.note(`before job ${id}`)
    } else if (this.#running.delete(id)) this.note(`after job ${id}`)
  }
}
