import { expect, test } from 'vitest'
import { readRows, readValues, valueText } from '../../src-ui/state/experiment-values.ts'

test.each([
  ['3..9:2', [3, 5, 7, 9]],
  ['0.3..0.6:0.1', [0.3, 0.4, 0.5, 0.6]],
  [' 20, 30 ', [20, 30]],
  ['7, 7', 'Two of the values are the same.'],
  ['7, x', '"x" is no number.'],
  ['7,', '"" is no number.'],
  ['', 'Give two values at least.'],
  ['1..100', 'Give at most 50 values.'],
])('values "%s"', (text, values) => expect(readValues(text)).toEqual(values))

test.each([
  ['', null],
  ['1-3, 5', [0, 1, 2, 4]],
  ['2,1-2', [0, 1]],
  ['7', '"7" is none of the prompts 1 to 6. Write 1-3, 5.'],
  ['0', '"0" is none of the prompts 1 to 6. Write 1-3, 5.'],
  ['3-1', '"3-1" is none of the prompts 1 to 6. Write 1-3, 5.'],
])('rows "%s"', (text, rows) => expect(readRows(text, 6)).toEqual(rows))

test('a file is named without its ending', () => {
  expect(valueText('dream_8.safetensors')).toBe('dream_8')
  expect(valueText(0.5)).toBe('0.5')
})
