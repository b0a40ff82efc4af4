import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { txt2imgGraph } from '../../../src-sidecar/backends/comfyui/graphs.ts'
import {
  exifWithComment,
  maxJpegExifBytes,
  readExif,
  withJpegExif,
  withWebpExif,
} from '../../../src-sidecar/history/exif-comment.ts'
import { pictureTexts, settingsOfPicture } from '../../../src-sidecar/history/picture-settings.ts'
import { withPngText } from '../../../src-sidecar/history/png-text.ts'

const blank = (alpha = false) =>
  sharp({ create: { width: 17, height: 9, channels: alpha ? 4 : 3, background: { r: 9, g: 99, b: 9, alpha: 0.5 } } })
const text = 'a 猫 and a Löwe\nSteps: 3, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64'
const size = { width: 17, height: 9 }

describe('the text in the EXIF', () => {
  const pictures: [string, () => Promise<Buffer>, (bytes: Buffer, exif: Buffer) => Buffer][] = [
    ['JPEG', () => blank().jpeg().toBuffer(), withJpegExif],
    ['lossy WebP', () => blank().webp().toBuffer(), (bytes, exif) => withWebpExif(bytes, exif, size)],
    ['lossless WebP', () => blank().webp({ lossless: true }).toBuffer(), (bytes, exif) => withWebpExif(bytes, exif, size)],
    ['WebP with alpha', () => blank(true).webp().toBuffer(), (bytes, exif) => withWebpExif(bytes, exif, size)],
    [
      'lossless WebP with alpha',
      () => blank(true).webp({ lossless: true }).toBuffer(),
      (bytes, exif) => withWebpExif(bytes, exif, size),
    ],
  ]

  test.each(pictures)('of a %s is read back, once, and the picture is as it was', async (_, make, write) => {
    const before = await make()
    const once = write(before, exifWithComment('old'))
    const after = write(once, exifWithComment(text))
    expect(pictureTexts(after).parameters).toBe(text)
    expect(settingsOfPicture(after)).toMatchObject({ seed: 5, settings: { steps: 3 } })
    const metadata = await sharp(after).metadata()
    expect(readExif(metadata.exif!).comment).toBe(text)
    expect(metadata).toMatchObject(size)
    const pixels = (bytes: Buffer) => sharp(bytes).ensureAlpha().raw().toBuffer()
    expect((await pixels(after)).equals(await pixels(before))).toBe(true)
    expect(write(before, exifWithComment(text)).equals(after)).toBe(true)
  })

  test('may be written by others in other ways', () => {
    const comment = (bytes: Buffer) => {
      const exif = Buffer.from(exifWithComment('x'))
      return Buffer.concat([exif.subarray(0, 32), Buffer.from([0, 0, 0, bytes.length]), exif.subarray(36, 44), bytes])
    }
    expect(readExif(comment(Buffer.from('ASCII\0\0\0a cat\0', 'latin1'))).comment).toBe('a cat')
    expect(readExif(Buffer.concat([Buffer.from('Exif\0\0'), exifWithComment('a cat')])).comment).toBe('a cat')
    expect(readExif(Buffer.from('nothing')).comment).toBeNull()
  })

  test('is refused by a JPEG where it is too long', async () => {
    const jpeg = await blank().jpeg().toBuffer()
    const room = (maxJpegExifBytes - exifWithComment('').length) / 2
    expect(pictureTexts(withJpegExif(jpeg, exifWithComment('x'.repeat(Math.floor(room))))).parameters).toHaveLength(
      Math.floor(room),
    )
    expect(() => withJpegExif(jpeg, exifWithComment('x'.repeat(Math.floor(room) + 1)))).toThrow(RangeError)
  })
})

test("A1's text comes first, ComfyUI's graph where there is none", async () => {
  const graph = JSON.stringify(
    // biome-ignore format: a list
    txt2imgGraph({ checkpoint: 'm', prompt: 'a dog', negativePrompt: '', sampler: 'euler', scheduler: 'normal', steps: 4, cfgScale: 1, seed: 9, width: 64, height: 64 }),
  )
  const png = withPngText(await blank().png().toBuffer(), 'prompt', graph)
  expect(settingsOfPicture(png)).toMatchObject({ from: 'comfyui', prompt: 'a dog', seed: 9 })
  expect(settingsOfPicture(withPngText(png, 'parameters', text))).toMatchObject({ from: 'a1111', seed: 5 })
})

test('a picture that says nothing, and what is no picture, have no settings', async () => {
  for (const bytes of [await blank().png().toBuffer(), await blank().jpeg().toBuffer(), Buffer.from('hello'), Buffer.alloc(0)])
    expect(settingsOfPicture(bytes)).toBeNull()
})

test('nothing that can be in a file makes reading throw', async () => {
  const whole = [
    withPngText(await blank().png().toBuffer(), 'parameters', text),
    withJpegExif(await blank().jpeg().toBuffer(), exifWithComment(text)),
    withWebpExif(await blank().webp().toBuffer(), exifWithComment(text), size),
  ]
  const damage = fc.tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }), fc.nat(500))
  fc.assert(
    fc.property(damage, ([bytes, changes, length]) => {
      const damaged = Buffer.from(bytes)
      for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value
      settingsOfPicture(damaged.subarray(0, length))
    }),
    { numRuns: 1000 },
  )
})
