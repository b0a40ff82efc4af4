import { expect, test } from 'vitest'
import { theilSen } from '../../../src-sidecar/diagnostics/theil-sen.ts'

const line = (slope: number) => Array.from({ length: 20 }, (_, x) => ({ x, y: 3 + slope * x }))

test('of a straight line it is the slope itself, without doubt', () => {
  for (const slope of [-2, 0, 0.5]) {
    const found = theilSen(line(slope))
    expect(found.slope).toBeCloseTo(slope)
    expect(found.low).toBeCloseTo(slope)
    expect(found.high).toBeCloseTo(slope)
  }
})

test('a quarter of wild points does not move it', () => {
  const wild = line(0.5).map((point, index) => (index % 4 === 1 ? { ...point, y: point.y + 1000 * (index - 8) } : point))
  expect(theilSen(wild).slope).toBeCloseTo(0.5)
})

test('its limits are those of the worked example: of 28 slopes the 6th and the 22nd', () => {
  // n = 8: spread = 1.96 √(8 · 7 · 21 / 18) = 15.8, so places (28 ∓ 15.8) / 2.
  const points = [1, 3, 2, 5, 8, 6, 9, 12].map((y, x) => ({ x, y }))
  const slopes = points.flatMap((a, i) => points.slice(i + 1).map((b) => (b.y - a.y) / (b.x - a.x))).sort((a, b) => a - b)
  expect(slopes).toHaveLength(28)
  expect(theilSen(points)).toEqual({ slope: (slopes[13]! + slopes[14]!) / 2, low: slopes[6], high: slopes[22] })
})
