/** Often enough that a close is never felt, seldom enough to cost nothing. */
const pollMs = 250

/**
 * Notices that the parent is gone: the system then gives us another one. (On Windows it does not; there the end of
 * stdin says it.)
 */
export class ParentWatch {
  readonly #parentPid: number
  readonly #currentParent: () => number
  #timer: NodeJS.Timeout | undefined

  /** @param currentParent returns `process.ppid`, anew at each call. */
  constructor(currentParent: () => number) {
    this.#currentParent = currentParent
    this.#parentPid = currentParent()
  }

  start(onGone: () => void): void {
    this.#timer = setInterval(() => {
      if (this.#currentParent() === this.#parentPid) return
      this.stop()
      onGone()
    }, pollMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
