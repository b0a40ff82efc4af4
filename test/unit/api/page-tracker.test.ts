import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PageTracker, pageReturnMs } from '../../../src-sidecar/api/page-tracker.ts'

let ends: number
let pages: PageTracker

beforeEach(() => {
  vi.useFakeTimers()
  ends = 0
  pages = new PageTracker(() => ends++)
})

afterEach(() => void vi.useRealTimers())

test('the last page’s closing ends the app ten seconds later, once', () => {
  pages.opened('a')
  pages.hidden('a')
  vi.advanceTimersByTime(pageReturnMs - 1)
  expect(ends).toBe(0)
  vi.advanceTimersByTime(1)
  expect(ends).toBe(1)
  vi.advanceTimersByTime(60_000)
  expect(ends).toBe(1)
})

test('a reload ends nothing: the page comes back, under a new name or its own', () => {
  for (const next of ['b', 'b', 'c']) {
    const last = next === 'c' ? 'b' : 'a'
    pages.opened(last)
    pages.hidden(last)
    vi.advanceTimersByTime(pageReturnMs - 1)
    pages.opened(next)
    vi.advanceTimersByTime(60_000)
  }
  expect(ends).toBe(0)
})

test('another page that is open keeps the app', () => {
  pages.opened('a')
  pages.opened('b')
  pages.hidden('a')
  vi.advanceTimersByTime(60_000)
  expect(ends).toBe(0)
  pages.hidden('b')
  vi.advanceTimersByTime(pageReturnMs)
  expect(ends).toBe(1)
})

test('a stream that is merely lost ends nothing, and one that comes back is the same page', () => {
  pages.opened('a')
  vi.advanceTimersByTime(24 * 3600 * 1000)
  expect(ends).toBe(0)
  pages.opened('a')
  pages.hidden('a')
  vi.advanceTimersByTime(pageReturnMs)
  expect(ends).toBe(1)
})

test('a page that nobody knows ends nothing', () => {
  pages.hidden('never seen')
  pages.opened('a')
  pages.hidden('never seen')
  vi.advanceTimersByTime(60_000)
  expect(ends).toBe(0)
})

test('a page that says it twice ends no later', () => {
  pages.opened('a')
  pages.hidden('a')
  vi.advanceTimersByTime(pageReturnMs - 1)
  pages.hidden('a')
  vi.advanceTimersByTime(1)
  expect(ends).toBe(1)
})

test('a stop leaves no timer, also of a page that closes only then', () => {
  pages.opened('a')
  pages.opened('b')
  pages.hidden('b')
  pages.hidden('a')
  pages.stop()
  expect(vi.getTimerCount()).toBe(0)
  pages.opened('c')
  pages.hidden('c')
  expect(vi.getTimerCount()).toBe(0)
})
