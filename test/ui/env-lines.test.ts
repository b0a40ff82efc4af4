import { expect, test } from 'vitest'
import { envOf, linesOf } from '../../src-ui/state/env-lines.ts'

test('lines of NAME=value are read as they are, and written back the same', () => {
  const env = { CUDA_VISIBLE_DEVICES: '1', COMMANDLINE_ARGS: '--medvram --opt="a=b"', EMPTY: '', SPACED: ' two words ' }
  expect(envOf(linesOf(env))).toEqual({ env })
  expect(envOf('\n  A=1\r\n\n B =2\n')).toEqual({ env: { A: '1', B: '2' } })
  expect(envOf('')).toEqual({ env: {} })
})

test.each([
  ['A=1\nnonsense', 'Line 2 is not like NAME=value.'],
  ['=1', 'Line 1 is not like NAME=value.'],
  ['A=1\n\nA=2', 'Line 3 sets A a second time.'],
  [`A=${'x'.repeat(5000)}`, "Line 1 is too long, or holds what can't be in it."],
  ['A=\0', "Line 1 is too long, or holds what can't be in it."],
])('%j is refused', (text, problem) => {
  expect(envOf(text)).toEqual({ problem })
})
