import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import { type Logger, pino } from 'pino'
import { createStream } from 'rotating-file-stream'

export type { Logger } from 'pino'

/** Keys whose values never reach a log, at whatever depth. */
const secretKeys = ['token', 'nlToken', 'nlConnectToken', 'accessToken', 'password', 'authorization', 'cookie']
const secretValue = new RegExp(`("(?:${secretKeys.join('|')})":")(?:[^"\\\\]|\\\\.)*`, 'gi')

/** Takes secrets out of a URL or a line that holds one. Quotes and backslashes end a URL: a line of JSON stays one. */
export const redactUrl = (text: string): string =>
  text.replace(/([?&#](?:token|connectToken)=)[^&#\s"\\]+/g, '$1…').replace(/(\/\/[^/:@\s"\\]+:)[^@/\s"\\]+@/g, '$1…@')

export interface LogFile {
  readonly logger: Logger
  /** Resolves when everything is on disk and the file is closed. */
  close(): Promise<void>
}

/** A rotated log (5 MB a file, 5 kept, mode 0600) without a thread of its own. */
export function openLog(folder: string, fileName: string): LogFile {
  const stream = createStream(fileName, { path: folder, size: '5M', maxFiles: 5, mode: 0o600 })
  // A full disk must not end the app: the log is the one thing that may be lost.
  stream.on('error', () => {})
  const logger = pino(
    {
      name: basename(fileName, '.log'),
      timestamp: pino.stdTimeFunctions.isoTime,
      // On the finished line: a secret may stand in a message, in a URL of an object, or deep in the data of an error.
      hooks: { streamWrite: (line) => redactUrl(line.replace(secretValue, '$1…')) },
    },
    stream,
  )
  return {
    logger,
    close: async () => {
      const done = finished(stream).catch(() => {})
      stream.end()
      await done
    },
  }
}
