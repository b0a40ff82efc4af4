// Everything that a fresh clone needs, and nothing when it is all there. Runs on plain Node 20, so nothing from node_modules here.
import { installDependencies, isInstalled } from './dependencies.mjs'
import { findNode } from './node24.mjs'
import { exitCodeFor } from './run-child.mjs'
import { root, runScript, SetupError } from './run-script.mjs'
import { withSetupLock } from './setup-lock.mjs'
import { buildUi, isUiBuilt } from './ui.mjs'

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

await runScript(import.meta.url, async () => {
  await setup()
  return 0
})
