import { expect, test } from 'vitest'
import { circles, manyLines, violations } from './rules.ts'
import { readSources } from './source-facts.ts'

const sources = readSources(['src-sidecar', 'src-ui'])

test('every file keeps the import rules of DESIGN.md', () => {
  expect(sources.length).toBeGreaterThan(100)
  expect(violations(sources)).toEqual([])
})

test('no files import each other in a circle', () => {
  expect(circles(sources).map((circle) => circle.join(' → '))).toEqual([])
})

test('the files that are getting long are known', () => {
  const long = sources.filter(({ lines }) => lines > manyLines).map(({ path, lines }) => `${path} (${lines})`)
  if (long.length > 0) console.info(`Over ${manyLines} lines: ${long.join(', ')}`)
})
