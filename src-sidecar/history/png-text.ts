import { crc32, inflateSync } from 'node:zlib'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A copy of `png` with one text chunk under `keyword`, in front of the picture data; an older one of that keyword goes.
 * tEXt where Latin-1 holds the text, else iTXt, as Pillow (and so AUTOMATIC1111) writes it. PNG, third edition, 11.3.3.
 * @throws RangeError where `png` is no whole PNG.
 */
export function withPngText(png: Uint8Array, keyword: string, text: string): Buffer {
  const kept: Buffer[] = []
  let written = false
  for (const chunk of chunks(png)) {
    if (chunk.type === 'IDAT' && !written) {
      kept.push(textChunk(keyword, text))
      written = true
    }
    if (!isText(chunk) || keywordOf(chunk.data) !== keyword) kept.push(chunk.raw)
  }
  return Buffer.concat([signature, ...kept])
}

/** Of a text that comes compressed. */
const maxTextBytes = 8 * 2 ** 20

/** The text under `keyword`, or null. @throws where `png` is no whole PNG, or a compressed text is damaged or too large. */
export function readPngText(png: Uint8Array, keyword: string): string | null {
  for (const chunk of chunks(png)) {
    if (!isText(chunk) || keywordOf(chunk.data) !== keyword) continue
    const rest = chunk.data.subarray(keyword.length + 1)
    if (chunk.type === 'tEXt') return rest.toString('latin1')
    if (chunk.type === 'zTXt') return inflated(rest.subarray(1)).toString('latin1')
    const language = rest.indexOf(0, 2)
    const translated = rest.indexOf(0, language + 1)
    const text = rest.subarray(translated + 1)
    return (rest[0] === 1 ? inflated(text) : text).toString('utf8')
  }
  return null
}

const inflated = (data: Buffer): Buffer => inflateSync(data, { maxOutputLength: maxTextBytes })

interface Chunk {
  readonly type: string
  readonly data: Buffer
  /** Length, type, data and checksum. */
  readonly raw: Buffer
}

function* chunks(png: Uint8Array): Generator<Chunk> {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength)
  if (!bytes.subarray(0, 8).equals(signature)) throw new RangeError('not a PNG')
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const end = at + 12 + length
    if (end > bytes.length) throw new RangeError('a PNG that ends too early')
    const type = bytes.toString('latin1', at + 4, at + 8)
    yield { type, data: bytes.subarray(at + 8, end - 4), raw: bytes.subarray(at, end) }
    // What a server appended behind it belongs to no picture.
    if (type === 'IEND') return
    at = end
  }
  throw new RangeError('a PNG that ends too early')
}

const isText = ({ type }: Chunk): boolean => type === 'tEXt' || type === 'iTXt' || type === 'zTXt'

const keywordOf = (data: Buffer): string => data.toString('latin1', 0, Math.max(0, data.indexOf(0)))

// biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1 is a range of codes
const fitsLatin1 = (text: string): boolean => /^[\x01-\xff]*$/.test(text)

function textChunk(keyword: string, text: string): Buffer {
  const head = Buffer.from(`${keyword}\0`, 'latin1')
  return fitsLatin1(text)
    ? chunk('tEXt', Buffer.concat([head, Buffer.from(text, 'latin1')]))
    : chunk('iTXt', Buffer.concat([head, Buffer.from('\0\0\0\0', 'latin1'), Buffer.from(text, 'utf8')]))
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(12 + data.length)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), 8 + data.length)
  return frame
}
