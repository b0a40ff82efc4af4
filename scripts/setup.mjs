// Everything that a fresh clone needs, and nothing when it is all there. Runs on plain Node 20, so nothing from node_modules here.
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDependencies, isInstalled } from './dependencies.mjs'
import { findNode } from './node24.mjs'
import { exitCodeFor } from './run-child.mjs'
import { withSetupLock } from './setup-lock.mjs'
import { buildUi, isUiBuilt } from './ui.mjs'

/** The project's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** A sentence for the user, without a stack, and the exit code that goes with it. */
export class SetupError extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** @param {string} message @param {import('./run-child.mjs').ChildEnd} end */
function requireSuccess(message, { exitCode, endedBy }) {
  if (endedBy) throw new SetupError('Set-up was interrupted; the next start does it again.', exitCodeFor(endedBy))
  if (exitCode !== 0) throw new SetupError(message)
}

/** @param {boolean} ui */
const isReady = (ui) => isInstalled(root) && findNode(root) !== null && (!ui || isUiBuilt(root))

/**
 * Installs the dependencies and builds the UI where that is due.
 * @param {{ ui?: boolean }} [options]
 * @returns {Promise<string>} the path of the Node that runs StableNew
 * @throws SetupError with a sentence for the user
 */
export async function setup({ ui = true } = {}) {
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new SetupError(`StableNew needs Node 20 or later; this is ${process.version}.`)
  if (!isReady(ui)) {
    await withSetupLock(root, async (lockFd) => {
      if (!isInstalled(root)) {
        requireSuccess(
          'npm ci failed (its message is above). Check the network and the disk, then start again.',
          await installDependencies(root, lockFd),
        )
      }
      const node = findNode(root)
      if (node && ui && !isUiBuilt(root)) requireSuccess('The UI could not be built (see above).', await buildUi(root, node))
    })
  }
  const node = findNode(root)
  if (!node)
    throw new SetupError(
      `There is no bundled Node for ${process.platform}-${process.arch}: install Node 24 (nodejs.org), then start again.`,
    )
  return node
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

await runScript(import.meta.url, async () => {
  await setup()
  return 0
})
