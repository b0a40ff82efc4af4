export interface Point {
  readonly x: number
  readonly y: number
}

export interface Slope {
  readonly slope: number
  /** Limits of 95 % confidence, after Sen (1968). */
  readonly low: number
  readonly high: number
}

const z95 = 1.96

/**
 * The median of the slopes of all pairs: up to 29 % of wild points do not move it. Of n points it looks at n² / 2 pairs.
 * @param points at least two, with an `x` of their own each
 */
export function theilSen(points: readonly Point[]): Slope {
  const slopes: number[] = []
  for (const [index, a] of points.entries()) {
    for (const b of points.slice(index + 1)) slopes.push((b.y - a.y) / (b.x - a.x))
  }
  slopes.sort((a, b) => a - b)
  const at = (place: number) => slopes[Math.max(0, Math.min(slopes.length - 1, place))]!
  const middle = (slopes.length - 1) / 2
  const n = points.length
  const spread = z95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  return {
    slope: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(Math.floor((slopes.length - spread) / 2)),
    high: at(Math.ceil((slopes.length + spread) / 2)),
  }
}
