import { inflateSync } from 'node:zlib'

/** The tEXt, zTXt and iTXt chunks of a PNG by keyword; empty for anything that isn't one, what is damaged is left out. */
export function pngTexts(file: Buffer): Record<string, string> {
  const texts: Record<string, string> = {}
  if (file.length < 8 || file.readUInt32BE(0) !== 0x89504e47) return texts
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at)
    const type = file.toString('latin1', at + 4, at + 8)
    const data = file.subarray(at + 8, at + 8 + length)
    at += 12 + length
    const end = data.indexOf(0)
    if (end < 0 || data.length < length) continue
    const keyword = data.toString('latin1', 0, end)
    const text = readText(type, data.subarray(end + 1))
    if (text !== null) texts[keyword] = text
  }
  return texts
}

function readText(type: string, data: Buffer): string | null {
  try {
    if (type === 'tEXt') return data.toString('latin1')
    if (type === 'zTXt') return inflate(data.subarray(1)).toString('latin1')
    if (type !== 'iTXt') return null
    const language = data.indexOf(0, 2)
    const translated = data.indexOf(0, language + 1)
    if (language < 0 || translated < 0) return null
    const text = data.subarray(translated + 1)
    return (data[0] === 1 ? inflate(text) : text).toString('utf8')
  } catch {
    return null
  }
}

function inflate(data: Buffer): Buffer {
  return inflateSync(data, { maxOutputLength: 1 << 22 })
}
