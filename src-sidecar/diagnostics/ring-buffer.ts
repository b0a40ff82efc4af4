/** The latest so many things, oldest first. */
export class RingBuffer<T> {
  readonly #capacity: number
  readonly #items: T[] = []
  #next = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  push(item: T): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.#capacity
  }

  all(): T[] {
    if (this.#items.length < this.#capacity) return [...this.#items]
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]
  }

  clear(): void {
    this.#items.length = 0
    this.#next = 0
  }
}
