import { expect, test } from 'vitest'
import { judgeCycles } from '../../../src-sidecar/selftest/judge-cycles.ts'

const mega = 1024 * 1024
const cycles = (count: number, heap: (cycle: number) => number, rss = (_cycle: number) => 150 * mega) =>
  Array.from({ length: count }, (_, index) => ({
    cycle: index + 1,
    heapBytes: Math.round(heap(index + 1)),
    rssBytes: Math.round(rss(index + 1)),
    left: [],
  }))

test('what grows before the fifth cycle is warm-up', () => {
  const { findings, remarks } = judgeCycles(cycles(12, (cycle) => 40 * mega + Math.min(cycle, 5) * 10 * mega))
  expect(findings).toEqual([])
  expect(remarks.some((remark) => remark.startsWith('warning'))).toBe(false)
})

test('more than 1 MB from the fifth cycle on is a warning, more than 5 MB a failure', () => {
  const grows = (bytes: number) => judgeCycles(cycles(12, (cycle) => 40 * mega + ((cycle - 5) * bytes) / 7))
  expect(grows(0.9 * mega).remarks.join()).not.toContain('warning')
  expect(grows(1.1 * mega).remarks.join()).toContain('warning: memory grows')
  expect(grows(4.9 * mega).findings).toEqual([])
  expect(grows(5.1 * mega).findings.join()).toContain('+5.10 MB')
})

test('resident memory is judged by its median slope: one wild value does not fail it, steady growth does', () => {
  const heap = () => 40 * mega
  expect(judgeCycles(cycles(12, heap, (cycle) => (cycle === 12 ? 400 : 150) * mega)).findings).toEqual([])
  expect(judgeCycles(cycles(12, heap, (cycle) => (150 + 6 * cycle) * mega)).findings.join()).toContain('resident memory a cycle')
})

test('fewer cycles than can be judged is a failure, not a pass', () => {
  expect(judgeCycles(cycles(5, () => mega)).findings).toHaveLength(1)
  expect(judgeCycles([]).findings).toHaveLength(1)
})
