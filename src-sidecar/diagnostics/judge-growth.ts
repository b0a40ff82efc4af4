import { type Point, theilSen } from './theil-sen.ts'

/** Memory at a moment. Milliseconds of any clock that does not jump. */
export interface Reading {
  readonly atMs: number
  readonly bytes: number
}

export interface Growth {
  readonly kbPerS: number
  readonly lowKbPerS: number
  readonly highKbPerS: number
  readonly windowMs: number
}

/**
 * A leak of 150 KB/s is to be told within two minutes, so the short window must do with 81 s; what grows slower, or so
 * fast that it may be a model being loaded, takes the long one.
 */
const windows = [
  { ms: 81_000, leastKbPerS: 75, mostKbPerS: 5000 },
  { ms: 600_000, leastKbPerS: 15, mostKbPerS: Number.POSITIVE_INFINITY },
] as const

const floorCount = 9
/** What a process takes at its start says nothing. */
const warmUpMs = 12_000
/** Of a leak, each third of a window is above the one before by about as much; of a step or a warm-up, only one is. */
const evenness = { first: 0.35, second: 0.55 }
/** Of all that memory moved before the window. */
const newShare = 0.5

/** What judging needs to know of the past. */
export const longestWindowMs = Math.max(...windows.map(({ ms }) => ms))

/**
 * Whether memory grows and does not stop. Looks at the floor of each ninth of a window, as garbage collection leaves it,
 * and wants the lower confidence limit of their slope above the window's threshold, evenly in each third, and more memory
 * than there ever was.
 * @param readings oldest first, without gaps
 * @param sinceMs when the process began, or was seen first
 */
export function judgeGrowth(readings: readonly Reading[], sinceMs: number): Growth | null {
  const warm = readings.filter(({ atMs }) => atMs >= sinceMs + warmUpMs)
  const [first, last] = [warm[0], warm.at(-1)]
  if (first === undefined || last === undefined) return null
  for (const { ms, leastKbPerS, mostKbPerS } of windows) {
    if (last.atMs - first.atMs < ms) return null
    const all = floorsOf(warm, last.atMs, ms / floorCount)
    const floors = all.slice(-floorCount)
    const { slope, low, high } = theilSen(floors)
    const isNew = risesAbove(floors.at(-1)?.y ?? 0, all.slice(0, -floorCount))
    if (low >= leastKbPerS && slope <= mostKbPerS && isNew && isEven(floors)) {
      return { kbPerS: slope, lowKbPerS: low, highKbPerS: high, windowMs: ms }
    }
  }
  return null
}

/** A sawtooth that is longer than the window comes no higher than before, and what wanders little higher. */
function risesAbove(kb: number, earlier: readonly Point[]): boolean {
  if (earlier.length === 0) return true
  const heights = earlier.map(({ y }) => y)
  const highest = Math.max(...heights)
  return kb > highest + newShare * (highest - Math.min(...heights))
}

function isEven(floors: readonly Point[]): boolean {
  const third = floorCount / 3
  const [a, b, c] = [0, 1, 2].map((part) => median(floors.slice(part * third, (part + 1) * third).map(({ y }) => y)))
  const [first, second] = [b! - a!, c! - b!]
  return first >= evenness.first * second && second >= evenness.second * first
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** The lowest reading of each stretch, counted back from `untilMs`: x in seconds, y in KB. */
function floorsOf(readings: readonly Reading[], untilMs: number, stretchMs: number): Point[] {
  const floors = new Map<number, Point>()
  for (const { atMs, bytes } of readings) {
    const stretch = Math.floor((untilMs - atMs) / stretchMs)
    const before = floors.get(stretch)
    if (before === undefined || bytes / 1024 < before.y) floors.set(stretch, { x: atMs / 1000, y: bytes / 1024 })
  }
  return [...floors.values()]
}
