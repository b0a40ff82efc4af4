/** How long a closed page may take to come back: a reload is a close and an open. */
export const pageReturnMs = 10_000

/**
 * Knows which browser pages are open. A page is closed only when it says so (`pagehide`): a stream that was merely lost
 * (a frozen tab, a suspended machine) never ends the app.
 */
export class PageTracker {
  readonly #open = new Set<string>()
  readonly #onLastClosed: () => void
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(onLastClosed: () => void) {
    this.#onLastClosed = onLastClosed
  }

  opened(page: string): void {
    this.#open.add(page)
    clearTimeout(this.#timer)
  }

  hidden(page: string): void {
    if (!this.#open.delete(page) || this.#open.size > 0 || this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onLastClosed, pageReturnMs)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }
}
