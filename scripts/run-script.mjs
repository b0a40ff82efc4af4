// What every script is made of: its folder, how it runs, how it says what is wrong.
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder; that of the package, where this is bundled. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** A sentence for the user, without a stack, and the exit code that goes with it. */
export class SetupError extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Runs a script's main function, if it is the script that was started, and sets the exit code; a SetupError is one line on stderr.
 * @param {string} url the script's `import.meta.url`
 * @param {(argv: readonly string[]) => Promise<number>} main
 */
export async function runScript(url, main) {
  if (realpathSync(process.argv[1] ?? '.') !== fileURLToPath(url)) return
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    process.exitCode = error.exitCode
  }
}
