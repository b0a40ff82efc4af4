import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readWildcards } from '../../../src-sidecar/packs/wildcard-folders.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = tempDir('wildcards')
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

test('lists that the texts come to are read, in folders too; others only lend their names', async () => {
  const lists = folder({
    'colour.txt': '\uFEFF# warm ones\r\nred\r\n\r\n  orange \r\n',
    'people/hair.txt': '__colour__ hair\n__people/length__ hair',
    'people/length.txt': 'long',
    'other.txt': 'unread',
    'notes.md': 'no list',
  })
  expect(await readWildcards([lists], ['a __people/hair__ knight', 'a __none__'])).toEqual(
    new Map([
      ['colour', ['red', 'orange']],
      ['people/hair', ['__colour__ hair', '__people/length__ hair']],
      ['people/length', ['long']],
      ['other', []],
    ]),
  )
})

test('of two folders the first counts, and one that is missing has no lists', async () => {
  const [first, second] = [folder({ 'a.txt': 'one' }), folder({ 'a.txt': 'two', 'b.txt': 'three' })]
  expect(await readWildcards([join(first, 'none'), first, second], ['__a____b__'])).toEqual(
    new Map([
      ['a', ['one']],
      ['b', ['three']],
    ]),
  )
})

test('lists that name each other, a folder that leads to itself and what is no text come to an end', async () => {
  const lists = folder({ 'a.txt': '__b__', 'b.txt': '__a__', 'c.txt': new Uint8Array([0, 1, 255]) })
  if (process.platform !== 'win32') symlinkSync(lists, join(lists, 'self'))
  const read = await readWildcards([lists], ['__a__ __c__'])
  expect(read).toEqual(
    new Map([
      ['a', ['__b__']],
      ['b', ['__a__']],
      ['c', []],
    ]),
  )
})

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
  'a folder that may not be read takes no lists of the others with it',
  async () => {
    const lists = folder({ 'a.txt': 'one', 'closed/b.txt': 'two', 'open/c.txt': 'three' })
    chmodSync(join(lists, 'closed'), 0)
    const read = await readWildcards([lists], ['__a__ __open/c__'])
    chmodSync(join(lists, 'closed'), 0o700)
    expect(read).toEqual(
      new Map([
        ['a', ['one']],
        ['open/c', ['three']],
      ]),
    )
  },
)
