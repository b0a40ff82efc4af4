import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'

/**
 * Watches a stdin that somebody holds open for us: its end is the end of that somebody. Lines are handed on (the
 * shell's handshake is the first one). Only for a stdin that is known to be held; `/dev/null` ends at once.
 */
export class StdinWatch {
  readonly #stdin: Readable
  #lines: Interface | undefined

  constructor(stdin: Readable) {
    this.#stdin = stdin
  }

  start(onEnd: () => void, onLine: (line: string) => void): void {
    this.#lines = createInterface({ input: this.#stdin })
    this.#lines.on('line', onLine)
    this.#stdin.once('end', onEnd)
    this.#stdin.once('error', onEnd)
    this.#stdin.once('close', onEnd)
  }

  stop(): void {
    this.#lines?.close()
    this.#stdin.destroy()
  }
}
