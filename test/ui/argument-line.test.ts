import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineOf, wordsOf } from '../../src-ui/state/argument-line.ts'

test.each([
  ['', []],
  ['  --api   --port 7860 ', ['--api', '--port', '7860']],
  [`--dir "C:\\My Models\\" 'it is "so"' ""`, ['--dir', 'C:\\My Models\\', 'it is "so"', '']],
  [`--name=it" is "one`, ['--name=it is one']],
])('the line %j is read as its words', (line, words) => {
  expect(wordsOf(line)).toEqual(words)
})

test.each(['"open', "a 'b", `a" 'b'`])('a quote that is not closed is told: %j', (line) => {
  expect(wordsOf(line)).toBeNull()
})

test('every list of words comes back from its line', () => {
  const word = fc.string({ unit: fc.constantFrom('a', '-', '"', "'", ' ', '\\', 'é') })
  fc.assert(fc.property(fc.array(word), (words) => void expect(wordsOf(lineOf(words))).toEqual(words)))
})
