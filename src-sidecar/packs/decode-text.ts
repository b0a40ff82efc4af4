import type { PackProblem } from '../contract/pack.ts'

/** The text of a UTF-8 file, without its byte order mark, or why it is none, with the line. */
export function decodeText(bytes: Uint8Array): string | PackProblem {
  const zero = bytes.indexOf(0)
  if (zero !== -1) {
    const message = 'This is not a text file (it holds a zero byte; UTF-16 is not read). Save it as UTF-8.'
    return { line: lineAt(bytes, zero), message }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const line = lineAt(bytes, firstInvalidByte(bytes))
    return { line, message: 'This line is not UTF-8. Save the file as UTF-8.' }
  }
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d]

const lineAt = (bytes: Uint8Array, end: number): number => {
  let line = 1
  for (let at = 0; at < end; at++) {
    if (bytes[at] === lineFeed || (bytes[at] === carriageReturn && bytes[at + 1] !== lineFeed)) line++
  }
  return line
}

/** No byte of a UTF-8 sequence ends a line, so whole lines can be tried one by one. */
function firstInvalidByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let start = 0
  while (start < bytes.length) {
    let end = start + 1
    while (end < bytes.length && bytes[end - 1] !== lineFeed && bytes[end - 1] !== carriageReturn) end++
    try {
      decoder.decode(bytes.subarray(start, end))
    } catch {
      return start
    }
    start = end
  }
  return start
}
