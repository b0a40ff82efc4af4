import { describe, expect, it } from 'vitest'
import { judgeGrowth, type Reading } from '../../../src-sidecar/diagnostics/judge-growth.ts'
import { seededRandom } from '../../helpers/seeded-random.ts'

const everyMs = 2000
const mb = 1024 * 1024

/** A sample every two seconds; `kbAt` takes seconds. */
const series = (seconds: number, kbAt: (s: number) => number): Reading[] =>
  Array.from({ length: Math.floor((seconds * 1000) / everyMs) + 1 }, (_, i) => ({
    atMs: i * everyMs,
    bytes: 100 * mb + 1024 * kbAt((i * everyMs) / 1000),
  }))

/** As the app sees it: judged at every sample. @returns after how many seconds it was told, or null */
function toldAfterS(readings: readonly Reading[]): number | null {
  const last = readings.findIndex((_, i) => judgeGrowth(readings.slice(0, i + 1), 0) !== null)
  return last === -1 ? null : readings[last]!.atMs / 1000
}

const seeds = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Rises by `kb` in `periodS` seconds and falls back. */
const sawtooth = (kb: number, periodS: number) => (s: number) => (kb * (s % periodS)) / periodS
const warmUp = (kb: number, fadesS: number) => (s: number) => kb * (1 - Math.exp(-s / fadesS))

describe('a leak', () => {
  it('of 150 KB/s is told within two minutes, with its size', () => {
    const readings = series(120, (s) => 150 * s)
    expect(toldAfterS(readings)).toBeLessThan(120)
    const growth = judgeGrowth(readings, 0)
    expect(growth?.kbPerS).toBeCloseTo(150)
    expect(growth?.lowKbPerS).toBeLessThanOrEqual(150)
    expect(growth?.highKbPerS).toBeGreaterThanOrEqual(150)
  })

  it('is told within two minutes below warm-up, garbage and each of 100 noises', () => {
    for (const seed of seeds(100)) {
      const random = seededRandom(seed)
      const [warm, saw] = [warmUp(60_000, 6), sawtooth(16_000, 7)]
      const readings = series(118, (s) => 150 * s + warm(s) + saw(s) + 1500 * (random.next() - 0.5))
      expect(toldAfterS(readings), `seed ${seed}`).not.toBeNull()
    }
  })

  it('of 25 KB/s is told within the quarter of an hour', () => {
    expect(toldAfterS(series(100, (s) => 25 * s))).toBeNull()
    expect(toldAfterS(series(900, (s) => 25 * s + sawtooth(8000, 40)(s)))).toBeLessThan(900)
  })

  it('is told when it begins in the middle of a quiet life', () => {
    const begins = 400
    const told = toldAfterS(series(600, (s) => 150 * Math.max(0, s - begins) + sawtooth(10_000, 13)(s)))
    expect(told! - begins).toBeLessThan(120)
  })
})

describe('no leak', () => {
  it.each([
    ['nothing that changes', () => 0],
    ['a warm-up of 100 MB that fades in 10 s', warmUp(100_000, 10)],
    ['a warm-up of 100 MB that fades in 40 s', warmUp(100_000, 40)],
    ['a model that is loaded at 30 MB/s for two minutes', (s: number) => 30_000 * Math.min(s, 120)],
    ['a step up to a large model', (s: number) => (s > 200 ? 4_000_000 : 0)],
    ['a large model in turn with a small one', (s: number) => 500_000 * (Math.floor(s / 30) % 2)],
    ['a sawtooth of 30 MB in 5 s', sawtooth(30_000, 5)],
    ['a sawtooth of 30 MB in 20 s', sawtooth(30_000, 20)],
    ['a sawtooth of 30 MB in 60 s', sawtooth(30_000, 60)],
    ['a sawtooth of 12 MB in 10 min', sawtooth(12_000, 600)],
    ['growth of 5 KB/s', (s: number) => 5 * s],
    ['falling memory', (s: number) => -50 * s],
  ])('%s', (_, kbAt) => {
    expect(toldAfterS(series(1500, kbAt))).toBeNull()
  })

  /** Of 100 walks of ten minutes that always come back, each step up to half of `kb` either way, how many raise an alarm. */
  const alarmsOf = (kb: number) =>
    seeds(100).filter((seed) => {
      const random = seededRandom(seed)
      let at = 0
      return toldAfterS(series(600, () => (at = at * 0.9 + kb * (random.next() - 0.5)))) !== null
    }).length

  it('a random walk of 2 MB a step, and hardly one of 4 MB', () => {
    expect(alarmsOf(2000)).toBe(0)
    expect(alarmsOf(4000)).toBeLessThanOrEqual(8)
  })
})
