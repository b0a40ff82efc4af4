import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonTree } from '../../../../src-sidecar/packs/formats/json-tree.ts'

test('any JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' \n', '\t\r\n'), (text, around) => {
      expect(jsonTree(around + text + around).value).toEqual(JSON.parse(text))
    }),
  )
})

test('any text is refused where JSON.parse refuses it', () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', ']', '"', '0', '\\', '\u00a0'))
    .map(([text, at, put]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + put + text.slice(place + 1)
    })
  const outcome = (read: () => unknown) => {
    try {
      return { value: read() }
    } catch {
      return 'refused'
    }
  }
  fc.assert(
    fc.property(fc.oneof(broken, fc.string()), (text) => {
      expect(outcome(() => jsonTree(text).value)).toEqual(outcome(() => JSON.parse(text)))
    }),
    { numRuns: 1000 },
  )
})

test.each([
  ['{"a": 1,}', 8, 'A name in "…" is expected here, not "}".'],
  ['{"a" 1}', 5, 'A colon is expected here, not "1".'],
  ['[1 2]', 3, 'A comma or ] is expected here, not "2".'],
  ['[1', 2, 'A comma or ] is expected here, not the end of the file.'],
  ['{} x', 3, 'The end of the file is expected here, not "x".'],
])('tells where %s is wrong', (text, at, message) => {
  expect(() => jsonTree(text)).toThrow(expect.objectContaining({ at, message }))
})
