import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'

const endings = ['end', 'error', 'close'] as const

/**
 * Watches a stdin that somebody holds open for us: its end is the end of that somebody. Lines are handed on (the
 * shell's handshake is the first one). Only for a stdin that is known to be held; `/dev/null` ends at once.
 */
export class StdinWatch {
  readonly #stdin: Readable
  #lines: Interface | undefined
  #onEnd = () => {}

  constructor(stdin: Readable) {
    this.#stdin = stdin
  }

  start(onEnd: () => void, onLine: (line: string) => void): void {
    this.#onEnd = onEnd
    this.#lines = createInterface({ input: this.#stdin })
    this.#lines.on('line', onLine)
    // An error of the input is told here as well, and would end the process unheard.
    this.#lines.on('error', () => {})
    for (const event of endings) this.#stdin.once(event, onEnd)
  }

  stop(): void {
    for (const event of endings) this.#stdin.off(event, this.#onEnd)
    this.#stdin.on('error', () => {})
    this.#lines?.close()
    this.#stdin.destroy()
  }
}
