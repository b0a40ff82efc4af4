import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededNumbers, shuffledIndex } from '../../../../src-sidecar/packs/expand/seeded-choice.ts'

test('a shuffle puts every index at a place of its own, whatever the count and the key', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.string(), (count, key) => {
      const places = Array.from({ length: count }, (_, index) => shuffledIndex(BigInt(index), BigInt(count), key))
      expect(places.toSorted((a, b) => Number(a - b))).toEqual(Array.from({ length: count }, (_, index) => BigInt(index)))
    }),
  )
})

test('a shuffle of more than 2⁶⁴ stays within its count', () => {
  const count = 10n ** 30n
  const places = new Set(Array.from({ length: 1000 }, (_, index) => shuffledIndex(BigInt(index), count, 'key')))
  expect(places.size).toBe(1000)
  for (const place of places) expect(place >= 0n && place < count).toBe(true)
})

test('numbers of one text are the same again, spread evenly, and not those of another', () => {
  const first = (text: string) => Array.from({ length: 4 }, seededNumbers(text))
  expect(first('1:0')).toEqual(first('1:0'))
  expect(first('1:0')).not.toEqual(first('1:1'))
  const buckets = Array<number>(10).fill(0)
  for (let index = 0; index < 10_000; index++) buckets[Math.floor(seededNumbers(`7:${index}`)() * 10)]!++
  for (const bucket of buckets) expect(Math.abs(bucket - 1000)).toBeLessThan(150)
})
