const encoding = Buffer.from('UNICODE\0', 'latin1')
const mark = Buffer.from('Exif\0\0', 'latin1')
const [exifPointer, userComment, ascii, undefinedType] = [0x8769, 0x9286, 2, 7]

/**
 * EXIF with `text` as its UserComment, in UTF-16 BE, as A1 writes it (`modules/images.py`, with piexif). EXIF 2.32, 4.6.
 * Without the mark "Exif\0\0".
 */
export function exifWithComment(text: string): Buffer {
  const comment = Buffer.concat([encoding, Buffer.from(text, 'utf16le').swap16()])
  const directory = (tag: number, type: number, count: number, value: number) => {
    const bytes = Buffer.alloc(18)
    bytes.writeUInt16BE(1, 0)
    bytes.writeUInt16BE(tag, 2)
    bytes.writeUInt16BE(type, 4)
    bytes.writeUInt32BE(count, 6)
    bytes.writeUInt32BE(value, 10)
    return bytes
  }
  const head = Buffer.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8])
  return Buffer.concat([
    head,
    directory(exifPointer, 4, 1, 26),
    directory(userComment, undefinedType, comment.length, 44),
    comment,
  ])
}

/** What EXIF says: its UserComment, and the texts of its main directory, where ComfyUI puts its graph. Never throws. */
export function readExif(exif: Buffer): { comment: string | null; texts: string[] } {
  const at = exif.subarray(0, 6).equals(mark) ? exif.subarray(6) : exif
  const little = at.toString('latin1', 0, 2) === 'II'
  const short = (place: number) => (place + 2 > at.length ? 0 : little ? at.readUInt16LE(place) : at.readUInt16BE(place))
  const long = (place: number) => (place + 4 > at.length ? 0 : little ? at.readUInt32LE(place) : at.readUInt32BE(place))
  const entries = (directory: number) =>
    Array.from({ length: directory === 0 ? 0 : short(directory) }, (_, index) => {
      const place = directory + 2 + index * 12
      const length = long(place + 4)
      const start = length <= 4 ? place + 8 : long(place + 8)
      return { tag: short(place), type: short(place + 2), start: long(place + 8), bytes: at.subarray(start, start + length) }
    })
  const main = entries(long(4))
  const inner = main.find(({ tag }) => tag === exifPointer)
  const comment = inner && entries(inner.start).find(({ tag }) => tag === userComment)
  return {
    comment: comment ? decoded(comment.bytes, little) : null,
    texts: main.flatMap(({ type, bytes }) => (type === ascii ? [bytes.toString('utf8').replace(/\0+$/, '')] : [])),
  }
}

function decoded(bytes: Buffer, little: boolean): string {
  const [code, text] = [bytes.toString('latin1', 0, 7), bytes.subarray(8)]
  if (code !== 'UNICODE') return text.toString('utf8').replace(/\0+$/, '')
  const even = Buffer.from(text.subarray(0, text.length & ~1))
  // A1 writes big-endian whatever the order of the rest; other programs follow the rest.
  const isLittle = little && even.filter((byte, at) => at % 2 === 1 && byte === 0).length > even.length / 4
  return (isLittle ? even : even.swap16()).toString('utf16le').replace(/\0+$/, '')
}

/** A JPEG's segment takes no more. */
export const maxJpegExifBytes = 0xffff - 2 - mark.length

/** A copy of the JPEG with this EXIF in front; an older one goes. @throws RangeError where it is no JPEG, or the EXIF too long for one */
export function withJpegExif(jpeg: Buffer, exif: Buffer): Buffer {
  if (exif.length > maxJpegExifBytes) throw new RangeError('too long for the EXIF of a JPEG')
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(exif.length + 2 + mark.length, 2)
  const kept: Buffer[] = []
  let rest = 2
  for (const { raw, isExif, end } of jpegSegments(jpeg)) {
    if (!isExif) kept.push(raw)
    rest = end
  }
  return Buffer.concat([jpeg.subarray(0, 2), head, mark, exif, ...kept, jpeg.subarray(rest)])
}

/** A copy of the WebP with this EXIF; an older one goes. WebP container specification. @throws RangeError where it is no WebP */
export function withWebpExif(webp: Buffer, exif: Buffer, size: { width: number; height: number }): Buffer {
  const chunks = [...webpChunks(webp)].filter(({ type }) => type !== 'EXIF' && type !== 'VP8X')
  const before = [...webpChunks(webp)].find(({ type }) => type === 'VP8X')?.data
  const extended = Buffer.alloc(10)
  before?.copy(extended)
  // A lossless picture without the extended header says in its own whether it has an alpha channel.
  const lossless = chunks.find(({ type }) => type === 'VP8L')?.data
  const alpha = lossless !== undefined && before === undefined && ((lossless[4] ?? 0) & 0x10) !== 0
  extended[0] = (extended[0] ?? 0) | 0x08 | (alpha ? 0x10 : 0)
  extended.writeUIntLE(size.width - 1, 4, 3)
  extended.writeUIntLE(size.height - 1, 7, 3)
  const body = [chunk('VP8X', extended), ...chunks.map(({ type, data }) => chunk(type, data)), chunk('EXIF', exif)]
  const length = body.reduce((sum, { length }) => sum + length, 4)
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')
  head.writeUInt32LE(length, 4)
  return Buffer.concat([head, ...body])
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** The EXIF of a JPEG or WebP; null where there is none. Never throws. */
export function exifOf(picture: Buffer): Buffer | null {
  try {
    for (const { data, isExif } of jpegSegments(picture)) if (isExif) return data
  } catch {
    // No JPEG.
  }
  try {
    for (const { type, data } of webpChunks(picture)) if (type === 'EXIF') return data
  } catch {
    // No WebP.
  }
  return null
}

/** Those in front of the picture data. */
function* jpegSegments(jpeg: Buffer): Generator<{ raw: Buffer; data: Buffer; isExif: boolean; end: number }> {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw new RangeError('not a JPEG')
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; ) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2)
    if (end > jpeg.length) return
    const data = jpeg.subarray(at + 4, end)
    yield { raw: jpeg.subarray(at, end), data, isExif: jpeg[at + 1] === 0xe1 && data.subarray(0, 6).equals(mark), end }
    at = end
  }
}

function* webpChunks(webp: Buffer): Generator<{ type: string; data: Buffer }> {
  if (webp.toString('latin1', 0, 4) !== 'RIFF' || webp.toString('latin1', 8, 12) !== 'WEBP') throw new RangeError('not a WebP')
  for (let at = 12; at + 8 <= webp.length; ) {
    const length = webp.readUInt32LE(at + 4)
    yield { type: webp.toString('latin1', at, at + 4), data: webp.subarray(at + 8, at + 8 + length) }
    at += 8 + length + (length % 2)
  }
}
