import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localDate, safeFileName } from '../../../src-sidecar/contract/file-name.ts'

describe('a file name', () => {
  test.each([
    ['a cat on a mat', 'a-cat-on-a-mat'],
    ['a  cat,\n\ta dog', 'a-cat-a-dog'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a-b-c-d-e-f-g-h-i-j'],
    ['../../etc/passwd', 'etc-passwd'],
    ['..', 'untitled'],
    ['', 'untitled'],
    [' . - ', 'untitled'],
    ['.hidden', 'hidden'],
    ['ends with a dot.', 'ends-with-a-dot'],
    ['a\0b\x1bc\x7fd', 'a-b-c-d'],
    ['猫 🐈', '猫-🐈'],
  ])('of %j is %j', (text, name) => {
    expect(safeFileName(text)).toBe(name)
  })

  test('is cut between characters, not within one', () => {
    expect(safeFileName('🐈'.repeat(10), 4)).toBe('🐈'.repeat(4))
    expect(safeFileName('aaaa bbbb', 5)).toBe('aaaa')
  })

  test.each(['con', 'CON', 'nul', 'COM1', 'lpt9', 'con.v2', 'Aux.txt', 'com¹', 'CONIN$', 'conout$'])(
    'is never the device that Windows means by %s',
    (text) => {
      expect(safeFileName(text)).toBe(`_${text}`)
    },
  )

  test.each(['console', 'com10', 'nully', 'auxiliary.v2'])('may begin as a device does: %s', (text) => {
    expect(safeFileName(text)).toBe(text)
  })

  test('is safe on every system, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: fc.constantFrom('.', '-', ' ', '/', '\\', 'c', 'o', 'n', '1', '🐈') }),
    )
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 80 }), (text, max) => {
        const name = safeFileName(text, max)
        expect(name).not.toBe('')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be gone
        expect(name).not.toMatch(/[\x00-\x1f\x7f<>:"/\\|?*]|^[-. ]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(124)
      }),
      { numRuns: 1000 },
    )
  })
})

test('a day is the local one', () => {
  expect(localDate(new Date(2026, 0, 5, 23, 59).getTime())).toBe('2026-01-05')
  expect(localDate(new Date(2026, 11, 31, 0, 0).getTime())).toBe('2026-12-31')
})
