import { promisify } from 'node:util'
import { constants, crc32, deflate } from 'node:zlib'
import type { Pacer } from './pacer.ts'

const deflateAsync = promisify(deflate)

/** 8-bit RGB, three bytes a pixel, rows without padding. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A PNG with text chunks. Compressing runs on libuv's threads; filtering here, in slices. `level` is zlib's, 0 to 9.
 */
export async function encodePng(
  pixels: Pixels,
  text: Readonly<Record<string, string>>,
  pacer: Pacer,
  level = 5,
): Promise<Buffer> {
  const { width, height } = pixels
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const body = await deflateAsync(await filterRows(pixels, pacer), { level, strategy: constants.Z_FILTERED, memLevel: 9 })
  const texts = Object.entries(text).map(([keyword, value]) => textChunk(keyword, value))
  return Buffer.concat([signature, chunk('IHDR', header), ...texts, chunk('IDAT', body), chunk('IEND', Buffer.alloc(0))])
}

/** Every row by the "up" filter: best for pictures made of soft gradients, and quick. */
async function filterRows({ width, height, data }: Pixels, pacer: Pacer): Promise<Buffer> {
  const stride = width * 3
  const out = Buffer.allocUnsafe((stride + 1) * height)
  for (let y = 0; y < height; y++) {
    const to = y * (stride + 1)
    const from = y * stride
    out[to] = y === 0 ? 1 : 2
    const back = y === 0 ? 3 : stride
    for (let i = 0; i < stride; i++) {
      const before = y === 0 && i < 3 ? 0 : data[from + i - back]!
      out[to + 1 + i] = data[from + i]! - before
    }
    if (pacer.isDue()) await pacer.pause()
  }
  return out
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(8 + typed.length)
  out.writeUInt32BE(data.length, 0)
  out.set(typed, 4)
  out.writeUInt32BE(crc32(typed), 4 + typed.length)
  return out
}

/** tEXt where Latin-1 can hold the text, else iTXt in UTF-8: as Pillow's PngInfo.add_text, which A1 uses. */
function textChunk(keyword: string, text: string): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of Latin-1 begins at 0
  if (/^[\x00-\xff]*$/.test(text)) return chunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1'))
  return chunk('iTXt', Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(text, 'utf8')]))
}
