/** The task ids that `/internal/progress` knows (A1's modules/progress.py): waiting, running, and the last 16 finished. */
export class TaskList {
  readonly #pending = new Set<string>()
  readonly #finished: string[] = []
  #current: string | null = null

  add(id: string): void {
    this.#pending.add(id)
  }

  start(id: string): void {
    this.#current = id
    this.#pending.delete(id)
  }

  finish(id: string): void {
    if (this.#current === id) this.#current = null
    this.#finished.push(id)
    if (this.#finished.length > 16) this.#finished.shift()
  }

  get pending(): string[] {
    return [...this.#pending]
  }

  /** Where a task stands; all false when it is unknown. `place` counts from 1. */
  find(id: string): { active: boolean; queued: boolean; completed: boolean; place: number } {
    const place = this.pending.indexOf(id) + 1
    return { active: id === this.#current, queued: place > 0, completed: this.#finished.includes(id), place }
  }
}
