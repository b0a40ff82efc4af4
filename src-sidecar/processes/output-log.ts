import { mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from 'pino'
import { createStream, type RotatingFileStream } from 'rotating-file-stream'

const MAX_WAITING_BYTES = 16 * 1024 * 1024
const FLUSH_CHARS = 64 * 1024

/**
 * A child's output on disk: 5 MB a file, three old ones kept. Where the disk is slower than the child, lines are left out
 * and counted, so that neither the child waits nor memory grows. A disk that fails is named once and then left alone.
 */
export class OutputLog {
  readonly #stream: RotatingFileStream
  #failed = false
  #leftOut = 0
  #waiting = ''

  constructor(file: string, logger: Logger) {
    mkdirSync(dirname(file), { recursive: true })
    this.#stream = createStream(basename(file), { path: dirname(file), size: '5M', rotate: 3, mode: 0o600 })
    this.#stream.on('error', (error) => {
      if (!this.#failed) logger.warn({ err: error, file }, 'output can no longer be written to its log')
      this.#failed = true
    })
  }

  write(line: string): void {
    if (this.#failed) return
    if (this.#stream.writableLength > MAX_WAITING_BYTES) {
      this.#leftOut++
      return
    }
    if (this.#leftOut > 0) this.#waiting += `… ${this.#leftOut} lines left out: the disk was too slow\n`
    this.#leftOut = 0
    // One write for all lines of a turn: a write for each would be slower than the child.
    if (this.#waiting === '') setImmediate(() => this.#flush())
    this.#waiting += `${line}\n`
    if (this.#waiting.length > FLUSH_CHARS) this.#flush()
  }

  #flush(): void {
    if (this.#waiting !== '') this.#stream.write(this.#waiting)
    this.#waiting = ''
  }

  /** Resolves when all is written and the file is closed, after 1,000 ms at the latest. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, 1000)
      const done = () => {
        clearTimeout(late)
        resolve()
      }
      this.#flush()
      this.#stream.once('close', done)
      this.#stream.once('error', done)
      this.#stream.end()
    })
  }
}
