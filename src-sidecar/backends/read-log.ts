import { type FileHandle, open } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import type { BackendLog } from '../contract/backend-log.ts'

/** Read and answered at most. */
const mostBytes = 64 * 1024

/**
 * The last lines of a log that is being written and now and then begun anew (rotated by renaming). Never held open.
 * @param after place that an earlier answer gave as `next`; from there, where the file is still the same
 */
export async function readLog(file: string, lines: number, after?: string): Promise<BackendLog> {
  let handle: FileHandle
  try {
    handle = await open(file)
  } catch {
    // Nothing has been started yet, or the log is being rotated.
    return { lines: [], continued: after !== undefined, next: after ?? '0:0' }
  }
  try {
    const { ino, size } = await handle.stat()
    const [id, at] = (after ?? '').split(':').map(Number)
    const continued = after !== undefined && id === ino && at! <= size && size - at! <= mostBytes
    const from = continued ? at! : Math.max(0, size - mostBytes)
    const bytes = Buffer.alloc(size - from)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
    const end = bytes.subarray(0, bytesRead).lastIndexOf(10) + 1
    const whole = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    // The first was cut where the reading began in the middle.
    if (!continued && from > 0) whole.shift()
    return { lines: whole.slice(-lines).map(readable), continued, next: `${ino}:${from + end}` }
  } finally {
    await handle.close()
  }
}

/** As a terminal would show it: a progress bar writes its line again and again. */
const readable = (line: string): string => {
  const text = stripVTControlCharacters(line).replace(/\r+$/, '')
  return text.slice(text.lastIndexOf('\r') + 1).slice(0, 4000)
}
