import { expect, test } from 'vitest'
import { parseArgs } from '../../../scripts/arguments.mjs'
import { parseHostLine } from '../../../scripts/host-lines.mjs'
import { runsTypeScript } from '../../../scripts/node24.mjs'

test('the shell is taken out of the arguments, all others stay in their order', () => {
  expect(parseArgs([])).toEqual({ shell: 'auto', rest: [] })
  expect(parseArgs(['--data-dir', 'x y', '--shell', 'none', '--containment=shim'])).toEqual({
    shell: 'none',
    rest: ['--data-dir', 'x y', '--containment=shim'],
  })
  expect(parseArgs(['--shell=browser', '--headless'])).toEqual({ shell: 'none', rest: [] })
})

test('a shell that there is not is refused with exit code 2', () => {
  expect(() => parseArgs(['--shell', 'wall'])).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining('“wall”') }),
  )
})

test('lines for the launcher are told from those of anybody else', () => {
  expect(parseHostLine('{"stablenew":"ready","url":"http://127.0.0.1:1/"}')).toEqual({
    stablenew: 'ready',
    url: 'http://127.0.0.1:1/',
  })
  for (const line of ['hello', '{"level":30}', '{"stablenew"', '']) expect(parseHostLine(line)).toBeNull()
})

test('TypeScript runs unbuilt from Node 22.18, 23.6 and 24 on', () => {
  expect(['20.20.2', '22.17.1', '23.5.0'].map(runsTypeScript)).toEqual([false, false, false])
  expect(['22.18.0', '23.6.0', '24.0.0', '26.1.0'].map(runsTypeScript)).toEqual([true, true, true, true])
})
