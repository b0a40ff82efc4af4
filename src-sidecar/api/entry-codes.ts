import { randomBytes } from 'node:crypto'

/**
 * Codes that open the UI once. A window's address stands in its command line, which every user of the machine can read:
 * so it holds such a code, and never the token.
 */
export class EntryCodes {
  readonly #open = new Set<string>()

  issue(): string {
    const code = randomBytes(32).toString('base64url')
    this.#open.add(code)
    return code
  }

  /** @returns whether the code was good; it is used up then. */
  use(code: string): boolean {
    return this.#open.delete(code)
  }
}
