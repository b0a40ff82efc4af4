import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const EVERY_MS = 200
const MAX_BYTES_A_TURN = 1024 * 1024

/** Follows a log that somebody else writes and now and then empties, without ever holding it open. */
export class LogTail {
  readonly #file: string
  readonly #onChunk: (chunk: Buffer) => void
  readonly #timer: NodeJS.Timeout
  #at: number

  /** Begins `backBytes` before the end of what is there already. */
  constructor(file: string, backBytes: number, onChunk: (chunk: Buffer) => void) {
    this.#file = file
    this.#onChunk = onChunk
    this.#at = Math.max(0, (this.#withFile((fd) => fstatSync(fd).size) ?? 0) - backBytes)
    this.#timer = setInterval(() => this.#read(), EVERY_MS)
    this.#timer.unref()
  }

  /** Reads what is there still and stops. */
  close(): void {
    clearInterval(this.#timer)
    this.#read()
  }

  #read(): void {
    this.#withFile((fd) => {
      const { size } = fstatSync(fd)
      if (size < this.#at) this.#at = 0
      // What would take too much memory at once is left out; it is in the file.
      if (size - this.#at > MAX_BYTES_A_TURN) this.#at = size - MAX_BYTES_A_TURN
      const chunk = Buffer.alloc(size - this.#at)
      const read = readSync(fd, chunk, 0, chunk.length, this.#at)
      this.#at += read
      if (read > 0) this.#onChunk(chunk.subarray(0, read))
    })
  }

  #withFile<T>(use: (fd: number) => T): T | undefined {
    let fd: number | undefined
    try {
      fd = openSync(this.#file, 'r')
      return use(fd)
    } catch {
      return undefined
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }
}
