// npm start: set-up, then the shell: a Neutralino window where there is one, else the sidecar with a browser or none.
import { parseArgs } from './arguments.mjs'
import { runSidecar } from './host-lines.mjs'
import { fetchNeutralino, findNeutralino, hasDisplay } from './neutralino.mjs'
import { root, runScript, SetupError, setup } from './setup.mjs'
import { runWindow } from './window.mjs'

/**
 * Why no Neutralino window can open, as the end of a sentence; null when one can.
 * @param {string} node
 * @param {boolean} wanted asked for by name
 */
async function whyNoWindow(node, wanted) {
  if (!hasDisplay()) return 'there is no display'
  if (root.includes("'")) return 'the folder’s path has an apostrophe in it'
  return findNeutralino(root) ? null : fetchNeutralino(root, node, wanted)
}

/** @param {readonly string[]} argv */
export async function start(argv) {
  const { shell, rest } = parseArgs(argv)
  const node = await setup()
  if (shell === 'browser' || shell === 'none') return runSidecar(root, node, ['--shell', shell, ...rest])

  let reason = await whyNoWindow(node, shell === 'neutralino')
  if (!reason) {
    const { exitCode, opened, lastLine } = await runWindow(root, findNeutralino(root) ?? '', node, rest)
    // GTK, ended from another thread, now and then says 1 at an orderly close; a signal is told.
    if (opened) return exitCode > 128 ? exitCode : 0
    if (exitCode === 0) return 0
    reason = `it ended with code ${exitCode}${lastLine && `: ${lastLine}`}`
  }
  if (shell === 'neutralino') throw new SetupError(`The Neutralino window can’t open: ${reason}.`)
  // Without a display the sidecar says why there is no browser either.
  if (hasDisplay()) console.log(`No Neutralino window (${reason}): using a browser.`)
  return runSidecar(root, node, ['--shell', 'auto', ...rest])
}

await runScript(import.meta.url, start)
