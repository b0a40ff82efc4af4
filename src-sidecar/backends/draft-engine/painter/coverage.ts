/** A drawing command, as opentype.js gives them. Absolute coordinates in pixels. */
export type PathCommand =
  | { type: 'M'; x: number; y: number }
  | { type: 'L'; x: number; y: number }
  | { type: 'Q'; x1: number; y1: number; x: number; y: number }
  | { type: 'C'; x1: number; y1: number; x2: number; y2: number; x: number; y: number }
  | { type: 'Z' }

/**
 * How much of each pixel a filled path covers, exactly: signed areas are summed up along the rows (as in font-rs). Plain
 * arithmetic, so it is the same on every machine, which a graphics library's own text is not.
 */
export class Coverage {
  readonly width: number
  readonly height: number
  readonly #areas: Float32Array

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.#areas = new Float32Array(width * height + 2)
  }

  /** Adds a path, `dx` and `dy` to the right and down. */
  fill(commands: readonly PathCommand[], dx = 0, dy = 0): void {
    let [startX, startY, x, y] = [0, 0, 0, 0]
    for (const command of commands) {
      if (command.type === 'Z') {
        this.#line(x, y, startX, startY)
        x = startX
        y = startY
        continue
      }
      const toX = command.x + dx
      const toY = command.y + dy
      if (command.type === 'M') {
        startX = toX
        startY = toY
      } else if (command.type === 'L') this.#line(x, y, toX, toY)
      else {
        const ax = command.x1 + dx
        const ay = command.y1 + dy
        const cubic = command.type === 'C'
        const bx = cubic ? command.x2 + dx : ax
        const by = cubic ? command.y2 + dy : ay
        const length = Math.abs(ax - x) + Math.abs(ay - y) + Math.abs(toX - ax) + Math.abs(toY - ay)
        const pieces = Math.min(64, 2 + Math.ceil(Math.sqrt(length) * 1.5))
        let [lastX, lastY] = [x, y]
        for (let i = 1; i <= pieces; i++) {
          const t = i / pieces
          const s = 1 - t
          const px = cubic
            ? s * s * s * x + 3 * s * s * t * ax + 3 * s * t * t * bx + t * t * t * toX
            : s * s * x + 2 * s * t * ax + t * t * toX
          const py = cubic
            ? s * s * s * y + 3 * s * s * t * ay + 3 * s * t * t * by + t * t * t * toY
            : s * s * y + 2 * s * t * ay + t * t * toY
          this.#line(lastX, lastY, px, py)
          lastX = px
          lastY = py
        }
      }
      x = toX
      y = toY
    }
  }

  /** The coverage of row `y`, 0 to 1 a pixel. */
  row(y: number, out: Float32Array): void {
    let sum = 0
    for (let x = 0; x < this.width; x++) {
      sum += this.#areas[y * this.width + x]!
      out[x] = Math.min(1, Math.abs(sum))
    }
  }

  #line(x0: number, y0: number, x1: number, y1: number): void {
    if (y0 === y1) return
    const direction = y0 < y1 ? 1 : -1
    const [topX, topY, endX, endY] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0]
    const slope = (endX - topX) / (endY - topY)
    const first = Math.max(0, Math.floor(topY))
    const last = Math.min(this.height, Math.ceil(endY))
    for (let y = first; y < last; y++) {
      const from = Math.max(y, topY)
      const to = Math.min(y + 1, endY)
      if (to > from)
        this.#strip(y * this.width, direction * (to - from), topX + (from - topY) * slope, topX + (to - topY) * slope)
    }
  }

  /** Puts the part of an edge that lies in one row, `amount` of its height, into the row that begins at `at`. */
  #strip(at: number, amount: number, fromX: number, toX: number): void {
    const right = this.width - 0.001
    const a = Math.min(right, Math.max(0, Math.min(fromX, toX)))
    const b = Math.min(right, Math.max(0, Math.max(fromX, toX)))
    const first = Math.floor(a)
    const last = Math.floor(b)
    if (first === last) {
      const left = 1 - ((a + b) / 2 - first)
      this.#add(at, first, amount * left)
      this.#add(at, first + 1, amount * (1 - left))
      return
    }
    const slope = amount / (b - a)
    let before = 0
    for (let x = first; x <= last; x++) {
      // The edge's share of this column, and how far left in it the edge runs.
      const lo = Math.max(a, x)
      const hi = Math.min(b, x + 1)
      const part = slope * (hi - lo)
      const left = 1 - ((lo + hi) / 2 - x)
      this.#add(at, x, before + part * left)
      before = part * (1 - left)
    }
    this.#add(at, last + 1, before)
  }

  /** A change of the sum right of the last column must not run into the next row. */
  #add(at: number, x: number, area: number): void {
    if (x < this.width) this.#areas[at + x]! += area
  }
}
