import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { readPngText, withPngText } from '../../../src-sidecar/history/png-text.ts'

let png: Buffer

beforeAll(async () => {
  png = await sharp({ create: { width: 16, height: 9, channels: 3, background: '#a63' } })
    .png()
    .toBuffer()
})

/** Type and data of every chunk, each checked by its checksum. */
function chunksOf(bytes: Buffer): [string, Buffer][] {
  const found: [string, Buffer][] = []
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const body = bytes.subarray(at + 4, at + 8 + length)
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body))
    found.push([body.toString('latin1', 0, 4), body.subarray(4)])
    at += 12 + length
  }
  return found
}

describe('a text', () => {
  test.each([
    ['ASCII', 'a cat\nNegative prompt: blurry\nSteps: 20, Seed: 1'],
    ['Latin-1', 'Ein Löwe, ça va — non: très déjà vu'.replace('—', '-')],
    ['Unicode', 'ein 猫 🐈‍⬛ — “quoted”'],
    ['empty', ''],
    ['long', 'ä猫'.repeat(50_000)],
  ])('that is %s reads back as it was', (_, text) => {
    expect(readPngText(withPngText(png, 'parameters', text), 'parameters')).toBe(text)
  })

  test('is a tEXt chunk where Latin-1 holds it, else iTXt, once, before the picture data', () => {
    for (const [text, type] of [
      ['Löwe', 'tEXt'],
      ['猫', 'iTXt'],
    ] as const) {
      const types = chunksOf(withPngText(png, 'parameters', text)).map(([name]) => name)
      expect(types.filter((name) => name === 'tEXt' || name === 'iTXt')).toEqual([type])
      expect(types.indexOf(type)).toBe(types.indexOf('IDAT') - 1)
    }
  })

  test('replaces an older one of its keyword, of either kind, and leaves the others', () => {
    const before = withPngText(withPngText(png, 'parameters', '猫 old'), 'Comment', 'mine')
    const after = withPngText(before, 'parameters', 'new')
    expect(readPngText(after, 'parameters')).toBe('new')
    expect(readPngText(after, 'Comment')).toBe('mine')
    expect(chunksOf(after).filter(([type]) => type === 'tEXt' || type === 'iTXt')).toHaveLength(2)
    expect(readPngText(withPngText(after, 'parameters', '犬'), 'parameters')).toBe('犬')
  })

  test('is null where there is none', () => {
    expect(readPngText(png, 'parameters')).toBeNull()
    expect(readPngText(withPngText(png, 'parameters', 'x'), 'parameter')).toBeNull()
  })

  test('is what another reader finds, and the picture is the same', async () => {
    const pixels = await sharp(png).raw().toBuffer()
    for (const text of ['a cat', '猫']) {
      const after = withPngText(png, 'parameters', text)
      expect(await sharp(after, { failOn: 'warning' }).raw().toBuffer()).toEqual(pixels)
      const { comments } = await sharp(after).metadata()
      expect(comments).toEqual([{ keyword: 'parameters', text }])
    }
  })
})

describe('bytes that are no whole PNG are refused', () => {
  test.each([
    ['none', Buffer.alloc(0)],
    ['text', Buffer.from('hello, this is text')],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0])],
  ])('%s', (_, bytes) => {
    expect(() => withPngText(bytes, 'parameters', 'x')).toThrow(RangeError)
    expect(() => readPngText(bytes, 'parameters')).toThrow(RangeError)
  })

  test('a PNG that was cut off, wherever', () => {
    for (let length = 0; length < png.length; length++) {
      expect(() => withPngText(png.subarray(0, length), 'parameters', 'x'), `${length} bytes`).toThrow(RangeError)
    }
  })
})

test('what follows the end of a PNG is not taken along', () => {
  const longer = Buffer.concat([png, Buffer.from('something that a server appended')])
  expect(withPngText(longer, 'parameters', 'x')).toEqual(withPngText(png, 'parameters', 'x'))
})
