import { StringDecoder } from 'node:string_decoder'

const KEPT_LINES = 200
const MAX_LINE_CHARS = 8192

/**
 * Turns the output of a child into lines and keeps the last 200. Memory is bounded whatever the child writes: an endless
 * line is cut at 8,192 characters, and a progress bar (lines that end in a carriage return) takes one line, as on a terminal.
 */
export class OutputLines {
  readonly #kept: string[] = []
  readonly #onLine: (stream: 'stdout' | 'stderr', line: string) => void
  #lastIsProgress = false

  constructor(onLine: (stream: 'stdout' | 'stderr', line: string) => void) {
    this.#onLine = onLine
  }

  lastLines(): string[] {
    return [...this.#kept]
  }

  /** One of these for each stream: `write` takes what comes, `end` gives out what is left of an unfinished line. */
  reader(stream: 'stdout' | 'stderr'): { write(chunk: Buffer): void; end(): void } {
    const decoder = new StringDecoder('utf8')
    let rest = ''
    const take = (text: string) => {
      rest += text
      let from = 0
      for (let i = 0; i < rest.length; i++) {
        const char = rest[i]
        if (char === '\n') {
          this.#add(stream, rest.slice(from, i), false)
          from = i + 1
        } else if (char === '\r') {
          // A carriage return at the very end may be half of a line end.
          if (i + 1 === rest.length) break
          const lineEnd = rest[i + 1] === '\n'
          if (!lineEnd || i > from) this.#add(stream, rest.slice(from, i), !lineEnd)
          if (lineEnd) i++
          from = i + 1
        } else if (i - from >= MAX_LINE_CHARS) {
          this.#add(stream, rest.slice(from, i), false)
          from = i
        }
      }
      rest = rest.slice(from)
    }
    return {
      write: (chunk) => take(decoder.write(chunk)),
      end: () => {
        take(decoder.end())
        const line = rest.replace(/\r$/, '')
        rest = ''
        if (line) this.#add(stream, line, false)
      },
    }
  }

  #add(stream: 'stdout' | 'stderr', line: string, isProgress: boolean): void {
    if (isProgress && line === '') return
    if (this.#lastIsProgress) this.#kept.pop()
    this.#lastIsProgress = isProgress
    this.#kept.push(line)
    if (this.#kept.length > KEPT_LINES) this.#kept.shift()
    this.#onLine(stream, line)
  }
}
