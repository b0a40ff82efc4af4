/** A1's `queue_lock`: one generation at a time, first come first served. Nothing leaves the line, not even a lost client. */
export class GenerationLock {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when all before it have ended, however they ended; resolves or rejects as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
