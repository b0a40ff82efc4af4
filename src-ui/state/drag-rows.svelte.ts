/** So far the pointer goes before a press is a drag, in pixels. */
const threshold = 5
/** From this near to an edge on the list scrolls along, in pixels. */
const edge = 48
const fastest = 18

export interface DragOptions {
  /** The element that the rows lie in. */
  readonly list: () => HTMLElement
  readonly scroller: () => HTMLElement
  readonly rowHeight: () => number
  readonly total: () => number
  /** A drag begins at this row. */
  readonly onStart: (index: number) => void
  /** Dropped before the place with this index. */
  readonly onDrop: (index: number) => void
}

/** Rows of equal height that are dragged with the pointer, through a list of any length. */
export class DragRows {
  /** Before which place they would be dropped now; null: nothing is dragged. */
  target = $state<number | null>(null)
  /** Of the pointer, in the window. */
  at = $state({ x: 0, y: 0 })
  readonly #options: DragOptions
  #frame = 0

  constructor(options: DragOptions) {
    this.#options = options
  }

  get dragging(): boolean {
    return this.target !== null
  }

  press(event: PointerEvent, index: number): void {
    if (event.button !== 0) return
    const from = { x: event.clientX, y: event.clientY }
    const over = new AbortController()
    const { signal } = over
    const end = (drop: boolean) => {
      over.abort()
      cancelAnimationFrame(this.#frame)
      const { target } = this
      this.target = null
      if (drop && target !== null) this.#options.onDrop(target)
    }
    const move = (moved: PointerEvent) => {
      this.at = { x: moved.clientX, y: moved.clientY }
      if (!this.dragging && Math.hypot(moved.clientX - from.x, moved.clientY - from.y) < threshold) return
      if (!this.dragging) {
        this.#options.onStart(index)
        this.#frame = requestAnimationFrame(this.#scroll)
      }
      this.#aim()
    }
    addEventListener('pointermove', move, { signal })
    addEventListener('pointerup', () => end(true), { signal })
    addEventListener('pointercancel', () => end(false), { signal })
    addEventListener('blur', () => end(false), { signal })
    const onkeydown = (key: KeyboardEvent) => {
      if (key.key !== 'Escape' || !this.dragging) return
      key.stopPropagation()
      end(false)
    }
    addEventListener('keydown', onkeydown, { signal, capture: true })
  }

  #aim(): void {
    const { list, rowHeight, total } = this.#options
    const index = Math.round((this.at.y - list().getBoundingClientRect().top) / rowHeight())
    this.target = Math.max(0, Math.min(total(), index))
  }

  #scroll = (): void => {
    const scroller = this.#options.scroller()
    const { top, bottom } = scroller.getBoundingClientRect()
    const { y } = this.at
    const into = y < top + edge ? (y - top - edge) / edge : y > bottom - edge ? (y - bottom + edge) / edge : 0
    if (into !== 0) {
      scroller.scrollTop += fastest * Math.max(-1, Math.min(1, into))
      this.#aim()
    }
    this.#frame = requestAnimationFrame(this.#scroll)
  }
}
