import { expect, test } from 'vitest'
import { clock, count, dayName, duration, fileSize, promptStart, timeLeft } from '../../src-ui/state/format.ts'

const minute = 60_000

test.each([
  [0, 'a few seconds'],
  [4900, 'a few seconds'],
  [12_000, '15 s'],
  [58_000, '60 s'],
  [minute, '1 min'],
  [59 * minute, '59 min'],
  [60 * minute, '1 h'],
  [132 * minute, '2 h 10 min'],
  [25 * 60 * minute, '25 h'],
])('%i ms left are told as %s', (ms, text) => {
  expect(timeLeft(ms)).toBe(text)
})

test('a running clock shows hours only when there are some', () => {
  expect([clock(7400), clock(760_000), clock(3_723_000), clock(-5)]).toEqual(['0:07', '12:40', '1:02:03', '0:00'])
})

test('short durations have a decimal, long ones none', () => {
  expect([duration(840), duration(12_400), duration(200_000), duration(3_900_000)]).toEqual([
    '0.8 s',
    '12 s',
    '3 min 20 s',
    '1 h 5 min',
  ])
})

test('days have names while they are near', () => {
  const now = new Date(2026, 4, 20, 0, 30).getTime()
  expect(dayName(now, now)).toBe('Today')
  expect(dayName(now - 60 * minute, now)).toBe('Yesterday')
  expect(dayName(new Date(2026, 4, 11).getTime(), now)).toBe('Monday, May 11')
  expect(dayName(new Date(2025, 11, 31).getTime(), now)).toBe('Wednesday, December 31, 2025')
})

test('a long prompt is cut at a word', () => {
  expect(promptStart('a lighthouse, on a cliff', 14)).toBe('a lighthouse…')
  expect(promptStart('short', 14)).toBe('short')
})

test('counts have their plural and sizes their unit', () => {
  expect([count(1, 'image'), count(1200, 'image')]).toEqual(['1 image', '1,200 images'])
  expect([fileSize(900), fileSize(268_400), fileSize(2_340_000)]).toEqual(['900 B', '268 kB', '2.3 MB'])
})
