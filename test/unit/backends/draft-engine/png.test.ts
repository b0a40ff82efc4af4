import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createPacer } from '../../../../src-sidecar/backends/draft-engine/pacer.ts'
import { encodePng } from '../../../../src-sidecar/backends/draft-engine/png.ts'
import { pngTexts } from '../../../../src-sidecar/backends/draft-engine/png-texts.ts'

const data = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) % 256)
const pixels = { width: 7, height: 5, data }

test('a PNG decodes to the same pixels', async () => {
  const png = await encodePng(pixels, {}, createPacer())
  const decoded = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  expect(decoded.info).toMatchObject({ width: 7, height: 5, channels: 3 })
  expect(new Uint8Array(decoded.data)).toEqual(data)
})

test.each(['plain', 'Latin é', 'Лес, 森 and 🌲', 'two\nlines', ''])('the text %j comes back', async (text) => {
  const png = await encodePng(pixels, { parameters: text }, createPacer())
  expect(pngTexts(png)).toEqual({ parameters: text })
})

test('text goes into tEXt where Latin-1 holds it, else into iTXt, as Pillow does', async () => {
  expect((await encodePng(pixels, { parameters: 'é' }, createPacer())).includes('tEXtparameters')).toBe(true)
  expect((await encodePng(pixels, { parameters: '森' }, createPacer())).includes('iTXtparameters')).toBe(true)
})

test('texts of what is no PNG, or is cut off, are none and no error', async () => {
  const png = await encodePng(pixels, { parameters: 'x' }, createPacer())
  expect(pngTexts(Buffer.from('GIF89a'))).toEqual({})
  for (let length = 0; length < png.length; length++) pngTexts(png.subarray(0, length))
  expect(pngTexts(png.subarray(0, 40))).toEqual({})
})
